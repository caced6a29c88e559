"""The assets: one for each table, thin. `events` loads hours; `models` makes one asset of each SQL model."""

import warnings

import dagster as dg

# BackfillPolicy has been "beta" since 2023; it is what makes a range of hours one run.
warnings.filterwarnings("ignore", category=dg.BetaWarning, message=".*backfill_policy.*")

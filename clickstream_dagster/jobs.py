"""The one job: load hours, and bring every table up to date with them."""

from __future__ import annotations

import dagster as dg

HOURLY_JOB = "hourly_clickstream"

hourly_clickstream = dg.define_asset_job(
    HOURLY_JOB,
    selection=dg.AssetSelection.all(),
    description="Load one hour of raw objects, or a range of hours in one run, and rebuild what that changes.",
)

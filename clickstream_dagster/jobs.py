"""The one job: load hours, and bring every table up to date with them. And the tags that make a run of it one range."""

from __future__ import annotations

from datetime import datetime

import dagster as dg
from dagster._core.storage.tags import ASSET_PARTITION_RANGE_END_TAG, ASSET_PARTITION_RANGE_START_TAG

from clickstream_dagster.partitions import key_of
from clickstream_dagster.settings import DAGSTER_LOCATION

HOURLY_JOB = "hourly_clickstream"

hourly_clickstream = dg.define_asset_job(
    HOURLY_JOB,
    selection=dg.AssetSelection.all(),
    description="Load one hour of raw objects, or a range of hours in one run, and rebuild what that changes.",
)

#: Without it a run in process is on the Runs page, but not on its job's page.
REPOSITORY_TAG = {".dagster/repository": f"__repository__@{DAGSTER_LOCATION}"}


def range_tags(first: datetime, last: datetime) -> dict[str, str]:
    """The tags that make one run of the hours from `first` to `last`, both included."""
    return {ASSET_PARTITION_RANGE_START_TAG: key_of(first), ASSET_PARTITION_RANGE_END_TAG: key_of(last)}

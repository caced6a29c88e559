"""Raw events: one partition is one UTC hour of receipt. A range of hours is one run.

The manifest, the duplicates and the rejects are written in the transaction that writes the events, so they are not
materialized by themselves; the load reports them.
"""

from datetime import UTC

import dagster as dg

from clickstream_dagster import partitions, progress
from clickstream_dagster.assets.describe import FRESH, OWNERS, definition_metadata, lineage_metadata
from clickstream_dagster.resources import Platform
from clickstream_dagster.settings import load_settings
from clickstream_dagster.warehouse.ledger import count_events
from clickstream_dagster.warehouse.load import load_hours
from clickstream_dagster.warehouse.models import all_models

#: The hour in progress has a partition too: loading is incremental, so it can be loaded again when it has ended.
HOURS = dg.HourlyPartitionsDefinition(
    start_date=load_settings().first_hour, fmt=partitions.KEY_FORMAT, timezone="UTC", end_offset=1
)
SIDE_TABLES = ("raw_objects", "duplicate_events", "rejected_events")
#: What is labelled by its value as it is loaded; a change of the rules labels it anew.
LABELS = ("dim_source", "dim_user_agent", "shop_hosts")
_MODEL = all_models()["clickstream_events"]


@dg.asset(
    name=_MODEL.name,
    description=_MODEL.description,
    group_name=_MODEL.layer,
    partitions_def=HOURS,
    backfill_policy=dg.BackfillPolicy.single_run(),
    owners=OWNERS,
    kinds={"postgres", "s3"},
    metadata=definition_metadata(_MODEL),
    freshness_policy=FRESH,
)
def clickstream_events(context: dg.AssetExecutionContext, platform: Platform) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Load what is unseen in the hours of the run."""
    window = context.partition_time_window
    stack = platform.stack
    with stack.warehouse() as connection:
        loaded = load_hours(
            connection,
            stack.store,
            window.start.astimezone(UTC),
            window.end.astimezone(UTC),
            lambda so_far, total: progress.report(_MODEL.name, so_far.objects, total),
        )
        rows = count_events(connection, window.start, window.end)
    for name, added in zip(SIDE_TABLES, (loaded.objects, loaded.duplicate, loaded.rejected), strict=True):
        context.log_event(
            dg.AssetMaterialization(name, metadata={"added": added, **lineage_metadata(all_models()[name])})
        )
    # No more than counts: Dagster writes this once for each hour of the range. What the hours hold may have been loaded before,
    # while they were in progress.
    return dg.MaterializeResult(metadata={"dagster/row_count": rows, **vars(loaded)})


side_tables = [
    dg.AssetSpec(
        name,
        deps=[_MODEL.name],
        description=all_models()[name].description,
        group_name=all_models()[name].layer,
        owners=OWNERS,
        kinds={"postgres"},
        metadata=definition_metadata(all_models()[name]),
    )
    for name in (*SIDE_TABLES, *LABELS)
]

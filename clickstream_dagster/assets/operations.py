"""The operational numbers of the cloud, as far as they are in the raw bucket. No partitions: an hour's object may be written
again, and what is new is found by listing."""

import dagster as dg

from clickstream_dagster.assets.describe import OWNERS, definition_metadata, lineage_metadata
from clickstream_dagster.resources import Platform
from clickstream_dagster.warehouse.models import all_models
from clickstream_dagster.warehouse.operations import load_operations

_MODEL = all_models()["operational_metrics"]


@dg.asset(
    name=_MODEL.name,
    description=_MODEL.description,
    group_name=_MODEL.layer,
    owners=OWNERS,
    kinds={"postgres", "s3"},
    metadata=definition_metadata(_MODEL),
)
def operational_metrics(context: dg.AssetExecutionContext, platform: Platform) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Load what is new. An object that cannot be read is told of; no event waits for it."""
    stack = platform.stack
    with stack.warehouse() as connection:
        loaded = load_operations(connection, stack.store)
    for reason in loaded.unreadable:
        context.log.warning(reason)
    counts = {"hours": loaded.hours, "numbers": loaded.numbers, "unreadable": len(loaded.unreadable)}
    return dg.MaterializeResult(metadata={**counts, **lineage_metadata(_MODEL)})

"""The shop's own orders. No partitions: its database is asked for what has changed since it was asked last. Not a part of the
hours' job, so that a shop that does not answer holds no event up."""

import dagster as dg

from clickstream_dagster.assets.describe import OWNERS, definition_metadata, lineage_metadata
from clickstream_dagster.resources import Platform
from clickstream_dagster.warehouse.models import all_models
from clickstream_dagster.warehouse.shop_orders.database import Query
from clickstream_dagster.warehouse.shop_orders.store import read_database

_MODEL = all_models()["shop_orders"]


class Reading(dg.Config):
    """Which orders to read: those that have changed since the last time, or all, which also takes away what the shop deleted."""

    everything: bool = False


@dg.asset(
    name=_MODEL.name,
    description=_MODEL.description,
    group_name=_MODEL.layer,
    owners=OWNERS,
    kinds={"postgres", "table"},
    metadata=definition_metadata(_MODEL),
)
def shop_orders(context: dg.AssetExecutionContext, config: Reading, platform: Platform) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Read the shop's database, where one is connected. An order that cannot be compared is told of, and left out."""
    stack = platform.stack
    shop = stack.shop
    if shop is None:
        context.log.info("No shop's database is connected: set SHOP_PG_HOST and the other SHOP_PG_* variables.")
        return dg.MaterializeResult(metadata=lineage_metadata(_MODEL))
    query = Query(shop, stack.settings.shop_query)
    with stack.warehouse() as connection:
        brought = read_database(connection, query, is_whole=config.everything)
    for reason, count in brought.left_out.most_common(10):
        context.log.warning(f"{count:,} orders are left out: {reason}")
    counts = {
        "orders": brought.orders,
        "changed": brought.changed,
        "gone": brought.gone,
        "left out": brought.left_out.total(),
    }
    return dg.MaterializeResult(metadata={**counts, **lineage_metadata(_MODEL)})

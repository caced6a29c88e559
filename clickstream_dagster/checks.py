"""Checks that no single rebuild can make. The tests of each model's .yml run inside its asset, before it commits."""

from datetime import UTC, datetime

import dagster as dg

from clickstream_dagster.partitions import HOUR, floor_hour
from clickstream_dagster.resources import Platform
from clickstream_dagster.warehouse.ledger import freshness


@dg.asset_check(asset="etl_ledger", description="The latest closed hour is loaded, and every hour before it.")
def latest_closed_hour_is_loaded(platform: Platform) -> dg.AssetCheckResult:
    """Dagster's own freshness looks at the latest materialization of any partition, so that a backfill of an old hour
    would read as fresh. This looks at the hours."""
    latest_closed = floor_hour(datetime.now(UTC)) - HOUR
    with platform.stack.warehouse() as connection:
        complete_to = freshness(connection)
    is_loaded = complete_to is not None and complete_to >= latest_closed + HOUR
    return dg.AssetCheckResult(
        passed=is_loaded,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "complete to": complete_to.isoformat() if complete_to else "nothing loaded yet",
            "latest closed hour": latest_closed.isoformat(),
        },
    )

"""Checks that no single rebuild can make. The tests of each model's .yml run inside its asset, before it commits."""

from datetime import UTC, datetime, timedelta

import dagster as dg

from clickstream_dagster.partitions import HOUR, floor_hour
from clickstream_dagster.raw.places import strangers
from clickstream_dagster.resources import Platform
from clickstream_dagster.warehouse import canaries
from clickstream_dagster.warehouse.connection import transaction
from clickstream_dagster.warehouse.ledger import anomalies, freshness
from clickstream_dagster.warehouse.shop_orders import reconciliation
from clickstream_dagster.warehouse.unseen import Strangers

#: So many orders of the shop must be missing before their share is looked at.
MISSING_ORDERS = 3
#: A shop's database that is connected is read hourly.
READ_WITHIN = timedelta(hours=26)


@dg.asset_check(
    asset="etl_ledger", description="received = loaded + duplicate + rejected + erased + expired, in every hour."
)
def books_balance(platform: Platform) -> dg.AssetCheckResult:
    """Not one of the blocking tests: an hour that does not balance must be seen, so its row is written."""
    with platform.stack.warehouse() as connection, transaction(connection) as cursor:
        cursor.execute("select partition_hour from etl_ledger where difference <> 0 order by partition_hour")
        wrong = [hour.isoformat() for (hour,) in cursor.fetchall()]
    return dg.AssetCheckResult(passed=not wrong, metadata={"hours": len(wrong), "first": wrong[0] if wrong else "none"})


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


@dg.asset_check(asset="anomalies", description="Nothing in the last day is out of the ordinary.")
def nothing_is_out_of_the_ordinary(platform: Platform) -> dg.AssetCheckResult:
    """A warning: the numbers are right, and it is the shop that somebody should look at."""
    with platform.stack.warehouse() as connection:
        sentences = [sentence for sentence, _ in anomalies(connection)]
    return dg.AssetCheckResult(
        passed=not sentences,
        severity=dg.AssetCheckSeverity.WARN,
        description=". ".join(sentences) or None,
        metadata={"anomalies": len(sentences)},
    )


@dg.asset_check(asset="canary_visits", description="Every test visit of the last day arrived whole, within two hours.")
def canary_visits_arrive(platform: Platform) -> dg.AssetCheckResult:
    """A warning, as the numbers hold what did arrive."""
    with platform.stack.warehouse() as connection:
        visits = canaries.look(connection, platform.stack.store, datetime.now(UTC))
    lost = [one for one in visits if one.is_lost]
    return dg.AssetCheckResult(
        passed=not lost,
        severity=dg.AssetCheckSeverity.WARN,
        description=canaries.sentence(visits) or None,
        metadata={"visits": len(visits), "lost": len(lost), "first lost": lost[0].name if lost else "none"},
    )


@dg.asset_check(
    asset="order_reconciliation",
    description="The shop's own orders of the last 28 days arrived by events, as good as all.",
)
def shop_orders_arrive(platform: Platform) -> dg.AssetCheckResult:
    """A warning, as the events are what they are. One or two orders are no alarm: a small shop has few."""
    stack = platform.stack
    with stack.warehouse() as connection:
        found = reconciliation.reconciled(connection)
    is_short = (
        found is not None
        and found.missing >= MISSING_ORDERS
        and (100 * found.arrived < stack.settings.arrived_percent * found.orders)
    )
    last = found.read_to if found else None
    is_old = stack.shop is not None and (last is None or last < datetime.now(UTC) - READ_WITHIN)
    said = [reconciliation.sentence(found)]
    if is_old:
        said.append(
            f"The shop's database was last read {f'{last:%Y-%m-%d %H:%M} UTC' if last else 'never'}: see the job shop_books."
        )
    return dg.AssetCheckResult(
        passed=not is_short and not is_old,
        severity=dg.AssetCheckSeverity.WARN,
        description=" ".join(filter(None, said)) or None,
        metadata={"orders": found.orders, "arrived": found.arrived} if found else {},
    )


@dg.asset_check(asset="etl_ledger", description="Nothing lies in the raw store where no hour would look for it.")
def every_object_has_a_place(platform: Platform) -> dg.AssetCheckResult:
    """Of the days of the look-back; `clickstream status` looks at every object."""
    settings = platform.stack.settings
    now = datetime.now(UTC)
    found = Strangers()
    for key in strangers(platform.stack.store, floor_hour(now) - settings.lookback_hours * HOUR, now):
        found.add(key)
    return dg.AssetCheckResult(
        passed=not found.count,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"objects": found.count, "such as": ", ".join(found.examples) or "none"},
    )

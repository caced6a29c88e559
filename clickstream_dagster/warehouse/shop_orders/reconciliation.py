"""The shop's orders and those of events, counted and in words (view `daily_reconciliation`)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal

from clickstream_dagster.settings import RECONCILED_DAYS
from clickstream_dagster.warehouse.connection import Connection, transaction

#: The last date of which both sides know anything. It is asked for by itself: only of dates that stand in the question does the
#: view read the orders of these dates and no others.
_KNOWN = """
    select
        shop_readings.read_to,
        (least(data_freshness.complete_to, upper(shop_readings.known)) at time zone shop_settings.timezone)::date
    from shop_readings
    cross join shop_settings
    cross join data_freshness
    where not isempty(shop_readings.known)
"""
#: Money in the shop's currency alone.
_COUNTED = """
    select
        coalesce(sum(daily.orders), 0)::integer, coalesce(sum(daily.arrived), 0)::integer,
        coalesce(sum(daily.differing), 0)::integer, coalesce(sum(daily.surplus), 0)::integer,
        coalesce(sum(daily.revenue) filter (where daily.currency = shop_settings.currency), 0),
        coalesce(sum(daily.arrived_revenue) filter (where daily.currency = shop_settings.currency), 0)
    from daily_reconciliation as daily
    cross join shop_settings
    where daily.local_date > %s and daily.local_date <= %s
"""


@dataclass(frozen=True)
class Reconciled:
    """The orders of the last `RECONCILED_DAYS` days that both sides had to know. `read_to`: how far the shop's database was read,
    where one is. `differing` of those that arrived are not the same, `surplus` orders by events are no sale of the shop."""

    read_to: datetime | None
    orders: int
    arrived: int
    differing: int
    surplus: int
    revenue: Decimal
    arrived_revenue: Decimal

    @property
    def missing(self) -> int:
        """How many orders of the shop did not arrive."""
        return self.orders - self.arrived


def reconciled(connection: Connection) -> Reconciled | None:
    """How the two stand; None where no shop is connected."""
    with transaction(connection) as cursor:
        cursor.execute(_KNOWN)
        known = cursor.fetchone()
        if not known:
            return None
        read_to, last = known
        cursor.execute(_COUNTED, (last - timedelta(days=RECONCILED_DAYS), last))
        return Reconciled(read_to, *cursor.fetchone())  # type: ignore[misc]


def sentence(found: Reconciled | None) -> str:
    """That in words; nothing where no shop is connected."""
    if found is None:
        return ""
    if not found.orders:
        return f"No order of the last {RECONCILED_DAYS} days is one that both sides had to know."
    shares = f"{_percent(found.arrived, found.orders)} of {found.orders:,} orders"
    if found.revenue:
        shares += f" and {_percent(found.arrived_revenue, found.revenue)} of revenue"
    rest = [
        (found.missing, "did not"),
        (found.differing, "differ" if found.differing > 1 else "differs"),
        (
            found.surplus,
            "by events are no sale of the shop" if found.surplus > 1 else "by events is no sale of the shop",
        ),
    ]
    told = "; ".join(f"{count:,} {words}" for count, words in rest if count)
    return f"{shares} arrived by events in {RECONCILED_DAYS} days{'; ' + told if told else ''}."


def _percent(part: Decimal | int, whole: Decimal | int) -> str:
    """Rounded down: 100.0 % is all of them."""
    return f"{(100 * Decimal(part) / Decimal(whole)).quantize(Decimal('0.1'), ROUND_DOWN)} %"

"""The shop's orders and those of events, counted and in words (view `daily_reconciliation`)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_DOWN, Decimal

from clickstream_dagster.settings import RECONCILED_DAYS
from clickstream_dagster.warehouse.connection import Connection, transaction

#: Money in the shop's currency alone. The days end with the last one of which both sides know anything.
_COUNTED = """
    select
        min(shop_readings.read_to), coalesce(sum(daily.orders), 0)::integer, coalesce(sum(daily.arrived), 0)::integer,
        coalesce(sum(daily.differing), 0)::integer, coalesce(sum(daily.surplus), 0)::integer,
        coalesce(sum(daily.revenue) filter (where daily.currency = shop_settings.currency), 0),
        coalesce(sum(daily.arrived_revenue) filter (where daily.currency = shop_settings.currency), 0)
    from shop_readings
    cross join shop_settings
    cross join data_freshness
    cross join lateral (
        select least(data_freshness.complete_to, upper(shop_readings.known)) at time zone shop_settings.timezone as known_to
    ) as last
    left join daily_reconciliation as daily
        on daily.local_date > last.known_to::date - %s and daily.local_date <= last.known_to::date
    where not isempty(shop_readings.known)
    having count(*) > 0
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
        cursor.execute(_COUNTED, (RECONCILED_DAYS,))
        found = cursor.fetchone()
    return Reconciled(*found) if found else None


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

"""What the generator knows to be true of its own traffic, to hold the tables against."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from clickstream_dagster.local.traffic.browser import Event, Hit

LATE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Sale:
    """An order or a refund: its money."""

    order_id: str
    currency: str
    value: Decimal


@dataclass(frozen=True, slots=True)
class Truth:
    """What one request holds. `duplicates` are good events whose id was sent before; `conflicts` are those among them
    that differ from the first copy. `reloads` are purchases that a reload of the thank-you page sent anew."""

    events: int
    malformed: int = 0
    duplicates: int = 0
    conflicts: int = 0
    reloads: int = 0
    bots: int = 0
    late: int = 0
    visitors: frozenset[str] = frozenset()
    exposed: frozenset[str] = frozenset()
    orders: tuple[Sale, ...] = ()
    refunds: tuple[Sale, ...] = ()


def truth_of(hits: list[Hit], received_at: datetime, *, is_bot: bool = False, is_retry: bool = False) -> Truth:
    """Count what a request holds."""
    good = [hit for hit in hits if hit.mark != "malformed"]
    conflicts = sum(hit.mark == "conflict" for hit in good)
    return Truth(
        events=len(hits),
        malformed=len(hits) - len(good),
        duplicates=len(good) if is_retry else conflicts,
        conflicts=conflicts,
        reloads=0 if is_retry else sum(hit.mark == "reload" and hit.event["event_name"] == "purchase" for hit in good),
        bots=len(good) if is_bot else 0,
        late=sum(received_at - hit.at > LATE for hit in good),
        visitors=frozenset() if is_bot else frozenset(hit.event["client_id"] for hit in good),
        exposed=frozenset() if is_bot else frozenset(h.event["client_id"] for h in good if "experiment" in h.event),
        orders=_sales(good, "purchase"),
        refunds=_sales(good, "refund"),
    )


def _sales(hits: Iterable[Hit], name: str) -> tuple[Sale, ...]:
    orders: list[Event] = [hit.event["order"] for hit in hits if hit.event["event_name"] == name]
    return tuple(Sale(order["id"], order["currency"], order["value"]) for order in orders)


@dataclass(slots=True)
class Sent:
    """What was sent and how it was answered. Counts of events, unless the name says otherwise."""

    requests: int = 0
    events: int = 0
    accepted: int = 0
    rejected: int = 0
    malformed: int = 0
    duplicates_sent: int = 0
    conflicts: int = 0
    reloads: int = 0
    bots: int = 0
    late: int = 0
    statuses: dict[int, int] = field(default_factory=dict)
    rejected_by_code: dict[str, int] = field(default_factory=dict)
    orders_by_id: dict[str, Sale] = field(default_factory=dict)
    refunds_by_id: dict[str, Sale] = field(default_factory=dict)
    visitors_seen: set[str] = field(default_factory=set)
    exposed_seen: set[str] = field(default_factory=set)

    @property
    def distinct_events(self) -> int:
        """The rows that the warehouse must end with."""
        return self.accepted - self.duplicates_sent

    @property
    def visitors(self) -> int:
        """Browsers of people, without bots."""
        return len(self.visitors_seen)

    @property
    def exposed(self) -> int:
        """Browsers that were shown a variant of the experiment."""
        return len(self.exposed_seen)

    @property
    def orders(self) -> int:
        """Distinct orders; reloads and retries add none."""
        return len(self.orders_by_id)

    @property
    def refunds(self) -> int:
        """Distinct orders of which something was given back."""
        return len(self.refunds_by_id)

    @property
    def revenue_by_currency(self) -> dict[str, Decimal]:
        """Gross revenue of the distinct orders."""
        return _money(self.orders_by_id)

    @property
    def refunded_by_currency(self) -> dict[str, Decimal]:
        """What was given back."""
        return _money(self.refunds_by_id)

    def count(self, truth: Truth) -> None:
        """Add what one request held."""
        self.requests += 1
        self.events += truth.events
        self.malformed += truth.malformed
        self.duplicates_sent += truth.duplicates
        self.conflicts += truth.conflicts
        self.reloads += truth.reloads
        self.bots += truth.bots
        self.late += truth.late
        self.visitors_seen |= truth.visitors
        self.exposed_seen |= truth.exposed
        self.orders_by_id.update((sale.order_id, sale) for sale in truth.orders)
        self.refunds_by_id.update((sale.order_id, sale) for sale in truth.refunds)


def _money(sales: dict[str, Sale]) -> dict[str, Decimal]:
    totals: dict[str, Decimal] = {}
    for sale in sales.values():
        totals[sale.currency] = totals.get(sale.currency, Decimal(0)) + sale.value
    return dict(sorted(totals.items()))

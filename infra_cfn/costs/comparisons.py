"""The same bill next to others': what a cut saves, what a NAT gateway adds, what peers publish for the same traffic."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from infra_cfn.costs import assumptions as a
from infra_cfn.costs.bill import CENT, Traffic, analytics, costs, total
from infra_cfn.costs.prices import Price

Prices = Mapping[str, Price]
GROWING = ("EBS, its disks", "EBS, daily snapshots", "S3, nightly backups")
MONTHS_IF_PRUNED = Decimal(3)
LARGE_BATCH = Decimal(10)
TICK_LIMIT = 900  # Lambda's


@dataclass(frozen=True)
class Compared:
    """One row of the table of peers. Ours has no price where a tick would not end before Lambda ends it."""

    peer: str
    basis: str
    theirs: Decimal
    ours: Traffic
    dollars: Decimal | None
    source: str


def cuts(traffic: Traffic, prices: Prices, discount: Decimal) -> dict[str, Decimal]:
    """Dollars a month that each cut saves, each by itself, at list price."""
    rows = costs(analytics(traffic), prices, is_free_tier=False)
    endpoint = prices["endpoint_hours"].of(a.HOURS)
    batched = Traffic(traffic.events, LARGE_BATCH, traffic.months_kept)
    pruned = costs(analytics(Traffic(traffic.events, months_kept=MONTHS_IF_PRUNED)), prices, is_free_tier=False)
    saved = {
        "endpoint": endpoint,
        "plan": rows["EC2, warehouse machine"] * discount,
        "backups": rows["S3, nightly backups"],
        "batches": total(rows) - total(costs(analytics(batched), prices, is_free_tier=False)),
        "pruned": sum((rows[row] - pruned[row] for row in GROWING), Decimal(0)),
    }
    return {name: dollars.quantize(CENT) for name, dollars in saved.items()}


def nat(prices: Prices, zones: int) -> Decimal:
    """A NAT gateway and its address in each zone, before anything goes through."""
    hourly = prices["nat_hours"].of(a.HOURS) + prices["address_hours"].of(a.HOURS)
    return (zones * hourly).quantize(CENT)


def peers(table: Mapping[str, Any]) -> Iterator[Compared]:
    """What peers publish, and our list price for the same traffic."""
    solution, serverless = table["peers"]["aws_solution"], table["peers"]["serverless"]
    for rps, parts in solution["published"].items():
        batch = Decimal(solution["events_per_request"])
        events = rps * batch * 3600 * a.HOURS
        # Their warehouse holds one month, so ours does.
        yield _compared(solution, {"rps": rps}, parts, Traffic(events, batch, Decimal(1)), table["prices"])
    for views, parts in serverless["published"].items():
        yield _compared(serverless, {"views": views}, parts, Traffic(views * a.EVENTS_PER_PAGE), table["prices"])


def _compared(
    peer: Mapping[str, Any], words: dict[str, int], parts: list[str], traffic: Traffic, prices: Prices
) -> Compared:
    theirs = sum((Decimal(part) for part in parts), Decimal(0))
    ours = total(costs(analytics(traffic), prices, is_free_tier=False)) if traffic.tick_seconds < TICK_LIMIT else None
    return Compared(peer["name"], peer["basis"].format(**words), theirs, traffic, ours, peer["source"])

"""docs/costs.md, from the price table and the assumptions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from infra_cfn.costs import assumptions as a
from infra_cfn.costs.bill import Traffic, analytics, costs, firewall, often, shop, total
from infra_cfn.costs.comparisons import GROWING, TICK_LIMIT, cuts, nat, peers

#: The words; every number in braces is computed.
TEMPLATE = Path(__file__).with_name("template.md")
VOLUMES = {"10 thousand": 10_000, "1 million": 1_000_000, "100 million": 100_000_000}
BY_USE = ("API", "Lambda", "Data out", "S3, one", "S3, raw", "CloudWatch, logs")
CUTS = {
    "endpoint": "`ssmmessages` endpoint only while someone works (of the two)",
    "plan": "one-year Compute Savings Plan, nothing in advance",
    "backups": "no nightly backups: the daily snapshots stay",
    "batches": f"ten events in a request instead of {a.EVENTS_PER_REQUEST:.1f}",
    "pruned": "three months in the tables instead of twelve (`clickstream expire`)",
}


def bills(table: Mapping[str, Any], *, is_free_tier: bool = False) -> dict[str, dict[str, Decimal]]:
    """The analytics' rows for each volume."""
    return {
        name: costs(analytics(Traffic(Decimal(events))), table["prices"], is_free_tier=is_free_tier)
        for name, events in VOLUMES.items()
    }


def text(table: Mapping[str, Any]) -> str:
    """The whole page."""
    listed, free = bills(table), bills(table, is_free_tier=True)
    small, middle = listed["10 thousand"], listed["1 million"]
    cut = {
        name: cuts(Traffic(Decimal(n)), table["prices"], Decimal(table["savings_plan"]["discount"]))
        for name, n in VOLUMES.items()
    }
    return TEMPLATE.read_text(encoding="utf-8").format(
        by_use=" / ".join(_money(_by_use(rows)) for rows in listed.values()),
        endpoints=_money(small["Interface endpoints"]),
        small_machine=_money(small["EC2, warehouse machine"]),
        least=_money(total(free["10 thousand"])),
        leaner=_money(total(free["10 thousand"]) - cut["10 thousand"]["endpoint"] - cut["10 thousand"]["plan"]),
        totals=" / ".join(_money(total(rows)) for rows in listed.values()),
        bill=_table(("Service", *_heads()), _bill_rows(listed, free)),
        shop=_table(("The shop's own", *VOLUMES), _plain_rows(table, shop)),
        firewall=_table(("Switch: CloudFront and WAF before the API", *VOLUMES), _plain_rows(table, firewall)),
        often=_table(("Switch: a tick every five minutes", *VOLUMES), _plain_rows(table, often)),
        sizes=_table(("", *VOLUMES), _sizes()),
        cuts=_table(("Cut, each by itself", *VOLUMES), _cut_rows(cut)),
        both_endpoints=_money(2 * cut["1 million"]["endpoint"]),
        puts=_money(listed["100 million"]["S3, one PUT for each request"]),
        nat_one=_money(nat(table["prices"], 1)),
        nat_two=_money(nat(table["prices"], 2)),
        nat_over=_money(nat(table["prices"], 1) - middle["Interface endpoints"]),
        object_bytes=f"{a.RAW_BYTES_PER_EVENT * a.EVENTS_PER_REQUEST:,.0f}",
        peers=_table(
            ("Who", "Traffic", "Theirs", "Ours, list price", "Events a month here"), _peer_rows(table), numbers=":---"
        ),
        visit_requests=a.VISIT_REQUESTS,
        limit=TICK_LIMIT,
        kept=_money(_kept_beside_the_solution(table)),
        sources="\n".join(f"- {peer['name']}: <{peer['source']}>" for peer in table["peers"].values()),
        prices=_table(
            ("For", "US dollars", "Free", "As of", "Checked", "Published by AWS"), _price_rows(table), numbers=":---"
        ),
    )


def _kept_beside_the_solution(table: Mapping[str, Any]) -> Decimal:
    """Disk, snapshots and backups of the first comparison with AWS's solution."""
    rows = costs(analytics(next(peers(table)).ours), table["prices"], is_free_tier=False)
    return sum((rows[row] for row in GROWING), Decimal(0))


def _by_use(rows: Mapping[str, Decimal]) -> Decimal:
    return sum((dollars for row, dollars in rows.items() if row.startswith(BY_USE)), Decimal(0))


def _heads() -> Iterator[str]:
    for name in VOLUMES:
        yield name
        yield "free tier"


def _bill_rows(
    listed: Mapping[str, Mapping[str, Decimal]], free: Mapping[str, Mapping[str, Decimal]]
) -> Iterator[list[str]]:
    for row in next(iter(listed.values())):
        yield [row, *(_money(bill[name][row]) for name in VOLUMES for bill in (listed, free))]
    yield ["**Analytics**", *(f"**{_money(total(bill[name]))}**" for name in VOLUMES for bill in (listed, free))]


def _plain_rows(table: Mapping[str, Any], lines: Any) -> Iterator[list[str]]:
    found = [costs(lines(Traffic(Decimal(n))), table["prices"], is_free_tier=False) for n in VOLUMES.values()]
    for row in found[0]:
        yield [row, *(_money(rows[row]) for rows in found)]


def _sizes() -> Iterator[list[str]]:
    traffic = [Traffic(Decimal(events)) for events in VOLUMES.values()]
    yield ["requests a month", *(f"{one.requests:,.0f}" for one in traffic)]
    yield ["machine", *(f"`{one.machine}`" for one in traffic)]
    yield ["both databases after twelve months, GB", *(f"{one.warehouse_gb:,.0f}" for one in traffic)]
    yield ["data disk, GB", *(f"{one.disk_gb:,.0f}" for one in traffic)]
    yield [
        "raw events after twelve months, GB",
        *(f"{one.events_kept * a.RAW_BYTES_PER_EVENT / a.GB:,.1f}" for one in traffic),
    ]
    yield ["a tick, seconds", *(f"{one.tick_seconds:,.0f}" for one in traffic)]


def _cut_rows(cut: Mapping[str, Mapping[str, Decimal]]) -> Iterator[list[str]]:
    for key, words in CUTS.items():
        yield [words, *(f"−{_money(cut[name][key])}" for name in VOLUMES)]


def _peer_rows(table: Mapping[str, Any]) -> Iterator[list[str]]:
    for one in peers(table):
        ours = (
            _money(one.dollars) if one.dollars is not None else f"no: a tick would take {one.ours.tick_seconds:,.0f} s"
        )
        yield [one.peer, one.basis, _money(one.theirs), ours, f"{one.ours.events:,.0f}"]


def _price_rows(table: Mapping[str, Any]) -> Iterator[list[str]]:
    for price in table["prices"].values():
        per = f"{price.per:,} {price.unit}" if price.per != 1 else price.unit
        free = f"{price.free:,}" if price.free else ""
        yield [per, f"{price.price:f}", free, price.as_of, "yes" if price.checked else "**no**", f"<{price.published}>"]


def _money(dollars: Decimal) -> str:
    return f"{dollars:,.2f}"


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]], numbers: str = "---:") -> str:
    names = list(heads)
    lines = [names, ["---", *[numbers] * (len(names) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)

"""The cost page: it is current, its sums add up, and what it says in words is what the numbers say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal as D
from typing import Any

import pytest

from infra_cfn.costs import chart, page, prices
from infra_cfn.costs.bill import Line, Traffic, analytics, costs, firewall, shop, total
from infra_cfn.costs.comparisons import TICK_LIMIT, cuts, nat, peers
from infra_cfn.costs.cost import PAGE, written

VOLUMES = [D(events) for events in page.VOLUMES.values()]
PRICE = re.compile(r"\**(−?[\d,]+\.\d\d)\**")


@pytest.fixture(scope="module")
def table() -> dict[str, Any]:
    return prices.read()


def price(**changed: Any) -> prices.Price:
    given = {
        "price": D(2),
        "per": D(10),
        "unit": "",
        "free": D(0),
        "as_of": "",
        "published": "",
        "checked": True,
        "seen": "",
    }
    return prices.Price(**{**given, **changed})


def rows_of(text: str, head: str) -> Iterator[list[str]]:
    """The cells of the table whose head begins so."""
    lines = text[text.index(f"| {head} |") :].splitlines()[2:]
    for line in lines:
        if not line.startswith("|"):
            return
        yield [cell.strip() for cell in line.strip("|").split("|")]


def test_the_page_and_its_chart_are_current() -> None:
    stale = [file.name for file, content in written().items() if file.read_text(encoding="utf-8") != content]
    assert stale == [], "run python -m infra_cfn.costs.cost"


def test_each_printed_column_adds_up_to_its_printed_total() -> None:
    *rows, last = rows_of(PAGE.read_text(encoding="utf-8"), "Service")
    assert len(rows) > 10
    assert last[0] == "**Analytics**"
    for column in range(1, len(last)):
        found = [PRICE.fullmatch(row[column]) for row in (*rows, last)]
        amounts = [D(match[1].replace(",", "")) for match in found if match]
        assert len(amounts) == len(rows) + 1
        assert sum(amounts[:-1]) == amounts[-1] > 10


def test_a_row_is_quantity_by_price_to_the_cent() -> None:
    lines = [Line("one", "p", D(37)), Line("one", "q", D(1)), Line("two", "p", D(3))]
    found = costs(lines, {"p": price(), "q": price(price=D("0.004"), per=D(1))}, is_free_tier=False)
    assert found == {"one": D("7.40"), "two": D("0.60")}
    assert total(found) == D("8.00")


def test_what_is_free_is_given_once_and_shared_by_its_rows() -> None:
    lines = [Line("one", "p", D(300)), Line("two", "p", D(100))]
    assert costs(lines, {"p": price(free=D(200))}, is_free_tier=True) == {"one": D("30.00"), "two": D("10.00")}
    assert costs(lines, {"p": price(free=D(900))}, is_free_tier=True) == {"one": D("0.00"), "two": D("0.00")}


@pytest.mark.parametrize(
    ("row", "dollars"),
    [
        ("API Gateway, HTTP API", "2.00"),  # two million requests at a dollar a million
        ("S3, one PUT for each request", "10.00"),  # at five dollars a million; and 730 objects of operations
        ("Interface endpoints", "14.60"),  # two, 730 hours, a cent
        ("EC2, warehouse machine", "24.53"),  # 730 hours at 3.36 cents
    ],
)
def test_rows_that_can_be_computed_by_hand(table: dict[str, Any], row: str, dollars: str) -> None:
    traffic = Traffic(D(1_000_000), events_per_request=D("0.5"))
    assert costs(analytics(traffic), table["prices"], is_free_tier=False)[row] == D(dollars)


def test_every_price_says_when_and_where(table: dict[str, Any]) -> None:
    for one in table["prices"].values():
        assert one.price > 0
        assert one.per > 0
        assert date(2024, 1, 1) <= date.fromisoformat(one.as_of) <= date.today()
        assert one.published.startswith("https://aws.amazon.com/")
        assert one.unit
        assert one.seen
        assert one.seen != "known" or not one.checked


def test_every_price_is_used_and_every_used_one_is_known(table: dict[str, Any]) -> None:
    used = {
        line.price
        for n in (*VOLUMES, D(5_000_000))
        for lines in (analytics, shop, firewall)
        for line in lines(Traffic(n))
    }
    assert used | {"nat_hours", "nat_gb"} == set(table["prices"])


def test_the_page_marks_the_prices_that_nobody_checked(table: dict[str, Any]) -> None:
    marks = [row[4] for row in rows_of(PAGE.read_text(encoding="utf-8"), "For")]
    assert marks == ["yes" if one.checked else "**no**" for one in table["prices"].values()]
    assert {"yes", "**no**"} == set(marks)


@pytest.mark.parametrize("events", VOLUMES)
def test_the_chart_has_all_of_the_bill(table: dict[str, Any], events: D) -> None:
    rows = costs(analytics(Traffic(events)), table["prices"], is_free_tier=False)
    assert sum(chart.parts(rows).values()) == total(rows)


def test_more_events_never_cost_less_and_the_free_tier_never_more(table: dict[str, Any]) -> None:
    listed, free = page.bills(table), page.bills(table, is_free_tier=True)
    totals = [total(rows) for rows in listed.values()]
    assert totals == sorted(totals)
    for name, rows in listed.items():
        assert all(D(0) <= free[name][row] <= dollars for row, dollars in rows.items())


def test_what_the_page_says_in_words_is_so(table: dict[str, Any]) -> None:
    small, middle, large = page.bills(table).values()
    assert small["Interface endpoints"] > small["EC2, warehouse machine"]
    assert page._by_use(small) < page._by_use(middle) < 5 < total(small)
    stands = [rows["Interface endpoints"] + rows["EC2, warehouse machine"] for rows in (small, middle, large)]
    assert stands[0] > total(small) / 2
    assert stands[1] > total(middle) / 2
    kept = sum(large[row] for row in ("EBS, its disks", "EBS, daily snapshots", "S3, nightly backups"))
    assert kept == max(kept, *(dollars for row, dollars in large.items()))
    assert Traffic(VOLUMES[1]).events_kept <= D("1.2") * 10_000_000
    assert nat(table["prices"], 1) > middle["Interface endpoints"]


def test_the_peers_that_the_page_calls_cheaper_are(table: dict[str, Any]) -> None:
    solution, too_much, *serverless = peers(table)
    assert solution.theirs == D("330.76")
    assert solution.dollars is not None
    assert solution.dollars > solution.theirs
    assert too_much.dollars is None
    assert too_much.ours.tick_seconds > TICK_LIMIT
    assert len(serverless) == 3
    assert all(one.dollars is not None and one.dollars > one.theirs for one in serverless)


@pytest.mark.parametrize("events", VOLUMES)
def test_a_cut_saves_something_and_no_more_than_there_is(table: dict[str, Any], events: D) -> None:
    whole = total(costs(analytics(Traffic(events)), table["prices"], is_free_tier=False))
    assert all(0 < saved < whole for saved in cuts(Traffic(events), table["prices"], D("0.27")).values())

"""The page of experiments against the events: each visitor's story is walked through, and counted by hand."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect

from clickstream_dagster.cli.serving import reader_environment
from clickstream_dagster.local.traffic.journeys import EXPERIMENT
from clickstream_dagster.stack import Stack
from dashboard_site import Site, settled
from ingest_lambda.contract import Order
from noise import Amounts
from pages import experiment_blocks, experiment_rows
from pages.experiment_rows import Experiment
from pages.experiment_verdict import Variant
from periods import Period
from queries import Warehouse, dsn
from support.stories import event, tell
from view import View

VIEW = View("experiments", Period(date(2026, 2, 20), date(2026, 3, 12)), date(2026, 2, 13))
VIEWS = [
    VIEW,
    replace(VIEW, bots=True, period=Period(date(2026, 3, 1), date(2026, 3, 20))),
    replace(VIEW, channel=("direct", "paid search"), device=("desktop",)),
]
SHOWN = """
    select e.visitor_id, e.variant, e.event_timestamp, s.is_bot, s.channel, s.device_type
    from clickstream_events as e
    inner join fact_sessions as s
        on s.visitor_id = e.visitor_id and e.event_timestamp between s.started_at and s.ended_at
    where e.experiment = %(experiment)s order by e.event_timestamp
"""
ORDERS = "select visitor_id, ordered_at, is_bot, currency, revenue - refunded from fact_orders order by ordered_at"


def ask(stack: Stack, rows: Any, *arguments: Any) -> Any:
    """What a page's function gives. In a thread of its own, since Playwright keeps an event loop in this one."""
    warehouse = Warehouse(dsn(reader_environment(stack)))
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(rows(warehouse, *arguments))).result()


@pytest.mark.parametrize("view", VIEWS)
def test_variants_are_those_of_the_events(site: Site, view: View) -> None:
    orders = defaultdict(list)
    for visitor, at, is_bot, currency, net in site.rows(ORDERS):
        orders[visitor, is_bot].append((at, currency, net))
    seen: dict[str, Any] = {}
    for visitor, variant, at, is_bot, channel, device in site.rows(SHOWN, experiment=EXPERIMENT):
        seen.setdefault(visitor, (variant, at, is_bot, channel, device))
    expected: dict[str, list[Decimal]] = defaultdict(list)
    bought: dict[str, int] = defaultdict(int)
    for visitor, (variant, first, is_bot, channel, device) in seen.items():
        day = first.astimezone(ZoneInfo("Europe/Berlin")).date()
        is_chosen = (not view.channel or channel in view.channel) and (not view.device or device in view.device)
        if not (view.period.start <= day <= view.period.end and is_chosen and (view.bots or not is_bot)):
            continue
        mine = [order for order in orders[visitor, is_bot] if first <= order[0] <= first + timedelta(days=30)]
        bought[variant] += bool(mine)
        in_dollars = bool(mine) and mine[0][1] == "USD"
        expected[variant].append(sum((net for _, c, net in mine if c == "USD" and in_dollars), Decimal(0)))
    [found] = ask(site.stack, experiment_rows.experiments, view)
    assert (found.name, [one.name for one in found.variants]) == (EXPERIMENT, ["control", "badges"])
    for one in found.variants:
        spent = expected[one.name]
        assert (one.visitors, one.buyers) == (len(spent), bought[one.name])
        assert one.money.total == pytest.approx(float(sum(spent)))
        assert one.money.squares == pytest.approx(float(sum(net * net for net in spent)))
    assert min(one.visitors for one in found.variants) > 10


def test_the_page_says_that_it_is_not_enough_yet(site: Site, page: Page) -> None:
    page.goto(f"{site.url}?page=experiments&from=2026-02-20&to=2026-03-12")
    settled(page)
    [found] = ask(site.stack, experiment_rows.experiments, VIEW)
    block = page.locator(".experiment")
    expect(block).to_have_count(1)
    expect(block.locator("h2")).to_contain_text(EXPERIMENT)
    expect(block.locator(".verdict")).to_contain_text("Not enough yet")
    rows = block.locator("tbody tr")
    for place, one in enumerate(found.variants):
        expect(rows.nth(place)).to_contain_text(one.name)
        expect(rows.nth(place).locator("td").nth(1)).to_have_text(f"{one.visitors:,}")


def test_what_names_are_like_is_never_html(make_stack: Callable[..., Stack], site: Site) -> None:
    stack = make_stack()
    name = "<img src=x onerror=alert(1)>"
    tell(stack, event("1 10:00", experiment=name, variant="'; drop table x;--"), event("1 10:00", visitor="bob"))
    view = View("experiments", Period(date(2026, 4, 1), date(2026, 4, 20)))
    shown, _ = ask(stack, experiment_blocks.blocks, view)
    assert "<img" not in str(shown)
    assert "&lt;img" in str(shown)
    later = replace(view, period=Period(date(2026, 4, 10), date(2026, 4, 20)))
    assert "Choose other dates" in str(ask(stack, experiment_blocks.blocks, later)[0])


def test_who_sends_nothing_is_told_what_to_send(make_stack: Callable[..., Stack]) -> None:
    stack = make_stack()
    tell(stack, event("1 10:00", "purchase", order=Order(id="o", value=Decimal(5))))
    shown, _ = ask(stack, experiment_blocks.blocks, replace(VIEW, period=Period(date(2026, 4, 1), date(2026, 4, 20))))
    assert "No event names an experiment yet" in str(shown)
    assert "experiment_viewed" in str(shown)


def made(*visitors: int, mixed: int = 0, more: int = 0, other_orders: int = 0) -> Experiment:
    variants = [
        Variant(f"v{n}", many, many // 10, many // 10, Amounts(many, 1.0 * many, 2.0 * many))
        for n, many in enumerate(visitors)
    ]
    return Experiment("cart", tuple(variants), date(2026, 3, 1), date(2026, 3, 14), mixed, more, other_orders)


@pytest.mark.parametrize(
    ("experiment", "faults", "notes"),
    [
        (made(500, 500), [], []),
        (made(5_000, 4_000), ["The split is not what chance gives (5,000 to 4,000)"], []),
        (made(500, 500, mixed=5), [], ["5 visitors who were shown several variants are in none"]),
        (made(500, 500, mixed=50), ["50 visitors (4.8 %) were shown several variants"], []),
        (made(mixed=3), ["3 visitors (100.0 %) were shown several variants"], []),
        (made(500, more=3, other_orders=7), [], ["3 variants with fewer", "7 orders in other currencies are not"]),
    ],
)
def test_what_is_unsound_is_told(experiment: Experiment, faults: list[str], notes: list[str]) -> None:
    for told, said in (
        (experiment_blocks.faults(experiment), faults),
        (experiment_blocks.notes(experiment), notes),
    ):
        assert len(told) == len(said)
        assert all(text.startswith(start) for text, start in zip(told, said, strict=True))


def test_a_handful_is_pale_and_has_no_difference() -> None:
    shown = str(experiment_blocks.block(made(29, 300), "USD"))
    assert shown.count('class="few"') == 1
    assert " points</" not in shown and " points<small" not in shown
    assert " points<small" in str(experiment_blocks.block(made(30, 300), "USD"))

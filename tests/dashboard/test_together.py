"""Products together: the worked examples of `cases/together.md`, and a shop's baskets counted pair by pair."""

from __future__ import annotations

import asyncio
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from clickstream_dagster.cli.serving import reader_environment
from clickstream_dagster.stack import Stack
from dashboard_site import Site
from ingest_lambda.contract import Event, Order, OrderItem, Product
from noise import difference, wilson
from pages import pair_rows, together
from periods import Period
from queries import Warehouse, dsn
from support import golden
from support.stories import DAY, GOOGLEBOT, event, five_weeks, rows, tell
from view import View

FIRST = date(2026, 2, 13)
VIEW = View("products", Period(date(2026, 2, 20), date(2026, 3, 19)), FIRST)
VIEWS = [
    VIEW,
    replace(VIEW, bots=True, period=Period(date(2026, 3, 10), date(2026, 3, 19))),
    replace(VIEW, device=("desktop",), channel=("direct", "organic search", "paid search")),
]
_LINE = re.compile(r"(\d+) (bots )?(buy|view): (.*)")


def cases() -> Iterator[tuple[str, list[str], list[str]]]:
    for title, told in golden.cases(Path(__file__).parent / "cases" / "together.md"):
        yield title, [line for line in told if "|" not in line], [line for line in told if "|" in line]


def _events(lines: list[str]) -> Iterator[Event]:
    number = 0
    for line in lines:
        found = _LINE.fullmatch(line)
        assert found, line
        times, bots, verb, products = found.groups()
        for _ in range(int(times)):
            number += 1
            more: dict[str, Any] = {"visitor": f"v{number}", "user_agent": GOOGLEBOT if bots else None}
            moment = DAY + timedelta(minutes=number)
            if verb == "view":
                for id in products.split(", "):
                    yield event(moment, "view_product", product=Product(id=id), **more)
            else:
                items = [OrderItem(product_id=id, price=Decimal(5)) for id in products.split(", ")]
                yield event(moment, "purchase", order=Order(id=f"o{number}", items=items), **more)


def ask(stack: Stack, rows: Any, *arguments: Any) -> Any:
    """What a page's function gives. In a thread of its own, since Playwright keeps an event loop in this one."""
    warehouse = Warehouse(dsn(reader_environment(stack)))
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(rows(warehouse, *arguments))).result()


def written(row: Any) -> str:
    """As `together.md` writes it."""

    def percent(value: float) -> str:
        return f"{100 * value:.2f}"

    return (
        f"{row.product} + {row.other} | {row.together} of {row.baskets_of_product} | {percent(row.support)} % | "
        f"{percent(row.confidence)} % ({percent(row.confidence_low)} to {percent(row.confidence_high)}) | "
        f"{percent(row.confidence_back)} % | {row.lift:.2f} ({row.lift_low:.2f} to {row.lift_high:.2f}) | {row.word}"
    )


@pytest.mark.parametrize(
    ("title", "story", "expected"), list(cases()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_worked_example(stack: Stack, title: str, story: list[str], expected: list[str]) -> None:
    tell(stack, *_events(story))
    view = View("products", Period(DAY.date(), DAY.date()), DAY.date())
    for baskets in ("bought", "person"):
        frame = ask(stack, pair_rows.pairs, view, baskets, "count")
        assert sorted(map(written, frame.itertuples())) == sorted(expected)


def test_what_a_person_buys_on_two_browsers_is_one_basket(stack: Stack) -> None:
    story = []
    for number in range(5):
        for day, thing in enumerate(("printer", "ink", "ink")):
            more = {"visitor": f"v{number}-{day}", "user_id": f"u{number}"}
            order = Order(id=f"o{number}-{day}", items=[OrderItem(product_id=thing, price=Decimal(5))])
            story.append(event(DAY + timedelta(days=day), "purchase", order=order, **more))
    tell(stack, *story)
    view = View("products", Period(DAY.date(), DAY.date() + timedelta(days=2)), DAY.date())
    assert ask(stack, pair_rows.pairs, view, "bought", "count").empty
    [row] = ask(stack, pair_rows.pairs, view, "person", "count").itertuples()
    assert (row.product, row.other, row.together, row.baskets) == ("ink", "printer", 5, 5)
    alone = replace(view, period=Period(DAY.date(), DAY.date()))
    assert ask(stack, pair_rows.pairs, alone, "person", "count").empty


_BOUGHT = """
    select {basket}, i.product_id, s.channel, coalesce(s.device_type, '(none)'), s.is_bot
    from fact_orders as o inner join fact_sessions as s using (session_key) inner join fact_order_items as i using (order_id)
    inner join dim_visitor as v on v.visitor_id = o.visitor_id
    where {date} between %s and %s and i.product_id is not null
"""
BASKETS = {
    "bought": _BOUGHT.format(basket="s.session_key", date="s.local_date"),
    "person": _BOUGHT.format(basket="v.person_id", date="o.local_date"),
    "viewed": """
        select s.session_key, e.product_id, s.channel, coalesce(s.device_type, '(none)'), s.is_bot
        from fact_sessions as s inner join clickstream_events as e
            on e.visitor_id = s.visitor_id and e.event_timestamp between s.started_at and s.ended_at
        where s.local_date between %s and %s and e.event_name = 'view_product' and e.product_id is not null
    """,
}


def compare(stack: Stack, view: View, kind: str) -> int:
    """The pairs that a page shows against those of the baskets, made one by one; how many there are."""
    baskets = defaultdict(set)
    for basket, product, channel, device, is_bot in rows(stack, BASKETS[kind], view.period.start, view.period.end):
        chosen = ((view.channel, channel), (view.device, device))
        if all(not values or value in values for values, value in chosen) and (view.bots or not is_bot):
            baskets[basket].add(product)
    alone = Counter(product for basket in baskets.values() for product in basket)
    together = Counter(frozenset(pair) for basket in baskets.values() for pair in combinations(basket, 2))
    told = {pair: number for pair, number in together.items() if number >= pair_rows.LEAST}
    frame = ask(stack, pair_rows.pairs, view, kind, "count")
    found = {frozenset((row.product_id, row.other_id)): row.together for row in frame.itertuples()}
    assert found.items() <= told.items()
    assert list(frame["together"]) == sorted(told.values(), reverse=True)[: pair_rows.SHOWN]
    for row in frame.itertuples():
        assert (row.baskets_of_product, row.baskets_of_other) == (alone[row.product_id], alone[row.other_id])
        assert row.together <= row.baskets_of_product <= row.baskets_of_other <= row.baskets == len(baskets)
        assert row.confidence_low <= row.confidence <= row.confidence_high
        lift = row.together * row.baskets / row.baskets_of_product / row.baskets_of_other
        assert row.lift == pytest.approx(lift)
    return len(told)


@pytest.mark.parametrize("view", VIEWS)
def test_pairs_of_a_shop_are_those_of_its_baskets(site: Site, view: View) -> None:
    assert compare(site.stack, view, "viewed") > 5


def test_pairs_of_a_random_history_are_those_of_its_baskets(stack: Stack) -> None:
    number = iter(range(10_000))

    def order(rng: random.Random, name: str) -> Order | None:
        lines = [OrderItem(product_id=rng.choice("abcdef"), price=Decimal(5)) for _ in range(rng.randint(1, 3))]
        return Order(id=f"o{next(number)}", items=lines) if name == "purchase" else None

    history = five_weeks(
        11,
        ("view_product", "view_product", "page_view", "purchase"),
        visitors=70,
        product=lambda rng, name: Product(id=rng.choice("abcdef")) if name == "view_product" else None,
        order=order,
        user_id=lambda rng, _: rng.choice((None, None, f"u{rng.randrange(30)}")),
    )
    tell(stack, *history)
    start = DAY.date() + timedelta(days=4)
    view = View("products", Period(start, start + timedelta(days=20)), DAY.date())
    for one in (view, replace(view, bots=True)):
        for kind in BASKETS:
            assert compare(stack, one, kind) > 5, kind
    for order_by in ("strength", "count"):
        chosen = view.with_option("products-pairs", order_by).with_option("products-baskets", "bought")
        assert together._draw(ask(stack, together._rows, chosen), chosen).to_json()


def test_by_lift_those_come_first_that_are_surely_above_chance_and_few_come_last(site: Site) -> None:
    frame = ask(
        site.stack, pair_rows.pairs, replace(VIEW, period=Period(FIRST, date(2026, 2, 20))), "viewed", "strength"
    )
    ranks = [(row.baskets_of_product >= 30, row.lift_low) for row in frame.itertuples()]
    assert ranks == sorted(ranks, reverse=True)
    assert len({is_enough for is_enough, _ in ranks}) == 2


def test_intervals_are_those_of_the_books() -> None:
    # Newcombe's examples: 81 of 263 (1998a, table I), and 56/70 against 48/80 (1998b, table II).
    found = wilson(81, 263), wilson(0, 20), difference(56, 70, 48, 80)
    ends = [value for interval in found if interval for value in (interval.low, interval.high)]
    assert ends == pytest.approx([0.2553, 0.3662, 0, 0.1611, 0.0524, 0.3339], abs=5e-5)
    assert difference(1, 2, 0, 0).has_zero

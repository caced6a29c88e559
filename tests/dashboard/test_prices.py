"""Price changes: the worked examples of `cases/prices.md`, and the page against the events."""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from clickstream_dagster.stack import Stack
from dashboard_site import Site, settled
from ingest_lambda.contract import Event, Product
from pages import price_rows
from pages import prices as prices_card
from periods import Period
from support import golden
from support.stories import DAY, event, five_weeks, rows, tell
from test_together import ask
from view import View

_LINE = re.compile(r"day (\d+): (\d+) view (\w+) at ([\d.]+), (\d+) add")


def cases() -> Iterator[tuple[str, list[str], list[str]]]:
    for title, told in golden.cases(Path(__file__).parent / "cases" / "prices.md"):
        yield title, [line for line in told if "|" not in line], [line for line in told if "|" in line]


def _events(lines: list[str]) -> Iterator[Event]:
    number = 0
    for line in lines:
        found = _LINE.fullmatch(line)
        assert found, line
        day, views, thing, price, adds = found.groups()
        for place in range(int(views)):
            number += 1
            moment = DAY + timedelta(days=int(day) - 1, minutes=number)
            about: dict[str, Any] = {"visitor": f"v{number}", "product": Product(id=thing, price=Decimal(price))}
            yield event(moment, "view_product", **about)
            if place < int(adds):
                yield event(moment + timedelta(seconds=30), "add_to_cart", **about)


def written(row: Any) -> str:
    """As `prices.md` writes it."""
    day = (row.since - DAY.date()).days + 1
    rates = f"{row.added_before} of {row.viewed_before}, then {row.added} of {row.viewed}"
    prices = f"{float(row.price_before):g} → {float(row.price):g} | {100 * row.change:.2f} %"
    return f"day {day} | {row.name} | {prices} | {rates} | {row.word} | {float(row.lowest):g} to {float(row.highest):g}"


@pytest.mark.parametrize(
    ("title", "story", "expected"), list(cases()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_worked_example(stack: Stack, title: str, story: list[str], expected: list[str]) -> None:
    tell(stack, *_events(story))
    view = View("products", Period(DAY.date(), DAY.date() + timedelta(days=9)), DAY.date())
    frame = ask(stack, price_rows.changes, view)
    assert [written(row) for row in frame.itertuples()] == expected


#: The last price that a session was told of a product.
PRICES = """
    select distinct on (s.session_key, e.product_id) s.local_date, e.product_id, e.product_price
    from fact_sessions as s
    inner join clickstream_events as e on e.visitor_id = s.visitor_id and e.event_timestamp between s.started_at and s.ended_at
    where s.local_date between %s and %s and not s.is_bot and e.product_price is not null
    order by s.session_key, e.product_id, e.event_timestamp desc, e.event_id
"""


def test_changes_of_a_random_history_are_those_of_its_days(stack: Stack) -> None:
    def about(rng: random.Random, _: str) -> Product:
        return Product(id=rng.choice("abc"), price=rng.choice((None, Decimal(10), Decimal("10.00"), Decimal(12))))

    tell(stack, *five_weeks(2, ("view_product", "view_product", "add_to_cart"), visitors=60, product=about))
    view = View("products", Period(DAY.date() + timedelta(days=3), DAY.date() + timedelta(days=30)), DAY.date())
    told: dict[tuple[str, Any], Counter[Decimal]] = defaultdict(Counter)
    for day, product, price in rows(stack, PRICES, view.period.start, view.period.end):
        told[product, day][price] += 1
    last: dict[str, Decimal] = {}
    expected = []
    for (product, day), prices in sorted(told.items()):
        _, price = max((number, price) for price, number in prices.items())
        if last.get(product, price) != price:
            expected.append((day, product, last[product], price))
        last[product] = price
    frame = ask(stack, price_rows.changes, view)
    found = [(row.since, row.product_id, row.price_before, row.price) for row in frame.itertuples()]
    assert sorted(found) == sorted(expected)
    assert len(found) > 10
    assert [day for day, *_ in found] == sorted((day for day, *_ in found), reverse=True)
    assert prices_card._draw(frame, view).to_json()


def test_the_page_says_that_no_price_has_changed(site: Site, page: Page) -> None:
    page.goto(f"{site.url}?page=products&from=2026-03-10&to=2026-03-14")
    settled(page)
    expect(page.locator("#products_prices-part")).to_contain_text("No product had another price")

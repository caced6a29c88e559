"""What a session viewed, bought and searched for in turn: worked examples, and a second opinion on a random history."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from clickstream_dagster.stack import Stack
from ingest_lambda.contract import Event, Order, OrderItem, Product
from support import golden
from support.stories import event, five_weeks, rows, tell, visits

CASES = sorted((Path(__file__).parent / "together").glob("*.txt"))


def told(lines: list[str]) -> Iterator[Event]:
    """A line is: day time visitor event, and what it is about: a product, an order and its lines, or a term and its results."""
    for line in lines:
        day, time, visitor, name, *rest = line.split()
        about = " ".join(rest)
        if name == "search":
            term, _, results = about.partition("|")
            props = {"results": int(results)} if results else None
            yield event(f"{day} {time}", name, visitor, search_query=term, props=props)
        elif name == "purchase":
            items = [OrderItem(product_id=None if id == "-" else id, price=Decimal(5)) for id in rest[1:]]
            yield event(f"{day} {time}", name, visitor, order=Order(id=rest[0], items=items))
        elif name == "view_item_list":
            yield event(f"{day} {time}", name, visitor, items=[OrderItem(product_id=about)])
        else:
            yield event(f"{day} {time}", name, visitor, product=Product(id=about) if about else None)


@pytest.mark.parametrize("is_backwards", golden.ORDERS.values(), ids=golden.ORDERS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_events_come_to_what_the_file_says(stack: Stack, case: Path, is_backwards: bool) -> None:
    golden.check(stack, case, told, is_backwards)


def test_of_more_than_thirty_products_the_last_ones_are_kept(stack: Stack) -> None:
    ids = [f"p{number:02}" for number in range(32)]
    views = [event(f"1 10:{minute:02}", "view_product", product=Product(id=id)) for minute, id in enumerate(ids)]
    lines = [OrderItem(product_id=id, price=Decimal(1)) for id in ids]
    tell(stack, *views, event("1 10:40", "purchase", visitor="bob", order=Order(id="o1", items=lines)))
    found = "select viewed, bought, is_limit_reached from fact_session_baskets order by viewed desc"
    assert rows(stack, found) == [(ids[2:], [], True), ([], ids[:30], True)]
    tell(stack, event("1 10:41", "view_product", product=Product(id="p00")))  # looked at again, after the others
    assert rows(stack, found)[0] == (["p00", *ids[3:]], [], True)


def test_an_order_that_goes_to_another_session_leaves_the_first(stack: Stack) -> None:
    late = event("1 12:00", "purchase", order=Order(id="o1", items=[OrderItem(product_id="mouse", price=Decimal(5))]))
    tell(stack, late)
    found = "select session_key, bought from fact_session_baskets"
    [(before, bought)] = rows(stack, found)
    assert bought == ["mouse"]
    tell(
        stack, event("1 10:00", "purchase", order=Order(id="o1", items=[OrderItem(product_id="mat", price=Decimal(5))]))
    )
    [(after, bought)] = rows(stack, found)
    assert bought == ["mat", "mouse"]
    assert before != after


def _about(rng: random.Random, name: str) -> Product | None:
    return Product(id=rng.choice("abcd")) if name in ("view_product", "purchase") else None


def test_lists_and_ways_are_what_the_events_say(stack: Stack) -> None:
    names = ("search", "search", "search", "click", "view_product", "view_product", "purchase")
    history = five_weeks(
        5,
        names,
        visitors=50,
        search_query=lambda rng, name: (
            rng.choice(("Mouse", "mouse ", "board", "cable", "")) if name == "search" else None
        ),
        props=lambda rng, name: {"results": rng.choice((0, 4))} if name == "search" else None,
        product=_about,
    )
    for part in range(3):
        tell(stack, *history[part::3])
    baskets: Counter[tuple[str, str]] = Counter()
    ways: Counter[tuple[str, str, bool, bool, bool]] = Counter()
    for visit in visits(history):
        lists = {
            name: sorted({one.product.id for one in visit.events if one.event_name == name and one.product})
            for name in ("view_product", "purchase")
        }
        if any(lists.values()):
            baskets[str(lists["view_product"]), str(lists["purchase"])] += 1
        ways.update(_ways(list(visit.events)))
    found = rows(stack, "select viewed, bought, count(*) from fact_session_baskets group by 1, 2")
    assert {(str(viewed), str(bought)): number for viewed, bought, number in found} == baskets
    columns = "term, next_term, is_without_results, is_clicked, has_purchase"
    found = rows(stack, f"select {columns}, count(*) from fact_session_refinements group by {columns}")
    assert {tuple(row[:-1]): row[-1] for row in found} == ways
    assert len(ways) > 20


def _ways(events: list[Event]) -> Iterator[tuple[str, str, bool, bool, bool]]:
    """The refinements of one session, by walking through it."""
    searches: list[dict[str, object]] = []
    for one in sorted(
        events, key=lambda one: (one.event_timestamp, not (one.search_query or "").strip(), one.event_id)
    ):
        if one.event_name == "search" and (one.search_query or "").strip():
            is_empty = (one.props or {}).get("results") == 0
            term = (one.search_query or "").strip().lower()
            searches.append({"term": term, "is_empty": is_empty, "is_clicked": False, "bought": False})
        elif one.event_name in ("click", "view_product") and searches:
            searches[-1]["is_clicked"] = True
        elif one.event_name == "purchase":
            for search in searches:
                search["bought"] = True
    found: dict[tuple[str, str], list[bool]] = {}
    for one_search, following in pairwise(searches):
        if one_search["term"] != following["term"]:
            flags = found.setdefault((str(one_search["term"]), str(following["term"])), [False, False, False])
            for place, flag in enumerate((one_search["is_empty"], following["is_clicked"], following["bought"])):
                flags[place] |= bool(flag)
    for (term, other), (is_empty, is_clicked, bought) in found.items():
        yield term, other, is_empty, is_clicked, bought

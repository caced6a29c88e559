"""An order that the browser and the shop's own server both tell of, each in its own words, is one order; and it is placed where
the browser was."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from clickstream_dagster.stack import Stack
from support.posting import post
from support.stories import rows

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:143.0) Gecko/20100101 Firefox/143.0"
SERVER = "WordPress/6.4; https://shop.example"


def browser(value: Any, *items: tuple[Any, ...], **more: Any) -> dict[str, Any]:
    return _purchase(value, items, client_id="ann", user_agent=FIREFOX, **more)


def server(value: Any, *items: tuple[Any, ...], **more: Any) -> dict[str, Any]:
    return _purchase(value, items, user_id="7", user_agent=SERVER, **more)


def _purchase(value: Any, items: tuple[tuple[Any, ...], ...], **more: Any) -> dict[str, Any]:
    lines = [dict(zip(("product_id", "price", "quantity", "name"), item, strict=False)) for item in items]
    order = {"id": "A", **({"value": value} if value is not None else {}), **({"items": lines} if lines else {})}
    return {"event_name": "purchase", "order": order, **more}


@pytest.mark.parametrize(
    ("name", "bodies", "expected"),
    [
        ("other ids", [browser(70, ("MUG", 50), ("CUP", 20)), server(70, (93, 50), (94, 20))], (70, 70)),
        ("other ids, one line", [browser(50, ("MUG", 50)), server(50, (93, 50))], (50, 50)),
        ("net and gross", [browser("89.62", (93, "89.62")), server(95, (93, 95))], (95, 95)),
        ("a price to the cent", [browser(8.4, (93, 8.4)), server(10, (93, "8.403361"))], (10, "8.403361")),
        (
            "a price that differs",
            [browser(None, ("a", 10), ("b", 20), ("c", 30)), server(None, ("a", 10), ("b", 20), ("c", 31))],
            (61, 61),
        ),
        ("by name only", [browser(50, (None, 50, 1, "Mug")), server(50, ("m", 50, 1, "Mug"))], (50, 50)),
        ("the server without lines", [browser(None, ("a", 50)), server(55)], (55, 50)),
        ("the browser without lines", [browser(60), server(None, ("a", 50))], (60, 50)),
        ("a reload and the server", [browser(50, ("a", 50)), browser(50, ("a", 50)), server(50, (1, 50))], (50, 50)),
        ("the fuller one has the lines", [browser(70, ("MUG", 50), ("CUP", 20)), server(70, (93, 70))], (70, 70)),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_two_who_tell_of_an_order(stack: Stack, name: str, bodies: list[Any], expected: Any, turned: bool) -> None:
    post(stack, *(reversed(bodies) if turned else bodies))
    found = rows(
        stack,
        "select revenue, (select sum(revenue) from fact_order_items as i where i.order_id = o.order_id) from fact_orders as o",
    )
    assert found == [tuple(Decimal(str(amount)) for amount in expected)]


@pytest.mark.parametrize("first", ["server", "browser"])
def test_an_order_is_placed_where_the_browser_was(stack: Stack, first: str) -> None:
    seen = {
        "event_name": "page_view",
        "client_id": "ann",
        "user_agent": FIREFOX,
        "page_url": "https://shop.example/?gclid=1",
    }
    told = {"server": server(50), "browser": browser(50)}
    post(stack, seen, told.pop(first), *told.values())
    assert rows(stack, "select visitor_id, channel, device_type from fact_orders") == [
        ("ann", "paid search", "desktop")
    ]
    assert rows(stack, "select visitor_id, order_count from fact_sessions order by 1") == [("7", 0), ("ann", 1)]


def test_a_server_alone_places_an_order(stack: Stack) -> None:
    post(stack, server(50))
    assert rows(stack, "select visitor_id, revenue from fact_orders") == [("7", 50)]


def test_a_value_that_all_lines_come_to_is_the_order_s(stack: Stack) -> None:
    post(stack, browser(130, ("x", 100)), browser(None, ("y", 30)))
    assert rows(stack, "select revenue from fact_orders") == [(130,)]


def test_two_users_of_one_visit_are_not_merged(stack: Stack) -> None:
    view = {"event_name": "page_view", "client_id": "shared", "user_agent": FIREFOX}
    post(stack, {**view, "user_id": "u-1"}, {**view, "user_id": "u-2"})
    assert rows(stack, "select person_id from dim_visitor") == [("shared",)]

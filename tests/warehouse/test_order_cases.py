"""Orders as shops send them: through the collector, into the tables. Each came out wrong once."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from clickstream_dagster.stack import Stack
from support.posting import post
from support.stories import rows


def purchase(order: Any = None, **more: Any) -> dict[str, Any]:
    return {"event_name": "purchase", "client_id": "ann", **({"order": order} if order else {}), **more}


def refund(order: Any, **more: Any) -> dict[str, Any]:
    return {"event_name": "refund", "client_id": "ann", "order": order, **more}


def item(product: str, price: Any, quantity: Any = 1) -> dict[str, Any]:
    return {"product_id": product, "price": price, "quantity": quantity}


def orders(stack: Stack) -> list[tuple[Any, ...]]:
    """Id, revenue, items' own sum, adjustment, refunded; each adds up to the cent."""
    found = rows(
        stack,
        """
        select order_id, revenue, coalesce((select sum(revenue) from fact_order_items as i where i.order_id = o.order_id), 0),
            adjustment, refunded
        from fact_orders as o order by order_id
        """,
    )
    assert all(revenue == items + adjustment for _, revenue, items, adjustment, _ in found)
    return [(order, float(revenue), float(items), float(refunded)) for order, revenue, items, _, refunded in found]


@pytest.mark.parametrize(
    ("name", "bodies", "expected"),
    [
        (
            "a line in each event",
            [purchase({"id": "A", "items": [line]}) for line in (item("x", 25), item("y", 50, 2), item("z", 10, 3))],
            (155, 155),
        ),
        (
            "the same thank-you page three times",
            [purchase({"id": "A", "value": 50, "items": [item("x", 50)]})] * 3,
            (50, 50),
        ),
        ("a coupon on the order", [purchase({"id": "A", "value": 80, "items": [item("x", 100)]})], (80, 100)),
        ("tax and shipping", [purchase({"id": "A", "value": 120, "items": [item("x", 100)]})], (120, 100)),
        ("without an amount, then with one", [purchase({"id": "A"}), purchase({"id": "A", "value": 120})], (120, 0)),
        ("with an amount, then without one", [purchase({"id": "A", "value": 120}), purchase({"id": "A"})], (120, 0)),
        ("float noise in the value", [purchase({"id": "A", "value": 304.55999999999995})], (304.56, 0)),
        (
            "float noise in a price",
            [purchase({"id": "A", "items": [item("x", 8.403361344537815)]})],
            (8.403361, 8.403361),
        ),
        ("zeros beyond the sixth decimal", [purchase({"id": "A", "value": "19.9900000"})], (19.99, 0)),
        ("blanks around a number", [purchase({"id": "A", "value": " 59.97"})], (59.97, 0)),
        (
            "a line below zero",
            [purchase({"id": "A", "value": 90, "items": [item("x", 100), item("coupon", -10)]})],
            (90, 100),
        ),
        (
            "a line below zero and no value",
            [purchase({"id": "A", "items": [item("x", 100), item("c", -10)]})],
            (90, 100),
        ),
        ("a fraction of a piece", [purchase({"id": "A", "value": 15, "items": [item("x", 10, 1.5)]})], (15, 15)),
        ("a whole number as text", [purchase({"id": "A", "items": [item("x", 10, "2.0")]})], (20, 20)),
        ("a line of no piece", [purchase({"id": "A", "items": [item("x", 10, 0), item("y", 5)]})], (5, 5)),
        ("a currency sign", [purchase({"id": "A", "value": 12, "currency": "€"})], (12, 0)),
        ("a country's name", [purchase({"id": "A", "value": 12}, geo={"country": "Germany"})], (12, 0)),
        (
            "many lines",
            [purchase({"id": "A", "value": 501, "items": [item(f"p{n}", 1) for n in range(501)]})],
            (501, 501),
        ),
        (
            "a long name",
            [purchase({"id": "A", "items": [{**item("x", 7), "name": "n" * 513}]})],
            (7, 7),
        ),
        ("order_id and value beside", [purchase(order_id="A", value=50)], (50, 0)),
        ("order_value", [purchase(order_id="A", order_value=50)], (50, 0)),
        ("total", [purchase(order_id="A", total=50)], (50, 0)),
        ("revenue", [purchase(order_id="A", revenue=50)], (50, 0)),
        ("order.revenue", [purchase({"id": "A", "revenue": 50})], (50, 0)),
        ("sku and unit_price", [purchase({"id": "A", "items": [{"sku": "x", "unit_price": 50}]})], (50, 50)),
        ("products beside", [purchase({"id": "A"}, products=[{"sku": "x", "unit_price": 25, "qty": 2}])], (50, 50)),
        ("ids with blanks", [purchase({"id": " A", "value": 5}), purchase({"id": "A ", "value": 5})], (5, 0)),
        (
            "two lines that are the same in one event",
            [purchase({"id": "A", "items": [item("x", 5), item("x", 5)]})],
            (10, 10),
        ),
        (
            "a reload that lost its prices",
            [
                purchase({"id": "A", "items": [item("x", 5, 2)]}),
                purchase({"id": "A", "items": [{"id": "x", "qty": 2}]}),
            ],
            (10, 10),
        ),
        (
            "the same total with each line",
            [purchase({"id": "A", "value": 90, "items": [line]}) for line in (item("x", 60), item("y", 40))],
            (90, 100),
        ),
        (
            "a discount that is named, and no value",
            [purchase({"id": "A", "discount": 10, "items": [item("x", 60)]})],
            (50, 60),
        ),
    ],
)
def test_an_order_comes_out_as_the_shop_meant_it(
    stack: Stack, name: str, bodies: list[dict[str, Any]], expected: tuple[float, float]
) -> None:
    assert all(reply["status"] == 200 and reply["accepted"] == 1 for reply in post(stack, *bodies)), name
    assert orders(stack) == [("A", *expected, 0)]


SOLD = purchase({"id": "R", "value": 120, "items": [item("a", 100), item("b", 20)]})


@pytest.mark.parametrize(
    ("bodies", "refunded"),
    [
        ([refund({"id": "R", "items": [{"product_id": "b", "quantity": 1}]})], 20),
        ([refund({"id": "R", "items": [item("b", 15)]})], 15),
        ([refund({"id": "R"}, product={"id": "b"})], 20),
        ([refund({"id": "R", "value": -33.95})], 33.95),
        ([refund({"id": "R", "items": [item("b", -20)]})], 20),
        ([refund({"id": "R", "items": [item("b", 20, -1)]})], 20),
        ([refund({"id": "R", "value": 30})] * 2, 30),
        ([refund({"id": "R", "value": 30}), refund({"id": "R", "value": 31})], 61),
        ([refund({"id": "R", "value": 30}, ts="2026-03-14T15:08:00Z"), refund({"id": "R", "value": 30})], 60),
        ([refund({"id": "R", "value": 30}), refund({"id": "R", "value": "30.00"})], 30),
        ([refund({"id": "R", "value": 10, "refund_id": number}) for number in ("re_1", "re_2", "re_1")], 20),
        ([refund({"id": "R", "value": 0, "items": [{"product_id": "b", "quantity": 1}]})], 20),
        ([refund({"id": "R"})], 120),
        ([refund({"id": "R", "value": 500})], 120),
    ],
)
def test_what_is_given_back(stack: Stack, bodies: list[dict[str, Any]], refunded: float) -> None:
    post(stack, SOLD, *bodies)
    assert orders(stack) == [("R", 120, 120, refunded)]
    [(by_item,)] = rows(stack, "select sum(refunded) from fact_order_items")
    assert float(by_item) == refunded


def test_tax_shipping_discount_and_coupon_are_kept(stack: Stack) -> None:
    said = {"id": "A", "value": 117, "tax": 19, "shipping": "4.90", "discount": -6.9, "coupon": "SPRING"}
    post(stack, purchase({**said, "items": [item("x", 100)]}))
    found = rows(stack, "select revenue, tax, shipping, discount, coupon, adjustment from fact_orders")
    assert found == [(117, 19, Decimal("4.90"), Decimal("6.9"), "SPRING", 17)]


def test_a_purchase_without_id_and_amount_is_accepted_and_warned_of(stack: Stack) -> None:
    [reply] = post(stack, purchase())
    assert (reply["accepted"], reply["rejected"], reply["errors"]) == (1, 0, [])
    assert {one["code"] for one in reply["warnings"]} == {"missing_order_id", "missing_amount"}
    assert all(one["index"] == 0 and one["message"] for one in reply["warnings"])
    assert rows(stack, "select loaded, warned, warnings_by_code from etl_ledger where loaded > 0") == [
        (1, 1, {"missing_order_id": 1, "missing_amount": 1})
    ]


@pytest.mark.parametrize(
    ("order", "field"),
    [
        ({"id": "A", "value": 5, "currency": "€"}, "order.currency"),
        ({"id": "A", "value": 5, "items": ["sku-1", item("x", 5)]}, "order.items[0]"),
        ({"id": "A", "value": 5, "items": [item("x", "free"), item("y", 5)]}, "order.items[0].price"),
        ({"id": "A", "value": 5, "tax": "19 %"}, "order.tax"),
    ],
)
def test_what_cannot_be_read_lies_in_props_and_the_order_stands(
    stack: Stack, order: dict[str, Any], field: str
) -> None:
    [reply] = post(stack, purchase(order))
    assert [(one["field"]) for one in reply["warnings"]] == [field]
    assert [order[:2] for order in orders(stack)] == [("A", 5)]
    [(props, warnings)] = rows(stack, "select props, warnings from clickstream_events")
    assert warnings[0]["field"] == field
    assert props["order"]


def test_lists_and_several_products_in_one_event(stack: Stack) -> None:
    both = [item("p1", 10), item("p2", 20)]
    post(
        stack,
        {
            "event_name": "view_item_list",
            "client_id": "ann",
            "list_name": "Sale",
            "items": [*both, item("p3", 5), item("p1", 10)],
        },
        {"event_name": "select_item", "client_id": "ann", "items": [item("p2", 20)]},
        {"event_name": "view_product", "client_id": "ann", "product": {"id": "p2", "price": 20}},
        {"event_name": "add_to_cart", "client_id": "ann", "items": both},
    )
    found = rows(
        stack,
        """
        select product_id, impressions, shown_sessions, clicked_sessions, views, added_sessions
        from agg_daily_products order by product_id
        """,
    )
    assert found == [("p1", 1, 1, 0, 0, 1), ("p2", 1, 1, 1, 1, 1), ("p3", 1, 1, 0, 0, 0)]

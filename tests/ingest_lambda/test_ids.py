"""What stands where an id should be, and would make one of all strangers who have it."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from ingest_lambda import contract
from ingest_lambda.contract import Event, Reject
from ingest_lambda.fields import identifier
from ingest_lambda.normalize import normalize

NOW = datetime(2026, 3, 14, 15, 9, 26, tzinfo=UTC)
NOBODY = (
    *('"null"', "'undefined'", "undefined.undefined", "NaN.NaN", "0.0", "null,null", "GA1.2.undefined.undefined"),
    *(
        "{{client_id}}",
        "${clientId}",
        "%CLIENT_ID%",
        "<%= id %>",
        "[CLIENT_ID]",
        "{client_id}",
        "#REF!",
        "{}",
        "[]",
        ".",
    ),
    *(
        "not_authenticated",
        "distinct_id",
        "Gast",
        "anonymous_user",
        "No Client ID",
        "amp-undefined",
        "[object Undefined]",
    ),
    *("00000000", "00000000-0000-0000-0000-000000000000", "1.23457E+11", "N.A.", "\u2014", "(null)"),
)
SOMEBODY = (
    *("00", "guest-1", "user-17", "a b", "nancy", "GA1.2.123.456", "3f2a", "-5", "0.5", "anna", "test", "c_1", "12E5"),
    *(
        "{C6EF3124-B53A-4B13-A233-0088F79DCBCB}",
        "auth0|5f",
        "%7B17%7D",
        "Günther",
        "11111111-0000-0000-0000-000000000000",
    ),
)
NO_ORDER = ("(not set)", "N/A", "n/a", "undefined", '"null"', "null.null", "#N/A", "unknown", "{}", "-")
UNFILLED = ("{{ order.id }}", "{% order %}", "${orderId}", "%ORDER%", "<%= id %>", "1.23457E+11", "[email]")
ORDERS = (
    "0",
    "-1",
    "guest",
    "#1001",
    "R-0001",
    "gid://shopify/Order/450789469",
    "A/2026/17",
    "object",
    "Summer set",
    "1E5",
)


def purchase(order: dict[str, Any], salt: str = "pepper") -> Event:
    return normalize({"event_name": "purchase", "client_id": "c", "order": order}, received_at=NOW, salt=salt)


@pytest.mark.parametrize("nobody", NOBODY)
def test_what_is_nobody_is_no_visitor(nobody: str) -> None:
    assert identifier(nobody, "client_id") is None


@pytest.mark.parametrize("somebody", SOMEBODY)
def test_somebody_is_a_visitor(somebody: str) -> None:
    assert identifier(somebody, "client_id") == somebody


@pytest.mark.parametrize("given", NO_ORDER)
def test_a_word_for_none_is_no_order(given: str) -> None:
    event = purchase({"id": given, "value": 5})
    assert event.order is not None
    assert event.order.id is None
    assert [one.code for one in event.warnings] == ["missing_order_id"]


@pytest.mark.parametrize("given", UNFILLED)
def test_what_was_not_filled_in_is_no_order_and_lies_in_props(given: str) -> None:
    event = purchase({"id": given, "value": 5, "items": [{"id": given, "name": "Mug", "price": 5}]})
    assert event.order is not None
    assert (event.order.id, event.order.items[0].product_id) == (None, None)
    assert {(one.code, one.field) for one in event.warnings} >= {
        ("invalid_order", "order.id"),
        ("missing_order_id", "order.id"),
    }
    assert event.props is not None
    assert event.props["order"]["id"]


@pytest.mark.parametrize("given", ORDERS)
def test_an_order_keeps_its_id(given: str) -> None:
    event = purchase({"id": given, "value": 5, "items": [{"product_id": given, "price": 5}]})
    assert event.order == contract.Order(
        id=given, value=Decimal(5), items=[contract.OrderItem(product_id=given, price=Decimal(5))]
    )


@pytest.mark.parametrize(
    "pair",
    [
        ("anna@example.com", "bob@example.org"),
        ("17-anna@example.com", "18-bob@example.org"),
        ("+49 170 1234567", "+49 170 1234568"),
        ("ghp_" + "a1" * 18, "ghp_" + "b2" * 18),
    ],
)
def test_an_order_that_tells_who_somebody_is_becomes_a_hash_of_its_own(pair: tuple[str, str]) -> None:
    first, again, other = (
        purchase({"id": text, "value": 5, "items": [{"id": text, "price": 5}]}) for text in (pair[0], *pair)
    )
    assert first.order == again.order != other.order
    assert first.order is not None
    assert first.order.id == first.order.items[0].product_id
    assert str(first.order.id).startswith("h_")
    assert pair[0] not in contract.encode(first).decode()
    shown = normalize({"event_name": "view", "client_id": "c", "product": {"id": pair[0]}}, received_at=NOW, salt="s")
    assert str(shown.product and shown.product.id).startswith("h_")


def test_without_a_key_such_an_id_goes_with_a_warning() -> None:
    event = purchase({"id": "anna@example.com", "value": 5, "items": [{"id": "a@b.example", "price": 5}]}, salt="")
    assert event.order == contract.Order(value=Decimal(5), items=[contract.OrderItem(price=Decimal(5))])
    assert {(one.code, one.field) for one in event.warnings} == {
        ("invalid_order", "order.id"),
        ("invalid_items", "order.items"),
        ("missing_order_id", "order.id"),
    }


def test_a_visitor_of_a_template_gives_way_to_the_next_best() -> None:
    given = {"event_name": "page_view", "client_id": "{{client_id}}", "session_id": "s-1"}
    assert normalize(given, received_at=NOW).visitor_id == "s-1"
    del given["session_id"]
    with pytest.raises(Reject, match="client_id"):
        normalize(given, received_at=NOW)

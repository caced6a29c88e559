"""Three dialects, one event."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4, uuid5

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingest_lambda import contract
from ingest_lambda.contract import Event, Reject
from ingest_lambda.dialects.tables import EVENT_NAMESPACE
from ingest_lambda.normalize import accept, normalize

NOW = datetime(2026, 3, 14, 15, 9, 26, tzinfo=UTC)


def read(**fields: Any) -> Event:
    return normalize({"event_name": "page_view", "client_id": "c-1", **fields}, received_at=NOW, salt="pepper")


def code(**fields: Any) -> str:
    with pytest.raises(Reject) as reason:
        read(**fields)
    assert reason.value.code in contract.REASONS
    return reason.value.code


def test_camel_case_dialect(sample: Callable[[str], Any]) -> None:
    event = normalize(sample("camel_purchase"), received_at=NOW, salt="")
    assert event.event_id == UUID("0d7f0a86-1b64-4f0f-9d7c-6f0d2f9c5a10")
    assert event.user_id == "123456789012345678901"
    assert event.is_first_visit is False
    assert event.order is not None
    assert (event.order.id, event.order.value, event.order.currency) == ("A-1", Decimal("59.97"), "EUR")
    assert event.order.items == [contract.OrderItem(product_id="sku-1", quantity=3, price=Decimal("19.99"))]
    assert event.order.coupon == "SPRING"
    assert event.props == {"order": {"items": [{"colour": "red"}]}}
    assert event.page_url == "https://shop.example/thanks?order_id=4111111111111111"


def test_v1_dialect(sample: Callable[[str], Any]) -> None:
    event = normalize(sample("v1_view"), received_at=NOW, salt="")
    assert (event.event_name, event.client_id, event.user_id) == ("view_product", "anon-1", None)
    assert event.product == contract.Product(id="sku-123", category="Shoes", price=Decimal("79.99"))
    assert (event.currency, event.quantity, event.search_query) == ("USD", 1, "running shoes")
    assert event.device == contract.Device(type="mobile")
    assert event.geo == contract.Geo(country="VN")
    assert event.props is None


@pytest.mark.parametrize(
    ("product", "name"), [({"id": "sku-1"}, "view_product"), ({"name": "x"}, "page_view"), (None, "page_view")]
)
def test_a_view_is_of_a_product_or_of_a_page(product: Any, name: str) -> None:
    assert read(event_name="view", product=product).event_name == name


def test_what_the_contract_does_not_name_is_kept_under_its_parent() -> None:
    event = read(
        colour="red", product={"id": 1, "size": {"eu": 42}}, ecom={"voucher": "X"}, props={"a": None, "colour": "blue"}
    )
    assert event.props == {
        "colour": "red",
        "colour_": "blue",
        "product": {"size": {"eu": 42}},
        "ecom": {"voucher": "X"},
        "a": None,
    }


def test_the_contracts_own_word_wins_and_the_other_is_kept() -> None:
    event = read(clientId="c-2", userId="u-2", user_id="u-1")
    assert (event.client_id, event.user_id, event.props) == ("c-1", "u-1", {"clientId": "c-2", "userId": "u-2"})


@pytest.mark.parametrize("nothing", [None, "", "null", "undefined", "[object Object]"])
def test_an_id_that_means_none_is_none(nothing: Any) -> None:
    assert read(user_id=nothing).user_id is None


NOBODY = (
    *(
        "NULL",
        "null",
        r"\N",
        "nan",
        "NaN",
        "none",
        "None",
        "0",
        0,
        "-1",
        "guest",
        "GUEST",
        "(not set)",
        " ",
        "\u00a0",
        "\ufeff",
    ),
    *("undefined ", "Undefined", "00000000-0000-0000-0000-000000000000", "anonymous", "[object Object]", "(none)"),
)


@pytest.mark.parametrize("nobody", NOBODY)
def test_an_id_that_is_nobodys_gives_way_to_the_next_best_and_the_event_is_refused_without_one(nobody: Any) -> None:
    assert read(client_id=nobody, clientId=None, session_id="s-1").visitor_id == "s-1"
    assert read(client_id=nobody, clientId=None, session_id=nobody, user_id="u-1").visitor_id == "u-1"
    with pytest.raises(Reject) as refused:
        normalize({"event_name": "page_view", "client_id": nobody, "user_id": nobody}, received_at=NOW)
    assert refused.value.code == "missing_visitor"


def test_ids_are_stripped_and_number_0_may_be_an_order() -> None:
    order, product = {"id": " ORD-9\t"}, {"id": "0"}
    event = read(event_name="purchase", client_id=" c-7 ", clientId=None, order=order, product=product)
    assert event.client_id == "c-7"
    assert (event.order and event.order.id, event.product and event.product.id) == ("ORD-9", "0")


@pytest.mark.parametrize("somebody", ["00", "10", "guest-1", "nancy", "nullable", "-", "a b"])
def test_an_id_that_only_looks_like_nobodys_is_kept(somebody: str) -> None:
    assert (read(user_id=somebody).user_id == somebody) is (somebody != "-")


@pytest.mark.parametrize(("number", "text"), [(42, "42"), (2**53 + 1, "9007199254740993"), (10**39, "1" + "0" * 39)])
def test_a_number_as_an_id_keeps_its_digits(number: int, text: str) -> None:
    line = json.dumps({"event_name": "purchase", "client_id": number, "order": {"id": number}}).encode()
    event = accept(line, received_at=NOW)
    assert (event.client_id, event.order and event.order.id) == (text, text)


@pytest.mark.parametrize(
    ("expected", "fields"),
    [
        ("missing_event_name", {"event_name": None}),
        ("invalid_event_name", {"event_name": "PageView"}),
        ("invalid_event_name", {"event_name": "page view"}),
        ("invalid_event_name", {"event_name": "'; drop table events; --"}),
        ("invalid_event_name", {"event_name": "x" * 65}),
        ("invalid_event_name", {"event_name": 7}),
        ("missing_visitor", {"client_id": None}),
        ("missing_visitor", {"client_id": ""}),
        ("invalid_client_id", {"client_id": True}),
        ("invalid_client_id", {"client_id": ["c"]}),
        ("too_long", {"client_id": "c" * 257}),
        ("invalid_event_id", {"event_id": "e-1"}),
        ("invalid_event_id", {"event_id": 7}),
        ("invalid_timestamp", {"event_timestamp": "yesterday"}),
        ("invalid_timestamp", {"event_timestamp": True}),
        ("invalid_timestamp", {"event_timestamp": "0001-01-01T00:00:00+14:00"}),
        ("invalid_timestamp", {"event_timestamp": 10**18}),
        ("invalid_timestamp", {"event_timestamp": {"$date": 1}}),
    ],
)
def test_what_is_rejected_and_why(expected: str, fields: dict[str, Any]) -> None:
    assert code(**fields) == expected


@pytest.mark.parametrize(
    ("expected", "field", "fields"),
    [
        ("invalid_price", "product.price", {"product": {"price": "12,50"}}),
        ("invalid_price", "product.price", {"product": {"price": -5}}),
        ("invalid_price", "product.price", {"product": {"price": True}}),
        ("invalid_price", "product.price", {"product": {"price": 10**9}}),
        ("invalid_price", "product.price", {"product": {"price": Decimal("1e400")}}),
        ("invalid_price", "order.value", {"order": {"value": "12 EUR"}}),
        ("invalid_price", "order.value", {"event_name": "purchase", "value": -5}),
        ("invalid_quantity", "quantity", {"quantity": 0}),
        ("invalid_quantity", "quantity", {"quantity": 1e9}),
        ("invalid_quantity", "quantity", {"quantity": 1.5}),
        ("invalid_currency", "currency", {"currency": "XXX"}),
        ("invalid_currency", "currency", {"currency": "EURO"}),
        ("invalid_currency", "currency", {"currency": "€"}),
        ("invalid_currency", "currency", {"currency": "uß"}),
        ("invalid_currency", "order.currency", {"order": {"currency": 978}}),
        ("invalid_geo", "geo.country", {"geo": {"country": "Germany"}}),
        ("invalid_product", "product", {"product": "sku-1"}),
        ("invalid_product", "product.name", {"product": {"name": {"en": "Mouse"}}}),
        ("invalid_items", "order.items", {"order": {"items": 7}}),
        ("invalid_is_first_visit", "is_first_visit", {"is_first_visit": "perhaps"}),
        ("invalid_page_url", "page_url", {"page_url": ["x"]}),
        ("invalid_timestamp", "client_timestamp", {"client_timestamp": "yesterday"}),
    ],
)
def test_an_odd_part_costs_itself_and_lies_in_props(expected: str, field: str, fields: dict[str, Any]) -> None:
    event = read(**fields)
    assert (expected, field) in [(warning.code, warning.field) for warning in event.warnings]
    assert expected in contract.WARNINGS
    assert event.props
    kept = str(event.props)
    value = fields
    while isinstance(value, dict):
        value = list(value.values())[-1]
    assert str(value) in kept
    assert contract.decode(contract.encode(event)) == event


@pytest.mark.parametrize(
    ("field", "fields", "left"),
    [
        ("page_url", {"page_url": "https://x/" + "x" * 4096}, 4096),
        ("referrer", {"referrer": "https://x/" + "x" * 4096}, 4096),
        ("page_title", {"page_title": "x" * 2049}, 2048),
    ],
)
def test_a_text_that_is_too_long_keeps_its_beginning_and_the_whole_lies_in_props(
    field: str, fields: dict[str, Any], left: int
) -> None:
    event = read(**fields)
    assert event.warnings == [contract.EventWarning("too_long", field)]
    assert getattr(event, field) == fields[field][:left]
    assert event.props == fields


def test_an_id_that_is_too_long_is_not_cut_since_that_would_make_two_things_one() -> None:
    event = read(event_name="purchase", order={"id": "o" * 300, "value": 5})
    assert event.order == contract.Order(value=Decimal(5))
    assert [warning.code for warning in event.warnings] == ["too_long", "missing_order_id"]
    assert event.props == {"order": {"id": "o" * 300}}


def test_a_warning_names_the_field_and_not_the_value() -> None:
    event = read(product={"price": "secret words"})
    assert event.warnings == [contract.EventWarning("invalid_price", "product.price")]


@pytest.mark.parametrize(
    ("given_price", "price"),
    [
        ("12.50", "12.50"),
        (0, "0"),
        ("0.000001", "0.000001"),
        (Decimal("1E+3"), "1000"),
        (Decimal("-0.0"), "0"),
        (19.99, "19.99"),
    ],
)
def test_a_price_is_exact(given_price: Any, price: str) -> None:
    product = read(product={"price": given_price}).product
    assert product is not None
    assert str(product.price) == price


@pytest.mark.parametrize(
    "moment",
    [
        "2026-03-14T15:00:00Z",
        "2026-03-14T22:00:00+07:00",
        "2026-03-14T15:00:00",
        "2026-03-14T14:59:60Z",
        1773500400,
        1773500400000,
        1773500400000000,
        "1773500400000",
        Decimal("1773500400.000"),
    ],
)
def test_a_time_in_any_of_its_spellings(moment: Any) -> None:
    event = read(timestamp=moment)
    assert event.event_timestamp == event.client_timestamp == datetime(2026, 3, 14, 15, tzinfo=UTC)
    assert event.time_source == "client"


def test_an_importer_gets_stable_ids_and_times() -> None:
    line = b'{"event":"page_view","user_id":"u","event_id":"evt-7","ts":"2019-01-01T00:00:00Z"}'
    event = accept(line, received_at=None, event_id_policy="uuid5")
    assert event.event_id == uuid5(EVENT_NAMESPACE, "evt-7")
    assert event.received_at == event.event_timestamp == datetime(2019, 1, 1, tzinfo=UTC)
    made = UUID(int=7)
    assert accept(b'{"event":"a","user_id":"u","ts":0}', received_at=None, make_event_id=lambda: made).event_id == made


def test_an_imported_event_needs_a_time() -> None:
    with pytest.raises(Reject) as reason:
        accept(b'{"event":"page_view","user_id":"u"}', received_at=None)
    assert reason.value.code == "missing_timestamp"


def test_a_stored_line_keeps_its_time_of_receipt_and_a_client_cannot_give_one() -> None:
    record = {"event_name": "a", "client_id": "c", "received_at": "2026-01-01T00:00:00Z", "time_source": "client"}
    assert accept(json.dumps(record).encode(), received_at=NOW).received_at == datetime(2026, 1, 1, tzinfo=UTC)
    event = normalize(record, received_at=NOW, salt="")
    assert event.received_at == NOW
    assert event.props == {"received_at": "2026-01-01 00:00:00+00:00", "time_source": "client"}


words = st.text(st.characters(codec="utf-8"), max_size=12)
numbers = (
    st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.decimals(allow_nan=False, allow_infinity=False)
)
values = st.recursive(
    st.none() | st.booleans() | numbers | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
)
ids = (
    st.sampled_from(
        ["A-1", "a@b.co", "{{ id }}", "+49 170 1234567", "(not set)", '"null"', "1.2E+11", "h_0", "[email]"]
    )
    | words
)
records = st.fixed_dictionaries(
    {
        "event_name": st.sampled_from(["view", "purchase", "refund", "view_item", "x"]),
        "client_id": st.sampled_from(["c", 7, "a@b.co"]),
    },
    optional={
        "event_timestamp": st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)).map(
            lambda moment: moment.isoformat()
        ),
        "product": st.dictionaries(st.sampled_from(["id", "name", "colour"]), words, max_size=3),
        "props": st.dictionaries(words, values, max_size=4),
        "order": st.fixed_dictionaries(
            {
                "items": st.lists(
                    st.fixed_dictionaries({"price": st.decimals(0, 999, places=2)}, optional={"id": ids}), max_size=2
                )
            },
            optional={"id": ids, "value": st.decimals(-9, 9, places=2)},
        ),
        "page_url": words,
        "user_id": words,
        "extra": values,
    },
)


@settings(deadline=None)
@given(records)
@example({"event_name": "view", "client_id": "c", "props": {"": 2.2920265025596388e16}})
def test_every_event_can_be_read_back_and_reads_the_same(record: dict[str, Any]) -> None:
    try:
        event = normalize(record, received_at=NOW, salt="pepper", make_event_id=uuid4)
    except Reject:
        return
    line = contract.encode(event)
    assert contract.encode(contract.decode(line)) == line
    assert accept(line, received_at=NOW, salt="pepper") == contract.decode(line)


def refund(order: dict[str, Any], **more: Any) -> Event:
    return normalize({"event_name": "refund", "client_id": "c", "order": order, **more}, received_at=NOW)


def test_refunds_that_differ_in_anything_they_say_are_two() -> None:
    same = {
        refund({"id": "R", "value": amount}, **more).event_id
        for amount in (30, "30.00", Decimal("30.0"), -30)
        for more in ({}, {"client_id": "d"}, {"received_at": "2026-03-14T15:00:00Z"})
    }
    others = [
        refund({"id": "R", "value": 30, "refund_id": "re_1"}),
        refund({"id": "R", "value": 30, "refund_id": "re_2"}),
        refund({"id": "R", "value": 30}, refund_id="re_1"),
        refund({"id": "R", "value": 30}, ts="2026-03-14T15:00:00Z"),
        refund({"id": "R", "value": 30.5}),
        refund({"id": "R", "items": [{"id": "a", "price": 30}]}),
    ]
    assert len(same) == 1
    assert len(same | {event.event_id for event in others}) == 1 + len(others)


def test_a_refund_of_0_does_not_say_how_much() -> None:
    event = refund({"id": "R", "value": 0, "items": [{"id": "a", "price": 20}]})
    assert event.order is not None
    assert (event.order.value, len(event.order.items)) == (None, 1)
    assert read(event_name="purchase", order={"id": "A", "value": 0}).order == contract.Order(id="A", value=Decimal(0))


def test_of_two_amounts_the_one_that_can_be_read_counts() -> None:
    event = read(event_name="purchase", order={"id": "A", "value": "1.299,00", "revenue": 1299.0})
    assert event.order is not None
    assert event.order.value == 1299
    assert event.warnings == [contract.EventWarning("invalid_price", "order.value")]
    assert event.props == {"order": {"value": "1.299,00"}}
    both = read(event_name="purchase", order={"id": "A", "revenue": "n. a.", "total": "12,50"})
    assert both.order == contract.Order(id="A")


@pytest.mark.parametrize("currency", ["USD ", " usd", "USD"])
@pytest.mark.parametrize("word", ["currency", "currency_code", "currencyCode"])
def test_a_currency_in_any_of_its_words(word: str, currency: str) -> None:
    order = read(event_name="purchase", order={"id": "A", "value": 5, word: currency}).order
    assert order == contract.Order(id="A", value=Decimal(5), currency="USD")
    assert read(**{word: currency}).currency == "USD"


def test_blanks_around_a_name_a_time_and_a_country_mean_nothing() -> None:
    event = read(event_name=" page_view\n", ts=" 2026-03-14T15:00:00Z ", geo={"country": "de "})
    assert (event.event_name, event.client_timestamp) == ("page_view", datetime(2026, 3, 14, 15, tzinfo=UTC))
    assert event.geo == contract.Geo(country="DE")
    assert event.warnings == []


@pytest.mark.parametrize(("pieces", "price"), [(1.5, "15.0"), ("0.5", "5.0"), (2, "10"), (0, None), ("many", "10")])
def test_an_order_of_a_part_of_a_piece_costs_a_part_of_its_price(pieces: Any, price: str | None) -> None:
    event = read(event_name="purchase", order={"id": "A"}, product={"id": "x", "price": 10}, quantity=pieces)
    assert (event.product and str(event.product.price)) == price
    shown = read(event_name="add_to_cart", product={"id": "x", "price": 10}, quantity=pieces).product
    assert shown == contract.Product(id="x", price=Decimal(10))


@pytest.mark.parametrize(
    ("said", "experiment", "variant", "props", "warning"),
    [
        ({"experiment": "cart", "variant": "control"}, "cart", "control", None, None),
        ({"experiment": "cart", "variant": 0}, "cart", "0", None, None),
        ({"experiment": "cart"}, None, None, {"experiment": "cart"}, "missing_variant"),
        ({"experiment": "cart", "variant": "(not set)"}, None, None, {"experiment": "cart"}, "missing_variant"),
        ({"variant": "brass"}, None, None, {"variant": "brass"}, None),
        ({"experiment": "x" * 129, "variant": "a"}, None, None, {"experiment": "x" * 129, "variant": "a"}, "too_long"),
        (
            {"experiment": ["x"], "variant": "a"},
            None,
            None,
            {"experiment": ["x"], "variant": "a"},
            "invalid_experiment",
        ),
        ({"variation_id": "77"}, None, None, {"variation_id": "77"}, None),
        ({"event_name": "experiment_viewed", "experimentId": "cart", "variationId": 1}, "cart", "1", None, None),
        (
            {"event_name": "experiment_viewed", "props": {"experiment_id": "cart", "variant_name": "B", "k": 1}},
            "cart",
            "B",
            {"k": 1},
            None,
        ),
        (
            {
                "event_name": "experiment_viewed",
                "props": {"experiment_id": None, "experiment_name": "cart", "variation_id": "", "variation_name": "B"},
            },
            "cart",
            "B",
            {"experiment_id": None, "variation_id": ""},
            None,
        ),
    ],
)
def test_an_experiment_and_its_variant_are_both_there_or_neither(
    said: dict[str, Any],
    experiment: str | None,
    variant: str | None,
    props: dict[str, Any] | None,
    warning: str | None,
) -> None:
    event = normalize({"event_name": "page_view", "client_id": "a", **said}, received_at=NOW)
    assert (event.experiment, event.variant, event.props) == (experiment, variant, props)
    assert [one.code for one in event.warnings] == ([warning] if warning else [])

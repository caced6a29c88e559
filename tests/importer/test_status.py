"""What was never paid is no purchase, and what was given back is a refund beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from clickstream_dagster.local.importer.document import ready
from clickstream_dagster.local.importer.mapping import MappingError
from ingest_lambda.contract import Event, Reject
from support.importing import outcomes, said

MAPPING = """
columns: {event_name: {column: kind, optional: true}, event_timestamp: day, client_id: who, order.id: number, order.value: total}
"""
ORDERS = MAPPING.replace("{column: kind, optional: true}", "{value: purchase}")
REFUND = ORDERS + "refund: {amount: back, time: back_on, when: {state: [refunded, 'wc-*']}}\n"
SHOPIFY = (
    "Name,Email,Financial Status,Currency,Shipping,Taxes,Total,Discount Code,Discount Amount,Created at,Lineitem quantity,"
    "Lineitem name,Lineitem price,Lineitem sku,Cancelled at,Refunded Amount,Shipping Country\n"
)
WOO = "order_id,order_date,status,customer_id,order_total,order_currency,refunded_total,tax_total\n"


def told(outcome: Event | Reject) -> tuple[Any, ...]:
    one = said(outcome)
    order = one.get("order", {})
    return (
        one.get("event_name"),
        order.get("id"),
        order.get("value"),
        one.get("event_timestamp", one.get("reject"))[:10],
    )


def read(folder: Path, text: str, mapping: Any) -> list[tuple[Any, ...]]:
    return [told(one) for one in outcomes(folder, text, mapping)]


@pytest.mark.parametrize(
    ("status", "cancelled", "refunded", "wanted"),
    [
        ("paid", "", "0.00", [("purchase", 105)]),
        ("pending", "", "0.00", [("purchase", 105)]),
        ("pending", "2026-03-02", "0.00", []),
        ("voided", "2026-03-02", "0.00", []),
        ("Expired", "", "", []),
        ("refunded", "2026-03-02", "105.00", [("purchase", 105), ("refund", 105)]),
        ("refunded", "", "", [("purchase", 105), ("refund", None)]),
        ("partially_refunded", "", "20.00", [("purchase", 105), ("refund", 20)]),
    ],
)
def test_an_order_of_shopify(
    tmp_path: Path, status: str, cancelled: str, refunded: str, wanted: list[tuple[str, int | None]]
) -> None:
    row = f"#1,a,{status},EUR,5,10,105,SPRING,-5,2026-03-01,1,Mug,90,M,{cancelled},{refunded},DE\n#1,a,,,,,,,,,1,Cup,5,C,,,\n"
    found = outcomes(tmp_path, SHOPIFY + row, ready("shopify"))
    assert [told(one)[:1] + told(one)[2:3] for one in found] == wanted
    if found:
        order = said(found[0])["order"]
        assert (order["tax"], order["shipping"], order["discount"], order["coupon"]) == (10, 5, 5, "SPRING")
        assert [line["product_id"] for line in order["items"]] == ["M", "C"]
        assert said(found[0])["geo"] == {"country": "DE"}
    if len(found) == 2:
        assert told(found[1])[3] == (cancelled or "2026-03-01")
        assert said(found[1])["order"]["currency"] == "EUR"


@pytest.mark.parametrize(
    ("status", "refunded", "wanted"),
    [
        ("completed", "0", ["purchase"]),
        ("wc-completed", "4.50", ["purchase", "refund"]),
        ("refunded", "", ["purchase", "refund"]),
        ("cancelled", "0", []),
        ("wc-failed", "", []),
        ("pending", "", []),
        ("on-hold", "", ["purchase"]),
        ("checkout-draft", "", []),
    ],
)
def test_an_order_of_woocommerce(tmp_path: Path, status: str, refunded: str, wanted: list[str]) -> None:
    found = read(tmp_path, WOO + f"7,2026-03-01 10:00,{status},9,10,EUR,{refunded},1.60\n", ready("woocommerce"))
    assert [name for name, *_ in found] == wanted


def test_a_guest_is_no_customer_of_that_number(tmp_path: Path) -> None:
    text = WOO + "900,2026-03-01,completed,1001,10,EUR,,\n1001,2026-03-01,completed,0,20,EUR,,\n"
    first, second = map(said, outcomes(tmp_path, text, ready("woocommerce")))
    assert (first["client_id"], second.get("client_id"), second["session_id"]) == ("1001", None, "order:1001")


def test_returns_of_uci_are_left_out(tmp_path: Path) -> None:
    text = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID\n"
    sale, back = "536365,A,Holder,6,12/1/2010 8:26,2.55,17850\n", "C536379,D,Discount,-1,12/1/2010 9:41,27.5,14527\n"
    found = read(tmp_path, text + sale + back, ready("uci-online-retail"))
    assert [(name, order) for name, order, *_ in found] == [("purchase", "536365")]


def test_an_order_all_of_whose_lines_went_back_is_no_purchase(tmp_path: Path) -> None:
    mapping = (
        ORDERS.replace(", order.value: total", "") + "order_lines: {product_id: sku, price: price, quantity: pieces}\n"
    )
    text = (
        "day,who,number,sku,price,pieces\n2026-03-01,ann,1,a,10,-1\n2026-03-01,ann,2,a,10,-1\n2026-03-01,ann,2,b,30,1\n"
    )
    assert read(tmp_path, text, mapping) == [
        (None, None, None, "invalid_qu"),
        ("purchase", "2", None, "2026-03-01"),
    ]


@pytest.mark.parametrize(
    ("cells", "wanted"),
    [
        (",,paid", []),
        ("0,,paid", []),
        ("0.00,2026-03-05,paid", []),
        ("4,2026-03-05,paid", [("refund", "1", 4, "2026-03-05")]),
        ("-4,,paid", [("refund", "1", 4, "2026-03-01")]),
        (",,Refunded", [("refund", "1", None, "2026-03-01")]),
        ("0,2026-03-05,wc-x", [("refund", "1", None, "2026-03-05")]),
        ("much,,paid", [(None, None, None, "invalid_pr")]),
    ],
)
def test_what_was_given_back(tmp_path: Path, cells: str, wanted: list[object]) -> None:
    found = read(tmp_path, f"day,who,number,total,back,back_on,state\n2026-03-01,ann,1,10,{cells}\n", REFUND)
    assert found == [("purchase", "1", 10, "2026-03-01"), *wanted]


def test_of_several_conditions_one_is_enough_and_in_one_all_must_be_there(tmp_path: Path) -> None:
    mapping = ORDERS + "leave_out: [{state: void}, {state: open, back: '?*'}]\n"
    rows = "".join(
        f"2026-03-01,ann,{number},10,{cells}\n" for number, cells in enumerate(["x,void", ",open", "x,open", "x,"])
    )
    found = read(tmp_path, "day,who,number,total,back,state\n" + rows, mapping)
    assert [order for _, order, *_ in found] == ["1", "3"]


@pytest.mark.parametrize(
    "said", ["leave_out: {state: {}}", "leave_out: [void]", "leave_out: {state: []}", "refund: {when: {state: }}"]
)
def test_a_condition_that_says_nothing_is_refused(tmp_path: Path, said: str) -> None:
    with pytest.raises(MappingError, match="takes columns and the words in them"):
        outcomes(tmp_path, "day\n", ORDERS + said)


def test_a_part_of_a_refund_that_there_is_not_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match="value is no part of a refund"):
        outcomes(tmp_path, "day\n", ORDERS + "refund: {value: back}")


def test_a_column_of_a_condition_must_be_there_or_be_optional(tmp_path: Path) -> None:
    text = "day,who,number,total\n2026-03-01,ann,1,10\n"
    with pytest.raises(MappingError, match="has no column state"):
        outcomes(tmp_path, text, ORDERS + "leave_out: {state: void}")
    assert len(read(tmp_path, text, ORDERS + "leave_out: {state: {words: void, optional: true}}")) == 1

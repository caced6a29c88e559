"""Orders that have a row for each of their lines: whose line a row is, and what it says of the order."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest_lambda.contract import Event, Reject
from support.importing import outcomes, said
from support.thorough import examples

MAPPING = """
columns:
  event_name: {column: kind, values: {Kauf: purchase}}
  event_timestamp: day
  client_id: who
  order.id: number
  order.value: total
order_lines: {product_id: sku, price: price}
"""
HEADER = "kind,day,who,number,total,sku,price\n"
ONE, TWO = "purchase,2026-03-01,ann,1,30,a,10\n", "purchase,2026-03-02,bob,2,70,c,70\n"
BROKEN = "purchase,2026-03-02,bob,2,70,c,70,too many\n"
VIEW = "page_view,2026-03-01,eve,,,x,5\n"


def told(event: Event | Reject) -> Any:
    """What an outcome comes to: the event's name, its order, what was paid, and its products."""
    one = said(event)
    if "reject" in one:
        return one["reject"]
    order = one.get("order", {})
    lines = [line["product_id"] for line in order.get("items", [])]
    return (one["event_name"], order.get("id"), order.get("value"), "".join(lines) or one.get("product", {}).get("id"))


@pytest.mark.parametrize(
    ("rows", "wanted"),
    [
        (ONE + ",,,,,b,20\n", [("purchase", "1", 30, "ab")]),
        (ONE + "purchase,2026-03-01,ann,,30,b,20\n", [("purchase", "1", 30, "ab")]),
        (ONE + "Kauf,,,1,,b,20\n", [("purchase", "1", 30, "ab")]),
        (ONE + ",,,1,,b,20\n", [("purchase", "1", 30, "ab")]),
        (ONE + TWO + ONE.replace("a,10", "b,20"), [("purchase", "1", 30, "ab"), ("purchase", "2", 70, "c")]),
        # A refund of the order is no line of it, whichever stands first.
        (ONE + "refund,2026-03-03,ann,1,10,a,10\n", [("purchase", "1", 30, "a"), ("refund", "1", 10, "a")]),
        ("refund,2026-03-03,ann,1,10,a,10\n" + ONE, [("refund", "1", 10, "a"), ("purchase", "1", 30, "a")]),
        # What says more than a line, and no order, is an event of its own.
        (
            ONE + "page_view,2026-03-01,eve,,,,\nadd_to_cart,2026-03-01,cy,,,x,5\n",
            [("purchase", "1", 30, "a"), ("page_view", None, None, None), ("add_to_cart", None, None, "x")],
        ),
        (ONE + "purchase,2026-03-01,ann,,31,b,20\n", [("purchase", "1", 30, "a"), ("purchase", None, 31, "b")]),
        # An id that says "none" makes no order of strangers.
        (
            ONE.replace(",1,", ",NULL,") + TWO.replace(",2,", ",null,"),
            [("purchase", None, 30, "a"), ("purchase", None, 70, "c")],
        ),
        # What stands above them could not be read: their order is not known.
        (ONE + BROKEN + ",,,,,d,40\n", ["invalid_row", "invalid_row", ("purchase", "1", 30, "a")]),
        (
            ONE + BROKEN + TWO + ",,,,,d,40\n",
            ["invalid_row", ("purchase", "1", 30, "a"), ("purchase", "2", 70, "cd")],
        ),
        (",,,,,d,40\n" + ONE, ["missing_event_name", ("purchase", "1", 30, "a")]),
        # What is of the order may stand in any of its rows.
        (
            "purchase,2026-03-01,ann,1,,a,10\npurchase,2026-03-01,ann,1,25,b,20\n",
            [("purchase", "1", 25, "ab")],
        ),
    ],
)
def test_whose_line_a_row_is(tmp_path: Path, rows: str, wanted: list[object]) -> None:
    assert sorted(map(told, outcomes(tmp_path, HEADER + rows, MAPPING)), key=str) == sorted(wanted, key=str)


@settings(max_examples=examples(80), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.sampled_from([ONE, TWO, ",,,,,b,20\n", BROKEN, VIEW]), min_size=1))
def test_no_line_gets_lost_or_into_another_s_order(tmp_path: Path, rows: list[str]) -> None:
    kept = [one for one in map(told, outcomes(tmp_path, HEADER + "".join(rows), MAPPING)) if isinstance(one, tuple)]
    assert [one for one in kept if "c" in str(one[3]) and one[1] != "2"] == []
    for product, row in (("a", ONE), ("c", TWO)):
        assert sum(str(products).count(product) for *_, products in kept) == rows.count(row)
    assert [one[0] for one in kept].count("page_view") == rows.count(VIEW)


def test_a_thousand_lines_of_one_order_cost_no_more_each_than_ten(tmp_path: Path) -> None:
    times = []
    for count in (10_000, 40_000):
        rows = "".join(f"purchase,2026-03-01,ann,1,30,sku-{number},10\n" for number in range(count))
        begin = time.process_time()
        outcomes(tmp_path, HEADER + rows, MAPPING)
        times.append(time.process_time() - begin)
    assert times[1] < 10 * times[0]

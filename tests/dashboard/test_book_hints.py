"""What may be said of why orders did not arrive: only what the orders show, and nothing of a few."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest

from pages.book_hints import _of_differing, _of_ids, _of_missing

AT = datetime(2026, 3, 12, 9, 30, tzinfo=UTC)


def orders(*told: tuple[str, str | None, bool]) -> pd.DataFrame:
    """By outcome, what explains the difference, and whether an id came along."""
    rows = [(f"=o{number}", *one) for number, one in enumerate(told)]
    return pd.DataFrame(rows, columns=["order_id", "outcome", "explained_by", "has_order_id"])


def run(in_a_row: int, missing: int) -> dict[str, Any]:
    return {"orders": in_a_row, "missing": missing, "first_at": AT, "last_at": AT}


@pytest.mark.parametrize(
    ("in_a_row", "missing", "said"),
    [
        (5, 10, "5 of those that did not arrive follow each other, from 2026-03-12 10:30 CET"),
        (4, 4, None),
        (5, 11, "lie between others that did, at most 5 in a row"),
        (1, 5, "single visits"),
        (1, 4, None),
    ],
)
def test_many_in_a_row_are_one_trouble_and_scattered_ones_are_visits(
    in_a_row: int, missing: int, said: str | None
) -> None:
    found = _of_missing({"missing": missing, "arrived": 90}, run(in_a_row, missing), "Europe/Berlin")
    assert len(found) == (said is not None)
    assert said is None or said in found[0]


def test_where_none_arrived_there_is_nothing_to_lie_between() -> None:
    assert _of_missing({"missing": 9, "arrived": 0}, run(9, 9), "UTC") == ()
    assert _of_missing({"missing": 0, "arrived": 9}, {}, "UTC") == ()


def test_ids_that_never_meet_are_told_with_an_example() -> None:
    alone = orders(("missing in the shop", None, True), ("missing in events", None, True))
    [said] = _of_ids({"orders": 9, "arrived": 0}, alone)
    assert "such as =o0, has an id of the shop" in said
    assert _of_ids({"orders": 9, "arrived": 8}, alone) == ()
    [nameless] = _of_ids({"orders": 9, "arrived": 8}, orders(*[("missing in the shop", None, False)] * 2))
    assert nameless.startswith("2 purchases came without an order id")


@pytest.mark.parametrize(
    ("explained", "said"),
    [
        (["tax"] * 3, "In 3 of 3 orders of another amount, the difference is just the order's tax"),
        (["tax"] * 3 + [None] * 3, "In 3 of 6"),
        (["tax"] * 2, None),
        (["tax"] * 3 + [None] * 4, None),
        (["tax"] * 2 + ["shipping"] * 2, None),
        ([], None),
    ],
)
def test_a_part_explains_amounts_where_it_explains_three_and_half(
    explained: list[str | None], said: str | None
) -> None:
    found = _of_differing(orders(*(("amount differs", part, True) for part in explained)))
    assert len(found) == (said is not None)
    assert said is None or said in found[0]

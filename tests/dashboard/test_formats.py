"""Numbers in words, and CSV files that a spreadsheet opens without harm."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exports import safe_text, to_csv
from formats import count, delta, duration, exact, money, percent, share


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (count(None), "–"),
        (count(float("nan")), "–"),
        (count(0), "0"),
        (count(99_999), "99,999"),
        (count(123_456), "123.5k"),
        (count(10**9), "1.0bn"),
        (percent(None), "–"),
        (percent(0.0231), "2.3 %"),
        (percent(0.0023), "0.23 %"),
        (money(Decimal("1234.5"), "EUR"), "1,234 EUR"),
        (money(Decimal("12.5"), "EUR"), "12.50 EUR"),
        (money(Decimal("1234567"), "EUR"), "1.2M EUR"),
        (duration(45), "45 s"),
        (duration(720), "12 min"),
        (duration(12_240), "3.4 h"),
        (duration(181_440), "2.1 d"),
        (exact(1234567), "1,234,567"),
        (exact(Decimal("1234.50")), "1,234.50"),
        (share(1, 0), None),
        (share(1, 4), 0.25),
    ],
)
def test_a_number_in_words(told: object, expected: object) -> None:
    assert told == expected


@pytest.mark.parametrize(
    ("now", "before", "how", "text", "tone"),
    [
        (110, 100, {}, "+10 %", "good"),
        (95, 100, {}, "−5.0 %", "bad"),
        (90, 100, {"is_less_better": True}, "−10 %", "good"),
        (100, 100, {}, "unchanged", "even"),
        (3, 3, {}, "unchanged", "even"),
        (0.02, 0.02, {"kind": "percent"}, "unchanged", "even"),
        (Decimal(0), Decimal(0), {"kind": "money"}, "unchanged", "even"),
        (6900, 100, {}, "× 69", "good"),
        (8, 5, {}, "+3", "good"),
        (5, 0, {}, "+5", "good"),
        (0.03, 0.02, {"kind": "percent"}, "+1.0 points", "good"),
        (Decimal(10), Decimal(0), {"kind": "money"}, "–", "even"),
        (None, 5, {}, "–", "even"),
    ],
)
def test_a_change_says_its_direction_without_colour(
    now: object, before: object, how: dict[str, object], text: str, tone: str
) -> None:
    found = delta(now, before, **how)  # type: ignore[arg-type]
    assert (found.text, found.tone) == (text, tone)


def table(text: str) -> tuple[list[str], list[list[str]]]:
    """The lines of the head, and the rows."""
    body = text.split("\r\n")
    head = [line for line in body if line.startswith("# ")]
    return head, list(csv.reader(io.StringIO(text[sum(len(line) + 2 for line in head) :], newline="")))


@given(
    st.lists(
        st.tuples(st.text(max_size=40), st.integers(), st.decimals(allow_nan=False, allow_infinity=False)), max_size=5
    )
)
def test_csv_keeps_every_cell_and_starts_no_formula(rows: list[tuple[str, int, Decimal]]) -> None:
    frame = pd.DataFrame(rows, columns=["name", "n", "amount"]).astype(object)
    head, found = table(to_csv("T", [("Period", "a\nb")], ["Name", "N", "Amount"], frame))
    assert head == ["# Table: T", "# Period: a b"]
    assert found[0] == ["Name", "N", "Amount"]
    for (name, n, amount), (text, number, decimal) in zip(rows, found[1:], strict=True):
        assert (int(number), Decimal(decimal)) == (n, amount)
        assert text.removeprefix("'") == name.replace("\x00", "\ufffd").removeprefix("'")
        assert not text.lstrip().startswith(("=", "+", "-", "@"))


def test_a_filter_in_the_head_is_one_cell() -> None:
    told = to_csv("T", [("Device", "x,=SUM(A1:A9)")], ["N"], pd.DataFrame({"n": [1]}))
    assert list(csv.reader(io.StringIO(told, newline="")))[1] == ["# Device: x,=SUM(A1:A9)"]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =1", "=cmd|'/c calc'!A0"])
def test_a_formula_becomes_text(text: str) -> None:
    assert safe_text(text) == f"'{text}"


def test_numbers_below_zero_are_untouched() -> None:
    frame = pd.DataFrame({"n": [-5], "m": [Decimal("-1.50")], "x": [None], "y": [float("nan")]})
    assert table(to_csv("T", [], list("nmxy"), frame))[1][1] == ["-5", "-1.50", "", ""]

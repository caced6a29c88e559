"""What a figure tells plotly, where plotly's own choice would be wrong."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

import charts

HALVES = None  # left to plotly


@pytest.mark.parametrize(
    ("values", "step"),
    [
        ([0, 3, None], 1),
        ([0, 0], 1),
        ([Decimal(2), None, Decimal(5)], 1),
        ([0, 6], HALVES),
        ([0.5, 3], HALVES),
        ([-900, 3], HALVES),
    ],
)
def test_an_axis_of_a_few_things_has_no_halves(values: list[Any], step: int | None) -> None:
    x = list(range(len(values)))
    assert charts.series(x, [("Visitors", values)]).layout.yaxis.dtick == step
    assert charts.lines(x, values, None, name="Visitors", is_open=False).layout.yaxis.dtick == step
    assert charts.bars(x, values, name="Visitors").layout.xaxis.dtick == step


def test_columns_on_each_other_count_together() -> None:
    assert charts.stacked([1, 2], [("New", [1, 2]), ("Returning", [2, 3])]).layout.yaxis.dtick == 1
    assert charts.stacked([1, 2], [("New", [1, 3]), ("Returning", [2, 3])]).layout.yaxis.dtick is HALVES


def test_bars_of_few_are_pale_and_have_their_interval_on_the_hover() -> None:
    made = charts.bars(["a", "b"], [20.0, 50.0], name="Rate")
    charts.paled(made, [2, 20], [10, 40])
    [few, many] = made.data[0].hovertext
    assert few.endswith("<br>95 %: 5.7 % to 51.0 %, of 10")
    assert "95 %" not in many
    assert list(made.data[0].marker.opacity) == charts.opacity([10, 40])

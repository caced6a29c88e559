"""What chance does to numbers, on values that can be checked by hand or in a printed table."""

from __future__ import annotations

import random
from math import sqrt

import pytest

from noise import Amounts, average, averages_differ, counts_differ, rates_differ, sums_differ, t_quantile, welch, wilson


@pytest.mark.parametrize(
    ("part", "whole", "low", "high"),
    [
        (0, 10, 0.0, 0.2775),  # z**2 / (n + z**2) = 3.8415 / 13.8415
        (10, 10, 0.7225, 1.0),
        (5, 10, 0.2366, 0.7634),
        (1, 29, 0.0061, 0.1718),
        (81, 263, 0.2553, 0.3662),  # the example of Newcombe 1998, method 3
        (15, 148, 0.0624, 0.1605),  # and another of his
        (0, 20, 0.0, 0.1611),  # and his third
    ],
)
def test_wilson_is_that_of_the_books(part: int, whole: int, low: float, high: float) -> None:
    found = wilson(part, whole)
    assert found is not None
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)
    assert found.low <= found.value <= found.high


@pytest.mark.parametrize(("part", "whole"), [(None, 10), (3, None), (0, 0), (11, 10), (-1, 10)])
def test_what_is_no_rate_has_no_interval(part: int | None, whole: int | None) -> None:
    assert wilson(part, whole) is None


@pytest.mark.parametrize(
    ("degrees", "value"),
    [(10, 2.2281), (20, 2.0860), (29, 2.0452), (30, 2.0423), (60, 2.0003), (120, 1.9799), (1e9, 1.9600)],
)
def test_the_quantile_of_t_is_that_of_a_printed_table(degrees: float, value: float) -> None:
    assert round(t_quantile(degrees), 4) == value


@pytest.mark.parametrize(
    ("now", "before", "is_more"),
    [
        (100, 100, False),
        (128, 100, False),  # 27 < 1.96 * √228 = 29.6
        (131, 100, True),  # 30 > 1.96 * √231 = 29.8
        (4, 0, False),  # 3 < 1.96 * 2
        (6, 0, True),  # 5 > 1.96 * √6 = 4.8
        (0, 6, True),
        (0, 0, False),
        (10_300, 10_000, True),  # 299 > 1.96 * √20,300 = 279.3
        (10_280, 10_000, False),
    ],
)
def test_two_counts(now: int, before: int, is_more: bool) -> None:
    assert counts_differ(now, before) is is_more


def test_two_rates() -> None:
    # together 5 %: spread √(0.05 * 0.95 * 2 / 1000) = 0.00975, times 1.96 = 1.91 points
    assert not rates_differ(59, 1_000, 41, 1_000)  # 1.8 points
    assert rates_differ(60, 1_000, 40, 1_000)  # 2.0 points
    assert not rates_differ(3, 0, 40, 1_000)
    assert not rates_differ(0, 100, 0, 100)
    assert not rates_differ(100, 100, 50, 50)


def test_two_sums_and_two_averages_of_orders() -> None:
    # With orders that spread by 1.5 times their average, 1 + 1.5**2 is 3.25.
    assert not sums_differ(1_300, 100, 1_000, 100)  # 300 < 1.96 * √(3.25 * (1300**2 + 1000**2) / 100) = 579.5
    assert not sums_differ(1_600, 100, 1_000, 100)  # 600 < 666.6
    assert sums_differ(1_800, 100, 1_000, 100)  # 800 > 727.6
    assert not averages_differ(14, 100, 10, 100)  # 4 < 1.96 * 1.5 * √(1.96 + 1) = 5.06
    assert averages_differ(16, 100, 10, 100)  # 6 > 1.96 * 1.5 * √(2.56 + 1) = 5.55
    assert not sums_differ(50, 1, 0, 0)
    assert sums_differ(50, 9, 0, 0)
    assert not sums_differ(0, 0, 0, 0)
    assert not averages_differ(50, 9, None, 0)


def amounts(values: list[float]) -> Amounts:
    return Amounts(len(values), sum(values), sum(value * value for value in values))


def test_an_average_has_the_interval_of_the_textbook() -> None:
    # Of 1 to 31 the average is 16 and the variance 82.667: 16 ± 2.0423 * √(82.667 / 31)
    found = average(amounts([float(number) for number in range(1, 32)]))
    assert found is not None
    assert (found.value, round(found.low, 3), round(found.high, 3)) == (16, 12.665, 19.335)
    assert average(amounts([1.0] * 29)) is None


def test_two_averages_after_welch() -> None:
    # Of 1 to 31 and of 2, 4 … 62: variances 2.6667 and 10.6667 of the averages, 44.1 degrees, t = 2.0152
    one, other = amounts([2.0 * n for n in range(1, 32)]), amounts([float(n) for n in range(1, 32)])
    found = welch(one, other)
    assert found is not None
    assert found.value == 16
    assert found.high - found.value == pytest.approx(2.0152 * sqrt(2.66667 + 10.66667), abs=0.001)
    assert welch(amounts([1.0] * 29), other) is None
    assert welch(amounts([0.0] * 40), amounts([0.0] * 40)) is None


def test_of_a_hundred_intervals_of_skewed_money_some_ninety_five_hold_the_truth() -> None:
    rng, held = random.Random(4), 0
    for _ in range(400):
        spent = [rng.expovariate(1 / 50) if rng.random() < 0.2 else 0.0 for _ in range(300)]
        found = average(amounts(spent))
        assert found is not None
        held += found.low <= 10 <= found.high
    assert 0.92 <= held / 400 <= 0.975

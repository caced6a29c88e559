"""The usual range of a day: by its weekday, for as large as the shop is, whatever a holiday did."""

from __future__ import annotations

import pytest

from bands import usual_ranges

WEEK = [100.0, 100.0, 100.0, 100.0, 100.0, 50.0, 50.0]


def test_a_day_is_compared_with_its_weekday() -> None:
    ranges = usual_ranges(WEEK * 9)
    assert ranges[-7] == (80.0, 120.0)
    assert ranges[-1] == pytest.approx((50 - 2 * 50**0.5, 50 + 2 * 50**0.5))


def test_four_weeks_with_a_week_before_them_are_needed() -> None:
    ranges = usual_ranges(WEEK * 6)
    assert ranges[: 7 * 4 + 4] == [None] * (7 * 4 + 4)
    assert None not in ranges[7 * 5 :]


def test_what_is_not_known_is_no_zero() -> None:
    assert usual_ranges([None] * 7 + WEEK * 9)[-7] == (80.0, 120.0)


def test_a_shop_that_doubles_is_expected_to_sell_twice_as_much() -> None:
    low, high = usual_ranges(WEEK * 8 + [2 * value for value in WEEK] * 2)[-7] or (0, 0)
    assert (low + high) / 2 == pytest.approx(200, rel=0.01)


def test_a_holiday_changes_nothing() -> None:
    values = WEEK * 9
    for day in (7, 8, 30):
        values[day] = 900.0
    assert usual_ranges(values)[-7] == (80.0, 120.0)


def test_of_a_handful_a_day_nothing_is_usual() -> None:
    assert usual_ranges([value / 25 for value in WEEK] * 9)[-7] is None

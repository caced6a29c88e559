"""The usual range of a day: what the same weekday had in the eight weeks before, for as large as the shop is now."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from statistics import median

#: As `anomalies` compares.
WEEKS, LEAST_WEEKS, LEAST_DAYS = 8, 4, 4
#: Of a middle day with fewer, as a handful of people has, any number is usual.
LEAST_LEVEL = 5
#: Days before the first one that are looked at: the oldest week, and the week that says how large the shop was then.
DAYS_BEFORE = 7 * WEEKS + 7
#: What makes a standard deviation of the median distance from the median.
_MAD = 1.4826


def usual_ranges(values: Sequence[float | None]) -> list[tuple[float, float] | None]:
    """Of days one after the other: the range of each, two deviations around what is usual; None without four weeks before it, and
    of few."""
    return [_range(values, day) for day in range(len(values))]


def _range(values: Sequence[float | None], day: int) -> tuple[float, float] | None:
    level = _level(values, day)
    seen = []
    for before in range(day - 7, max(-1, day - 7 * WEEKS - 1), -7):
        value, then = values[before], _level(values, before)
        if value is not None and then:
            seen.append(value / then)
    if not level or level < LEAST_LEVEL or len(seen) < LEAST_WEEKS:
        return None
    usual = level * median(seen)
    spread = level * _MAD * median(abs(one - median(seen)) for one in seen)
    deviation = max(spread, sqrt(usual), usual / 20)
    return max(0.0, usual - 2 * deviation), usual + 2 * deviation


def _level(values: Sequence[float | None], day: int) -> float | None:
    """A middle day of the week before."""
    week = [value for value in values[max(0, day - 7) : day] if value is not None]
    return median(week) if len(week) >= LEAST_DAYS else None

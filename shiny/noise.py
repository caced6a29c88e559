"""What chance alone does to a number: the interval of a rate and of an average, and whether a difference is more than that.

One rule for every page, at 95 %: docs/metrics.md, *What chance does*. All of it is from the standard library: scipy, which has it
too, is a large thing to install for a page of formulas.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist
from typing import Any

from formats import FEW, count, is_missing, percent

LEVEL = 0.95
#: How much orders spread, in their average: the tables do not say. Measured: 1.27 of 200 orders of a sample of REES46's shop,
#: 1.50 of 308 of the demo's.
SPREAD = 1.5
CHANCE = "Two periods of which nothing sets the one apart differ by as much, or less, in 95 of 100 cases."
Z = NormalDist().inv_cdf((1 + LEVEL) / 2)


@dataclass(frozen=True)
class Interval:
    """What is estimated, and between what it lies, in 95 of 100 such intervals."""

    value: float
    low: float
    high: float

    @property
    def has_zero(self) -> bool:
        """For a difference: whether none at all is among what it may be."""
        return self.low <= 0 <= self.high


def wilson(part: Any, whole: Any, z: float = Z) -> Interval | None:
    """The interval of a rate, after Wilson: within 0 and 1, and right for a handful. None where there is no whole, or where the
    part is not one of it."""
    if is_missing(part) or is_missing(whole) or not 0 <= part <= whole or not whole:
        return None
    n, rate = float(whole), float(part) / float(whole)
    middle = (rate + z * z / (2 * n)) / (1 + z * z / n)
    half = z * sqrt(rate * (1 - rate) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return Interval(rate, max(0.0, min(rate, middle - half)), min(1.0, max(rate, middle + half)))


def difference(part: Any, whole: Any, other_part: Any, other_whole: Any) -> Interval:
    """The interval of one rate less another, after Newcombe: from Wilson's of both. Of no whole, a rate may be anything."""
    one, other = (wilson(*pair) or Interval(0.5, 0.0, 1.0) for pair in ((part, whole), (other_part, other_whole)))
    below = sqrt((one.value - one.low) ** 2 + (other.high - other.value) ** 2)
    above = sqrt((one.high - one.value) ** 2 + (other.value - other.low) ** 2)
    value = one.value - other.value
    return Interval(value, value - below, value + above)


def between(interval: Interval, whole: Any) -> str:
    """The interval of a rate in words, for the hover."""
    return f"95 %: {percent(interval.low)} to {percent(interval.high)}, of {count(whole)}"


def counts_differ(now: Any, before: Any) -> bool:
    """Whether two counts of equally long times differ by more than chance: of things that happen each by itself, the difference
    spreads by the root of their sum. Less one half on each side, since a count moves by whole numbers."""
    return abs(float(now) - float(before)) - 1 > Z * sqrt(float(now) + float(before))


def rates_differ(part: Any, whole: Any, other_part: Any, other_whole: Any) -> bool:
    """Whether two rates differ by more than chance: the test of two proportions, with one rate for both. Of no whole, nothing is
    known."""
    if not whole or not other_whole:
        return False
    n, m = float(whole), float(other_whole)
    together = (float(part) + float(other_part)) / (n + m)
    if not 0 < together < 1:
        return False
    spread = sqrt(together * (1 - together) * (1 / n + 1 / m))
    return abs(float(part) / n - float(other_part) / m) > Z * spread


def sums_differ(now: Any, orders: Any, before: Any, orders_before: Any) -> bool:
    """Whether two sums of money differ by more than chance, from how many orders they are of: how many there are varies, and
    so does each. A sum of n orders spreads by itself times the root of (1 + SPREAD squared) / n."""
    if not orders or not orders_before:
        return bool(orders or orders_before) and counts_differ(orders, orders_before)
    spread = sqrt((1 + SPREAD**2) * (float(now) ** 2 / float(orders) + float(before) ** 2 / float(orders_before)))
    return abs(float(now) - float(before)) > Z * spread


def averages_differ(now: Any, orders: Any, before: Any, orders_before: Any) -> bool:
    """The same of averages per order: the average of n orders spreads by itself times SPREAD / the root of n."""
    if not orders or not orders_before:
        return False
    spread = SPREAD * sqrt(float(now) ** 2 / float(orders) + float(before) ** 2 / float(orders_before))
    return abs(float(now) - float(before)) > Z * spread


def t_quantile(degrees: float, level: float = LEVEL) -> float:
    """Student's t, two-sided: the normal quantile and four terms of its expansion in 1 / degrees (Abramowitz and Stegun, 26.7.5);
    right to four decimals from 10 degrees on."""
    z = NormalDist().inv_cdf((1 + level) / 2)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / degrees**power for power, term in enumerate(terms, start=1))


@dataclass(frozen=True)
class Amounts:
    """Amounts of so many people, by their sum and the sum of their squares."""

    people: int
    total: float
    squares: float

    @property
    def average(self) -> float:
        """Of each, those with nothing among them."""
        return self.total / self.people

    @property
    def variance(self) -> float:
        """Of the average: what it would spread by among other people like these."""
        return max(0.0, self.squares - self.total**2 / self.people) / (self.people - 1) / self.people


def average(amounts: Amounts, level: float = LEVEL) -> Interval | None:
    """The interval of an average; None of fewer than `FEW`, whose spread is not known well enough."""
    if amounts.people < FEW:
        return None
    half = t_quantile(amounts.people - 1, level) * sqrt(amounts.variance)
    return Interval(amounts.average, amounts.average - half, amounts.average + half)


def welch(one: Amounts, other: Amounts, level: float = LEVEL) -> Interval | None:
    """How much more the average of `one` is than that of `other`, after Welch: the two may spread differently. None where one of
    them is of fewer than `FEW`, or nobody spent anything."""
    a, b = (amounts.variance if amounts.people >= FEW else 0.0 for amounts in (one, other))
    if min(one.people, other.people) < FEW or not a + b:
        return None
    degrees = (a + b) ** 2 / (a**2 / (one.people - 1) + b**2 / (other.people - 1))
    difference, half = one.average - other.average, t_quantile(degrees, level) * sqrt(a + b)
    return Interval(difference, difference - half, difference + half)

"""How far a number may lie from what stands behind it by chance: 95 % intervals, and what is within noise."""

from __future__ import annotations

from math import sqrt
from typing import Any

from formats import is_missing

#: Two-sided, 95 %.
Z = 1.959964


def wilson(part: Any, whole: Any) -> tuple[float, float]:
    """The interval of a share after Wilson; from 0 to 1 where there is no whole."""
    number = float(whole)
    if not number:
        return 0.0, 1.0
    rate, spread = float(part) / number, Z * Z / number
    middle = (rate + spread / 2) / (1 + spread)
    reach = Z * sqrt(rate * (1 - rate) / number + spread / (4 * number)) / (1 + spread)
    return max(0.0, middle - reach), min(1.0, middle + reach)


def difference(part: Any, whole: Any, other_part: Any, other_whole: Any) -> tuple[float, float]:
    """The interval of one share minus another, after Newcombe: from the Wilson intervals of both."""
    (low, high), (other_low, other_high) = wilson(part, whole), wilson(other_part, other_whole)
    rate = float(part) / float(whole) if whole else 0.5
    other = float(other_part) / float(other_whole) if other_whole else 0.5
    below = sqrt((rate - low) ** 2 + (other_high - other) ** 2)
    above = sqrt((high - rate) ** 2 + (other - other_low) ** 2)
    return rate - other - below, rate - other + above


def is_noise(amount: Any, number: Any, before: Any, number_before: Any) -> bool:
    """Whether an amount that so many things make up may differ by chance from what it was before: things that come one by one,
    each of about the same size, vary by the root of their number."""
    terms = ((amount, number), (before, number_before))
    variance = sum(float(value) ** 2 / float(n) for value, n in terms if not is_missing(n) and n)
    return abs(float(amount) - float(before)) <= Z * sqrt(variance)

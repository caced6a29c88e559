"""What an experiment says so far, in words: whether the split is sound, whether a variant is better, and what it would take.

Whoever looks every day and stops at the first good one finds a winner where there is none: with plain 95 % intervals, in far more
than 5 of 100 experiments. So the difference of conversions has a confidence sequence: an interval that holds the truth on
*all* looks, in 95 of 100 experiments (Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas 2021, the asymptotic one). It is wider.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, erfc, exp, gamma, log, pow, sqrt
from statistics import NormalDist

from formats import FEW, count, percent
from noise import LEVEL, Amounts, Interval

CONTROL = "control"
#: The lift that is worth looking for, and how surely an experiment of the stated size would find it.
LIFT = 0.2
POWER = 0.8
_WORTH = f"{100 * LIFT:.0f} %"
#: A split that is less likely than this by chance is a fault of the assignment: one in a thousand sound experiments is told so.
SPLIT_P = 0.001
#: The sequence is tightest at so many visitors of two variants.
TUNED_FOR = 5_000
MOST = 10_000_000


@dataclass(frozen=True)
class Variant:
    """A variant with its visitors, those who bought, and what all of them brought, in the shop's currency."""

    name: str
    visitors: int
    buyers: int
    orders: int
    money: Amounts

    @property
    def rate(self) -> float:
        """Its conversion."""
        return self.buyers / self.visitors


def in_order(variants: Sequence[Variant]) -> list[Variant]:
    """The control first: what is called so, else the first by name. Then by name."""
    return sorted(variants, key=lambda one: (one.name.lower() != CONTROL, one.name))


def split_p(visitors: Sequence[int]) -> float:
    """How likely chance alone makes a split as uneven as this, if all variants were to get alike: chi-square."""
    expected = sum(visitors) / len(visitors)
    return chi_square_above(sum((n - expected) ** 2 / expected for n in visitors), len(visitors) - 1)


def chi_square_above(value: float, degrees: int) -> float:
    """The part of a chi-square distribution above a value: a finite sum for whole degrees of freedom."""
    half = value / 2
    if degrees % 2 == 0:
        return exp(-half) * sum(half**i / gamma(i + 1) for i in range(degrees // 2))
    return erfc(sqrt(half)) + exp(-half) * sum(pow(half, i + 0.5) / gamma(i + 1.5) for i in range(degrees // 2))


def _stretch(people: float, alpha: float) -> float:
    """By how many standard errors the sequence reaches to each side."""
    width = (log(1 / alpha**2) + log(log(1 / alpha**2) + 1)) / TUNED_FOR * people
    return sqrt(2 * (width + 1) / width * log(sqrt(width + 1) / alpha))


def lift(one: Variant, control: Variant, comparisons: int = 1) -> Interval:
    """How much higher its conversion is than the control's. Several comparisons share the 5 %.

    The error is no less than that of two variants with the rate of both together: of a small one of which nobody has bought
    yet, its own rate says that there is none.
    """
    difference = one.rate - control.rate
    own = sum(v.rate * (1 - v.rate) / v.visitors for v in (one, control))
    rate = (one.buyers + control.buyers) / (one.visitors + control.visitors)
    error = sqrt(max(own, rate * (1 - rate) * (1 / one.visitors + 1 / control.visitors)))
    half = error * _stretch(one.visitors + control.visitors, (1 - LEVEL) / comparisons)
    return Interval(difference, difference - half, difference + half)


def visitors_needed(rate: float, comparisons: int = 1) -> int | None:
    """Visitors of each variant, so that a lift of `LIFT` of this conversion would be found with `POWER`; None beyond any shop."""
    better = min(1.0, rate * (1 + LIFT))
    if not 0 < rate < better:
        return None

    def is_enough(visitors: int) -> bool:
        error = sqrt((rate * (1 - rate) + better * (1 - better)) / visitors)
        reach = _stretch(2 * visitors, (1 - LEVEL) / comparisons) + NormalDist().inv_cdf(POWER)
        return better - rate >= error * reach

    low, high = 0, MOST
    if not is_enough(high):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_enough(middle) else (middle, high)
    return high


def verdict(variants: Sequence[Variant], days: int) -> str:
    """The sentence. `days` is how long it took to get these visitors."""
    if not variants:
        return "Nobody was shown one variant alone."
    if len(variants) < 2:
        return "Only one variant was seen: there is nothing to compare it with."
    control, *others = variants
    buyers = sum(one.buyers for one in variants)
    if buyers < FEW:
        return f"Not enough yet: {buyers} visitors have bought, of all variants. {_to_go(variants, days)}"
    lifts = {one.name: lift(one, control, len(others)) for one in others if min(one.visitors, control.visitors) >= FEW}
    told = [_found(name, found, control.name) for name, found in lifts.items() if not found.has_zero]
    if told:
        return " ".join(told)
    needed = visitors_needed(control.rate, len(others))
    if needed is not None and min(one.visitors for one in variants) >= needed:
        return (
            f"No difference that is more than chance. With as many visitors, a lift of {_WORTH} would have shown in "
            f"{100 * POWER:.0f} % of cases: what there is, if anything, is most likely smaller."
        )
    return f"Not enough yet: the difference may be chance. {_to_go(variants, days)}"


def _found(name: str, found: Interval, control: str) -> str:
    than, low, high = ("more", found.low, found.high) if found.low > 0 else ("fewer", -found.high, -found.low)
    return (
        f"Of those who see {name}, {than} buy than of those who see {control}: by {100 * low:.2f} to {100 * high:.2f} points. "
        "That holds however often you look."
    )


def _to_go(variants: Sequence[Variant], days: int) -> str:
    control, *others = variants
    together = sum(one.buyers for one in variants) / sum(one.visitors for one in variants)
    rate = control.rate or together
    needed = visitors_needed(rate, len(others))
    if needed is None:
        return "How many it takes cannot be told from these."
    least = min(one.visitors for one in variants)
    more, better = max(0, needed - least), min(1.0, rate * (1 + LIFT))
    pace = least / max(1, days)
    is_early = least < FEW  # the pace of the first hour says nothing
    wait = f", about {count(ceil(more / pace))} days at this pace" if pace and more and not is_early else ""
    return (
        f"To see a lift of {_WORTH}, from {percent(rate)} to {percent(better)}, takes about {count(needed)} visitors of each "
        f"variant: {count(more)} more{wait}."
    )

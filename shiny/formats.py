"""Numbers as people read them. A number that is not there is a dash, never a zero."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pandas as pd

DASH = "–"
MINUS = "\N{MINUS SIGN}"
#: Below this many, a change is told in pieces: a percentage of a handful says nothing.
SMALL = 10
#: A rate or an average of fewer is mostly chance, and marked.
FEW = 30
#: From this many times on, a percentage is hard to read.
TIMES = 10
_SCALES = ((1_000_000_000, "bn"), (1_000_000, "M"), (100_000, "k"))


def is_missing(value: Any) -> bool:
    """None, and the NA or NaN that pandas makes of it."""
    return value is None or value is pd.NA or value != value


def count(value: Any) -> str:
    """12,345 up to a hundred thousand, then 123.5k."""
    if is_missing(value):
        return DASH
    for scale, unit in _SCALES:
        if abs(value) >= scale:
            divisor = 1_000 if unit == "k" else scale
            return f"{value / divisor:,.1f}{unit}"
    return f"{value:,.0f}"


def exact(value: Any) -> str:
    """Every digit, for the hover."""
    if is_missing(value):
        return "no value"
    return f"{value:,}" if isinstance(value, int | Decimal) else f"{value:,.10g}"


def percent(value: Any) -> str:
    """A share from 0 to 1 as 23.1 %, and one below 1 % as 0.23 %."""
    return DASH if is_missing(value) else f"{_digits(100 * float(value))} %"


def money(value: Any, currency: str = "") -> str:
    """12.50 USD, from a thousand on 1,235 USD, from a hundred thousand on 123.5k USD."""
    if is_missing(value):
        return DASH
    text = f"{value:,.2f}" if abs(value) < 1_000 else count(value)
    return f"{text} {currency}".strip()


def with_minus(signed: str) -> str:
    """A number that Python has written, with the minus sign of the pages."""
    return signed.replace("-", MINUS)


def besides(amounts: Iterable[tuple[str, Any]]) -> str:
    """Amounts in other currencies, beside one in the shop's: and 10,806 EUR, 20.00 GBP."""
    told = ", ".join(money(amount, currency) for currency, amount in amounts)
    return f"and {told}" if told else ""


def duration(seconds: Any) -> str:
    """45 s, 12 min, 3.4 h, 2.1 d."""
    if is_missing(seconds):
        return DASH
    for limit, divisor, unit, digits in ((90, 1, "s", 0), (5_400, 60, "min", 0), (172_800, 3_600, "h", 1)):
        if seconds < limit:
            return f"{seconds / divisor:.{digits}f} {unit}"
    return f"{seconds / 86_400:.1f} d"


def _digits(value: float) -> str:
    """A number of percent: with a digit after the point, below one with two."""
    return f"{value:.2f}" if 0 < abs(round(value, 2)) < 1 else f"{value:.1f}"


def share(part: Any, whole: Any) -> float | None:
    """part / whole; None where there is no whole."""
    if is_missing(part) or is_missing(whole) or not whole:
        return None
    return float(part) / float(whole)


FORMATS = {"count": count, "percent": percent, "money": money, "duration": duration}


@dataclass(frozen=True)
class Delta:
    """A change against the comparison. `tone` is good, bad or even."""

    text: str
    tone: str


def delta(now: Any, before: Any, *, kind: str = "count", is_less_better: bool = False) -> Delta:
    """How a number has changed. Shares change in points, small numbers in pieces, all else in percent; what has become ten
    times as much or more, in times."""
    if is_missing(now) or is_missing(before):
        return Delta(DASH, "even")
    difference = now - before
    is_small = kind == "count" and abs(before) < SMALL
    if not difference or (is_small and not round(difference)) or (kind == "percent" and not round(100 * difference, 2)):
        return Delta("unchanged", "even")
    if kind == "percent":
        text = f"{_digits(abs(100 * float(difference)))} points"
    elif is_small:
        text = f"{abs(difference):,.0f}"
    elif not before:
        return Delta(DASH, "even")
    elif now / before >= TIMES:
        return Delta(f"× {now / before:,.0f}", "bad" if is_less_better else "good")
    else:
        change = abs(100 * float(difference) / float(before))
        text = f"{change:,.0f} %" if change >= TIMES else f"{_digits(change)} %"
    is_good = (difference > 0) != is_less_better
    return Delta(f"{'+' if difference > 0 else MINUS}{text}", "good" if is_good else "bad")

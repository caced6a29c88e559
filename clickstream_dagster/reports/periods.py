"""The weeks and months that reports are of, by their ISO names: 2026-W48 and 2026-10."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

_DAY = timedelta(days=1)


class BadPeriod(ValueError):
    """The name of no week or month; the message says what one looks like."""


@dataclass(frozen=True)
class ReportPeriod:
    """Whole local days, both ends included."""

    name: str
    title: str
    start: date
    end: date


def week(day: date) -> ReportPeriod:
    """The week of a day, Monday to Sunday."""
    year, number, weekday = day.isocalendar()
    monday = day - (weekday - 1) * _DAY
    return ReportPeriod(f"{year}-W{number:02}", f"Week {number} of {year}", monday, monday + 6 * _DAY)


def month(day: date) -> ReportPeriod:
    """The month of a day."""
    first = day.replace(day=1)
    following = (first + 31 * _DAY).replace(day=1)
    return ReportPeriod(f"{first:%Y-%m}", f"{first:%B %Y}", first, following - _DAY)


def named(name: str) -> ReportPeriod:
    """The period of a name. Raises `BadPeriod`."""
    try:
        if found := re.fullmatch(r"([0-9]{4})-W([0-9]{2})", name):
            return week(date.fromisocalendar(int(found[1]), int(found[2]), 1))
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}", name):
            return month(date.fromisoformat(f"{name}-01"))
    except ValueError:
        pass
    raise BadPeriod(f"{name!r} is no week or month; a week is 2026-W48, a month 2026-10.")


def ended(kind: str, today: date) -> ReportPeriod:
    """The last week or month that is over today."""
    if kind == "weekly":
        return week(today - 7 * _DAY)
    return month(today.replace(day=1) - _DAY)

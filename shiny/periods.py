"""Date arithmetic of the filter bar: presets, and the period that a period is compared with. All dates are the shop's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

PRESETS = {
    "today": "Latest day",
    "yesterday": "The day before",
    "7d": "Last 7 days",
    "28d": "Last 28 days",
    "90d": "Last 90 days",
    "month": "Month to date",
    "last-month": "Last month",
    "quarter": "Quarter to date",
    "year": "Year to date",
    "12m": "Last 12 months",
    "custom": "Custom dates",
}
COMPARISONS = {
    "previous": "Previous period",
    "weekdays": "Same weekdays before",
    "year": "Same weekdays last year",
    "none": "No comparison",
}
DEFAULT_PRESET = "28d"
DEFAULT_COMPARISON = "previous"
#: Nothing older is asked for: 3 years, so that a typing error does not read a table from its first row.
LONGEST = timedelta(days=3 * 366)


@dataclass(frozen=True)
class Period:
    """Whole days, both ends included."""

    start: date
    end: date

    @property
    def days(self) -> int:
        """How many."""
        return (self.end - self.start).days + 1

    def moved(self, days: int) -> Period:
        """The same number of days, earlier by `days`."""
        return Period(self.start - timedelta(days=days), self.end - timedelta(days=days))

    def __str__(self) -> str:
        if self.start == self.end:
            return f"{self.start:%-d %b %Y}"
        if self.start.year != self.end.year:
            return f"{self.start:%-d %b %Y} – {self.end:%-d %b %Y}"
        start = f"{self.start:%-d}" if self.start.month == self.end.month else f"{self.start:%-d %b}"
        return f"{start} – {self.end:%-d %b %Y}"


#: How many days the presets have that end with the last whole day.
_ROLLING = {"7d": 7, "28d": 28, "90d": 90, "12m": 365}


def preset(name: str, latest: date, complete: date) -> Period:
    """The days of a preset. They count back from the latest day with data, so that a shop's history is never empty; those
    of several days from the last one that is loaded to its end, so that a morning does not look like a bad week."""
    day = timedelta(days=1)
    if name in _ROLLING:
        return Period(complete - (_ROLLING[name] - 1) * day, complete)
    first_of_month = latest.replace(day=1)
    if name == "yesterday":
        return Period(latest - day, latest - day)
    if name == "last-month":
        return Period((first_of_month - day).replace(day=1), first_of_month - day)
    starts = {
        "today": latest,
        "month": first_of_month,
        "quarter": latest.replace(month=(latest.month - 1) // 3 * 3 + 1, day=1),
        "year": latest.replace(month=1, day=1),
    }
    start = starts[name]
    return Period(start, complete if complete >= start and name != "today" else latest)


def comparison(period: Period, kind: str) -> Period | None:
    """The period to compare with: just before; as many whole weeks before, so that Mondays meet Mondays; or 52 weeks."""
    if kind == "previous":
        return period.moved(period.days)
    if kind == "weekdays":
        return period.moved(-(-period.days // 7) * 7)
    return period.moved(364) if kind == "year" else None

"""What is shown, as one value: page, period, comparison, segments and the cards' options. The URL holds all of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any
from urllib.parse import parse_qsl, urlencode

from dimensions import ABOUT_ONE, DAY, DIMENSIONS, LONGEST_VALUE, SEGMENTS, told
from periods import (
    COMPARISONS,
    DEFAULT_COMPARISON,
    DEFAULT_PRESET,
    LONGEST,
    PRESETS,
    Period,
    comparison,
    preset,
)

#: No link that we write is longer; more is somebody's experiment.
LONGEST_QUERY = 8_000


@dataclass(frozen=True)
class Bounds:
    """What the data allows: its first and latest local date, the last one that is loaded to its end, and the values that each
    segment has."""

    first: date
    latest: date
    complete: date
    segments: Mapping[str, Sequence[str]] = field(default_factory=dict)
    timezone: str = "UTC"
    currency: str = "USD"
    #: The owner's segments of people, and what they are called.
    people: Mapping[str, str] = field(default_factory=dict)
    #: The first day of which every event is kept, where older ones have expired.
    kept_from: date | None = None

    def preset(self, name: str) -> Period:
        """The days of a preset, as far as there is data."""
        found = preset(name, self.latest, self.complete)
        return Period(max(found.start, min(self.first, found.end)), found.end)


@dataclass(frozen=True)
class View:
    """What is shown. Segments are empty when nothing is filtered by them."""

    page: str
    period: Period
    #: The first day with data: nothing is compared with days before it.
    first: date = date.min
    #: The last day that is loaded to its end: a day after it is not compared with a whole one.
    complete: date = date.max
    preset: str = DEFAULT_PRESET
    compare: str = DEFAULT_COMPARISON
    channel: tuple[str, ...] = ()
    device: tuple[str, ...] = ()
    country: tuple[str, ...] = ()
    bots: bool = False
    #: Count people, and not browsers: a signed-in user is one on all of theirs.
    people: bool = False
    #: Of these people only: a segment of segments.yml.
    segment: str = ""
    #: What the page is about, where it is about one thing: a dimension and its value.
    about: tuple[str, str] | None = None
    options: tuple[tuple[str, str], ...] = ()

    @property
    def before(self) -> Period | None:
        """The period of the comparison; None too for a day that is going on, since hours against a whole day say nothing."""
        return None if self.is_going_on else self.other

    @property
    def other(self) -> Period | None:
        """The period of the comparison, however much of this one has passed; None when it begins before the data does."""
        other = comparison(self.period, self.compare)
        return other if other and other.start >= self.first else None

    @property
    def is_going_on(self) -> bool:
        """True for a single day that is not over."""
        return self.period.days == 1 and self.period.end > self.complete

    @property
    def is_segmented(self) -> bool:
        """True when a segment is chosen, so that tables without segments do not do."""
        return bool(self.channel or self.device or self.country)

    @property
    def counted(self) -> dict[str, str]:
        """What queries count: days of visitors or of people, the column of daily traffic, and whose a session is."""
        if self.people:
            return {
                "days": "fact_person_days",
                "seen": "people",
                "sessions": "fact_person_sessions",
                "who": "person_id",
            }
        return {"days": "fact_visitor_days", "seen": "visitors", "sessions": "fact_sessions", "who": "visitor_id"}

    def at(self, page: str) -> View:
        """The same on another page. What a page is about does not go with it."""
        is_about_it = self.about and DIMENSIONS[self.about[0]].page == page
        return replace(self, page=page, about=self.about if is_about_it else None)

    def option(self, name: str, default: str) -> str:
        """What is chosen in a card."""
        return dict(self.options).get(name, default)

    def with_option(self, name: str, value: str) -> View:
        """The same with one choice changed."""
        return replace(self, options=tuple(sorted({**dict(self.options), name: value}.items())))

    def parameters(self, period: Period | None = None) -> dict[str, Any]:
        """The bound parameters of every query: see `queries.SEGMENT`, and `Warehouse.frame` for the segment."""
        period = period or self.period
        return {
            "start": period.start,
            "end": period.end,
            "bots": self.bots,
            "channels": list(self.channel) or None,
            "devices": list(self.device) or None,
            "countries": list(self.country) or None,
            **({"segment": self.segment} if self.segment else {}),
            **({"about": self.about[1]} if self.about else {}),
        }

    def describe(self) -> list[tuple[str, str]]:
        """The filters in words: for chips and the head of a CSV file."""
        lines = [("Period", str(self.period)), ("Compared with", str(self.before) if self.before else "nothing")]
        lines += [("About", told(self.about))] if self.about else []
        lines += [(name.title(), ", ".join(getattr(self, name))) for name in SEGMENTS if getattr(self, name)]
        lines += [("People", self.segment)] if self.segment else []
        lines.append(("Counted", "people" if self.people else "visitors (browsers)"))
        return [*lines, ("Bots", "included" if self.bots else "left out")]


def default_view(bounds: Bounds, page: str) -> View:
    """What a bare link shows."""
    return View(page, bounds.preset(DEFAULT_PRESET), bounds.first, bounds.complete)


def to_query(view: View) -> str:
    """The query string of a view, defaults left out."""
    pairs: list[tuple[str, str]] = [("page", view.page)]
    if view.preset == "custom":
        pairs += [("from", view.period.start.isoformat()), ("to", view.period.end.isoformat())]
    elif view.preset != DEFAULT_PRESET:
        pairs.append(("period", view.preset))
    if view.compare != DEFAULT_COMPARISON:
        pairs.append(("compare", view.compare))
    pairs += [(name, value) for name in SEGMENTS for value in getattr(view, name)]
    pairs += [("bots", "in")] if view.bots else []
    pairs += [("count", "people")] if view.people else []
    pairs += [("segment", view.segment)] if view.segment else []
    pairs += [view.about] if view.about else []
    return "?" + urlencode([*pairs, *view.options])


def from_query(
    query: str, bounds: Bounds, pages: Sequence[str], options: Mapping[str, Sequence[str]]
) -> tuple[View, list[str]]:
    """The view of a query string, and a sentence for each part of it that could not be used. Never raises."""
    view = default_view(bounds, pages[0])
    if len(query) > LONGEST_QUERY:
        return view, ["This link is too long to be one of ours; it shows the default view."]
    try:
        pairs = parse_qsl(query.lstrip("?"), keep_blank_values=True, errors="replace", max_num_fields=200)
    except ValueError:
        return view, ["This link cannot be read; it shows the default view."]
    notices: list[str] = []
    given: dict[str, list[str]] = {}
    for name, value in pairs:
        given.setdefault(name, []).append(value)
    readers = {
        "page": _page,
        "period": _preset,
        "compare": _compare,
        "bots": _bots,
        "count": _count,
        "segment": _people,
    }
    for name, values in given.items():
        if name in readers:
            view = readers[name](view, values[-1], bounds, pages, notices)
        elif name in SEGMENTS:
            view = _segment(view, name, values, bounds, notices)
        elif name in DIMENSIONS and name != DAY:
            view = _about(view, name, values[-1], notices)
        elif name in options and values[-1] in options[name]:
            view = view.with_option(name, values[-1])
        elif name not in ("from", "to"):
            notices.append(f"{_short(name)} in this link means nothing here; it was left out.")
    if "from" in given or "to" in given:
        view = _custom(view, given, bounds, notices)
    view = view.at(view.page)
    if view.page in ABOUT_ONE and not view.about:
        notices.append("This link does not say what its page is about; this is the overview.")
        view = replace(view, page=pages[0])
    return view, notices


def custom_period(start: date, end: date, bounds: Bounds) -> Period | None:
    """The days between two dates, as far as there can be data; None when they make no period."""
    start, end = max(start, bounds.first, bounds.latest - LONGEST), min(end, bounds.latest)
    return Period(start, end) if start <= end else None


def _page(view: View, value: str, _: Bounds, pages: Sequence[str], notices: list[str]) -> View:
    if value in pages:
        return replace(view, page=value)
    notices.append(f"There is no page {_short(value)}; this is the overview.")
    return view


def _preset(view: View, value: str, bounds: Bounds, _: Sequence[str], notices: list[str]) -> View:
    if value in PRESETS and value != "custom":
        return replace(view, preset=value, period=bounds.preset(value))
    notices.append(f"The period {_short(value)} is not known; these are the {PRESETS[DEFAULT_PRESET].lower()}.")
    return view


def _compare(view: View, value: str, _: Bounds, __: Sequence[str], notices: list[str]) -> View:
    if value in COMPARISONS:
        return replace(view, compare=value)
    notices.append(f"The comparison {_short(value)} is not known; it is the previous period.")
    return view


def _bots(view: View, value: str, _: Bounds, __: Sequence[str], notices: list[str]) -> View:
    if value in ("in", "out"):
        return replace(view, bots=value == "in")
    notices.append(f"bots={_short(value)} is not known (in or out); bots are left out.")
    return view


def _count(view: View, value: str, _: Bounds, __: Sequence[str], notices: list[str]) -> View:
    if value in ("people", "visitors"):
        return replace(view, people=value == "people")
    notices.append(f"count={_short(value)} is not known (visitors or people); these are visitors.")
    return view


def _people(view: View, value: str, bounds: Bounds, __: Sequence[str], notices: list[str]) -> View:
    if value in bounds.people:
        return replace(view, segment=value)
    notices.append(f"There is no segment {_short(value)} in segments.yml; this is everybody.")
    return view


def _about(view: View, name: str, value: str, notices: list[str]) -> View:
    if 0 < len(value) <= LONGEST_VALUE and "\x00" not in value:
        return replace(view, about=(name, value))
    notices.append(f"{_short(value)} is no {DIMENSIONS[name].label.lower()}; it was left out.")
    return view


def _segment(view: View, name: str, values: list[str], bounds: Bounds, notices: list[str]) -> View:
    known = set(bounds.segments.get(name, ()))
    unknown = [value for value in values if value not in known]
    if unknown:
        notices.append(f"No {name} {_short(unknown[0])} in the last year's data; that filter was left out.")
    kept = tuple(dict.fromkeys(value for value in values if value in known))
    return replace(view, **{name: kept})  # type: ignore[arg-type]


def _custom(view: View, given: Mapping[str, list[str]], bounds: Bounds, notices: list[str]) -> View:
    try:
        start = date.fromisoformat(given["from"][-1]) if "from" in given else bounds.first
        end = date.fromisoformat(given["to"][-1]) if "to" in given else bounds.latest
    except ValueError:
        notices.append("The dates in this link cannot be read; write them as 2026-11-21.")
        return view
    if start > end:
        notices.append("The dates in this link end before they start; they were left out.")
        return view
    period = custom_period(start, end, bounds)
    if not period:
        notices.append(f"There is no data between {start} and {end}; it runs from {bounds.first} to {bounds.latest}.")
        return view
    return replace(view, preset="custom", period=period)


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:40] + "…")

"""The owner's segments.yml: what it may hold, and what is said of one that cannot be used."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

from clickstream_dagster.settings import Settings, SettingsError
from clickstream_dagster.warehouse.owner_file import is_name, listed, text_of

#: The one that comes along.
SHIPPED = Path(__file__).parents[1] / "segments.yml"
#: Conditions that take numbers; the table has a column `_from` and a column `_to` for each.
NUMBERS = ("visits", "orders", "purchases", "revenue", "days_since_order", "days_since_visit")
#: Conditions that take words, and the words where they are few.
WORDS: dict[str, tuple[str, ...]] = {
    "first_channel": (),
    "channel": (),
    "device": ("mobile", "tablet", "desktop", "other"),
    "country": (),
    "rfm": (
        *("champions", "loyal", "potential loyalists", "new", "promising"),
        *("need attention", "about to sleep", "at risk", "cannot lose", "hibernating"),
    ),
}
#: The columns of the table `segments`, in its order.
COLUMNS = ("segment", "label", *(f"{name}_{end}" for name in NUMBERS for end in ("from", "to")), *WORDS)
Segment = tuple[Any, ...]
_LIMIT = 1_000_000_000


class SegmentsUnusable(SettingsError):
    """segments.yml cannot be used; the message says where and what to do."""


def chosen(settings: Settings) -> list[Segment]:
    """Those of the owner's segments.yml, or of the one that came along. Raises `SegmentsUnusable`."""
    return read(text_of(settings.segments or SHIPPED, "CLICKSTREAM_SEGMENTS", SegmentsUnusable))


def read(text: str) -> list[Segment]:
    """The segments of a file, a row of COLUMNS for each. Raises `SegmentsUnusable`."""
    return listed(text, "segment", _segment, SegmentsUnusable)


def _segment(entry: Any, place: int) -> Segment:
    if not isinstance(entry, dict) or not isinstance(entry.get("where"), dict) or not entry["where"]:
        raise _unusable(f"segment {place}", "it takes a name and, under 'where', one condition or more")
    name, where = entry.get("name"), entry["where"]
    if not is_name(name):
        raise _unusable(
            f"segment {place}", f"{name!r} is no name; use small letters, digits and - such as lapsed-regulars"
        )
    if unknown := set(entry) - {"name", "label", "where"}:
        raise _unusable(name, f"{unknown.pop()!r} means nothing here; it takes name, label and where")
    if unknown := set(where) - {*NUMBERS, *WORDS}:
        raise _unusable(name, f"{unknown.pop()!r} is no condition; there are {', '.join((*NUMBERS, *WORDS))}")
    ends = [end for condition in NUMBERS for end in _ends(name, condition, where)]
    words = [_words(name, condition, where) for condition in WORDS]
    return (name, str(entry.get("label") or name), *ends, *words)


def _ends(name: str, condition: str, where: dict[str, Any]) -> tuple[Decimal | None, Decimal | None]:
    """The least and the most of a condition that takes numbers."""
    if condition not in where:
        return None, None
    said = where[condition]
    ends = said if isinstance(said, dict) else {"at_least": said, "at_most": said}
    if not ends or set(ends) - {"at_least", "at_most"}:
        raise _unusable(name, f"{condition} takes at_least and at_most, such as {{at_least: 3}}, not {said!r}")
    low, high = (_number(name, condition, ends.get(end)) for end in ("at_least", "at_most"))
    if low is not None and high is not None and low > high:
        raise _unusable(name, f"{condition} is never at least {low} and at most {high}")
    return low, high


def _number(name: str, condition: str, said: Any) -> Decimal | None:
    if said is None:
        return None
    is_number = isinstance(said, int | float) and not isinstance(said, bool) and abs(said) <= _LIMIT
    if not is_number or (condition != "revenue" and said != int(said)):
        raise _unusable(name, f"{condition} takes {'a' if condition == 'revenue' else 'a whole'} number, not {said!r}")
    return Decimal(str(said))


def _words(name: str, condition: str, where: dict[str, Any]) -> list[str] | None:
    if condition not in where:
        return None
    said = where[condition]
    words = said if isinstance(said, list) else [said]
    if not words:
        raise _unusable(name, f"{condition} has no word; leave it out")
    for word in words:
        if not isinstance(word, str):
            raise _unusable(name, f"{condition} takes words, not {word!r}; write it in quotes")
        if WORDS[condition] and word not in WORDS[condition]:
            raise _unusable(name, f"{condition} is one of {', '.join(WORDS[condition])}, not {word!r}")
    return words


def _unusable(where: str, what: str) -> SegmentsUnusable:
    return SegmentsUnusable(f"segments.yml, {where}: {what}.")

"""The owner's funnels.yml: what it may hold, what is said of one that cannot be used, and the rows that it becomes."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

from psycopg2.extras import Json, execute_values

from clickstream_dagster.settings import Settings, SettingsError
from clickstream_dagster.warehouse.connection import Cursor
from clickstream_dagster.warehouse.owner_file import is_name, listed, text_of

#: The one that comes along.
SHIPPED = Path(__file__).parents[1] / "funnels.yml"
UNITS = {"sessions": "session", "visitors": "visitor", "people": "person"}
WINDOWS = {
    "1 hour": timedelta(hours=1),
    "1 day": timedelta(days=1),
    "7 days": timedelta(days=7),
    "30 days": timedelta(days=30),
}
MOST_STEPS, MOST_STARS, LONGEST = 8, 3, 200
_STEP = re.compile(r"(?:(?P<event>[a-z0-9_.:-]+))?(?:(?:^| )on (?P<page>/\S*|\*\S+))?(?:(?:^| )of (?P<category>\S.*))?")
#: Name, label, steps as the function `funnel` takes them, unit, window.
Funnel = tuple[str, str, list[dict[str, str]], str, timedelta | None]


class FunnelsUnusable(SettingsError):
    """funnels.yml cannot be used; the message says where and what to do."""


def chosen(settings: Settings) -> list[Funnel]:
    """Those of the owner's funnels.yml, or of the one that came along. Raises `FunnelsUnusable`."""
    return read(text_of(settings.funnels or SHIPPED, "CLICKSTREAM_FUNNELS", FunnelsUnusable))


def read(text: str) -> list[Funnel]:
    """The funnels of a file. Raises `FunnelsUnusable`."""
    return listed(text, "funnel", _funnel, FunnelsUnusable)


def step(said: Any) -> dict[str, str] | None:
    """A step as the function `funnel` takes it; None when it is none."""
    line = " ".join(said.split()) if isinstance(said, str) else ""
    found = _STEP.fullmatch(f"on {line}" if line.startswith("/") else line)
    parts = {name: value for name, value in found.groupdict().items() if value} if found else {}
    return parts if parts and len(line) <= LONGEST and parts.get("page", "").count("*") <= MOST_STARS else None


def _funnel(entry: Any, place: int) -> Funnel:
    if not isinstance(entry, dict):
        raise _unusable(f"funnel {place}", "it takes a name and a list of steps")
    name, said = entry.get("name"), entry.get("steps")
    if not is_name(name):
        raise _unusable(
            f"funnel {place}", f"{name!r} is no name; use small letters, digits and - such as cart-to-order"
        )
    if unknown := set(entry) - {"name", "label", "steps", "count", "within"}:
        raise _unusable(name, f"{unknown.pop()!r} means nothing here; it takes name, label, steps, count and within")
    if not isinstance(said, list) or not 2 <= len(said) <= MOST_STEPS:
        raise _unusable(name, f"it takes from two steps to {MOST_STEPS}")
    steps = [step(one) for one in said]
    if None in steps:
        raise _unusable(
            name,
            f"{said[steps.index(None)]!r} is no step; write an event (add_to_cart), a page (on /product/*, with up to "
            f"{MOST_STARS} stars) or a category (of Shoes)",
        )
    for word, choices in (("count", UNITS), ("within", WINDOWS)):
        if word in entry and not (isinstance(entry[word], str) and entry[word] in choices):
            raise _unusable(name, f"{word} is one of {', '.join(choices)}, not {entry[word]!r}")
    return (
        name,
        str(entry.get("label") or name),
        [one for one in steps if one],
        UNITS[entry.get("count", "sessions")],
        WINDOWS[entry["within"]] if "within" in entry else None,
    )


def _unusable(where: str, what: str) -> FunnelsUnusable:
    return FunnelsUnusable(f"funnels.yml, {where}: {what}.")


def are_new(cursor: Cursor, funnels: list[Funnel]) -> bool:
    """Are these others than those that the warehouse has?"""
    cursor.execute("select funnel, label, steps, unit, within from funnels order by place")
    return cursor.fetchall() != funnels


def write(cursor: Cursor, funnels: list[Funnel]) -> None:
    """Put these in the place of those that the warehouse has, where they are others."""
    if not are_new(cursor, funnels):
        return
    cursor.execute("delete from funnels")
    rows = [(place, name, label, Json(steps), *more) for place, (name, label, steps, *more) in enumerate(funnels)]
    execute_values(cursor, "insert into funnels (place, funnel, label, steps, unit, within) values %s", rows)

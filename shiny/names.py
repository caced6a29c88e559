"""What people call the values that the tables hold as codes."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

NONE = "(none)"
_CAPITALS = frozenset({"json", "url", "id", "utf", "ip"})
_DEVICES = {"desktop": "Desktop", "mobile": "Phone", "tablet": "Tablet", "other": "Other devices"}


def in_words(dimension: str | None, value: str) -> str:
    """A value of a dimension in words; what has none is itself."""
    known = {"device": _DEVICES, "country": _countries()}.get(dimension or "")
    if known is None:
        return value
    return "Unknown" if value == NONE else known.get(value, value)


def spelled(code: str) -> str:
    """invalid_price as Invalid price, invalid_json as Invalid JSON."""
    found = code.replace("_", " ").replace("-", " ").split()
    words = " ".join(word.upper() if word in _CAPITALS else word for word in found)
    return words[:1].upper() + words[1:]


@cache
def _countries() -> dict[str, str]:
    """The names that the time zone database has for ISO 3166."""
    lines = (files("tzdata.zoneinfo") / "iso3166.tab").read_text("utf-8").splitlines()
    return dict(line.split("\t") for line in lines if not line.startswith("#"))

"""The file of the rules, channels.yml: what it may hold, and what is said of one that cannot be used.

A mistake that is not found would label all of history wrongly, without a word. So whatever the rules would not use is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

import yaml

from clickstream_dagster.settings import SettingsError

#: The one that comes along.
SHIPPED = Path(__file__).parents[1] / "channels.yml"
#: The patterns are the owner's, and look at no more than MAX_TAG characters.
compiled = cache(re.compile)
_SECTIONS = ("scheme", "click_ids", "sources", "apps", "media", "schemes")
#: Kinds that no source need have: a network's click id says them.
_KINDS_OF_CLICKS = ("display", "email", "affiliate")
_CONDITIONS = ("kind", "source", "medium", "is_paid", "campaign", "is_tagged")
_OF_A_CLICK = ("source", "kind", "is_paid")


class ChannelsUnusable(SettingsError):
    """channels.yml cannot be used; the message says where and what to do."""


def read(text: str) -> dict[str, Any]:
    """The content of a channels.yml. Raises `ChannelsUnusable`."""
    try:
        file = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        _refuse(f"line {mark.line + 1}" if mark else "", getattr(error, "problem", None) or str(error))
    _mapping(file, "")
    for name in {*_SECTIONS} ^ file.keys():
        _refuse("", f"{'has no' if name in _SECTIONS else 'does not know'} {name!r}; it takes {', '.join(_SECTIONS)}")
    _check_sources(file)
    _check_clicks(file)
    for package, host in _mapping(file["apps"], "apps").items():
        _check_name(_text(host, f"apps: {package}"), f"apps: {package}")
    for kind, pattern in _mapping(file["media"], "media").items():
        _check_pattern(pattern, f"media: {kind}")
    if file["scheme"] not in _mapping(file["schemes"], "schemes"):
        _refuse("scheme", f"is one of {', '.join(map(str, file['schemes']))}, not {file['scheme']!r}")
    for name, lines in file["schemes"].items():
        for number, line in enumerate(_list(lines, f"schemes: {name}"), start=1):
            _check_line(_mapping(line, f"schemes: {name}"), file, f"schemes: {name}, channel {number}")
    return dict(file)


def entries(file: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The names, hosts and patterns of `sources`, each after its kind."""
    for kind, names in file["sources"].items():
        for entry in names:
            yield from ((kind, name.strip()) for name in ([entry] if entry.startswith("/") else entry.split(",")))


def _check_sources(file: Mapping[str, Any]) -> None:
    for kind, names in _mapping(file["sources"], "sources").items():
        for name in _list(names, f"sources: {kind}"):
            _text(name, f"sources: {kind}")
    for kind, name in entries(file):
        if not name.startswith("/"):
            _check_name(name, f"sources: {kind}")
        elif len(name) < 2 or not name.endswith("/"):
            _refuse(f"sources: {kind}", f"a pattern stands between slashes; {name!r} does not end in one")
        else:
            _check_pattern(name.strip("/"), f"sources: {kind}")


def _check_clicks(file: Mapping[str, Any]) -> None:
    for name, entry in _mapping(file["click_ids"], "click_ids").items():
        where = f"click_ids: {name}"
        for key in _mapping(entry, where).keys() - set(_OF_A_CLICK):
            _refuse(where, f"takes {', '.join(_OF_A_CLICK)}, not {key!r}")
        _text(entry.get("source"), f"{where}: source")
        _one_of(entry.get("kind"), (*file["sources"], *_KINDS_OF_CLICKS), f"{where}: kind")
        _switch(entry.get("is_paid", False), f"{where}: is_paid")


def _check_line(line: Mapping[str, Any], file: Mapping[str, Any], where: str) -> None:
    for key in line.keys() - {"channel", *_CONDITIONS}:
        _refuse(where, f"a channel asks for {', '.join(_CONDITIONS)}, not {key!r}")
    _text(line.get("channel"), f"{where}: channel")
    sources = {*file["sources"], *_KINDS_OF_CLICKS}
    for key, known in (("source", sources), ("medium", {*file["media"]}), ("kind", sources | {*file["media"]})):
        if key in line:
            _one_of(line[key], sorted(map(str, known)), f"{where}: {key}")
    for key in ("is_paid", "is_tagged"):
        _switch(line.get(key, False), f"{where}: {key}")
    _check_pattern(line.get("campaign", ""), f"{where}: campaign")


def _check_name(name: str, where: str) -> None:
    if "/" in name or "?" in name:
        _refuse(where, f"{name!r} is an address; write the host alone, as forum.example")


def _check_pattern(pattern: Any, where: str) -> None:
    try:
        compiled(_text(pattern, where))
    except re.error as error:
        _refuse(where, f"{pattern!r} is no pattern: {error}")


def _mapping(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        _refuse(where, "takes names, each with its value after a colon")
    return value


def _list(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list):
        _refuse(where, f"takes a list, as [{value}] or a line for each after a dash")
    return value


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        _refuse(where, f"takes text, not {value!r}; write it in quotes")
    return value


def _switch(value: Any, where: str) -> None:
    if not isinstance(value, bool):
        _refuse(where, f"is true or false, not {value!r}")


def _one_of(value: Any, known: Any, where: str) -> None:
    if value not in known:
        _refuse(where, f"is one of {', '.join(map(str, known))}, not {value!r}")


def _refuse(where: str, what: str) -> NoReturn:
    raise ChannelsUnusable(
        f"channels.yml{', ' if where else ''}{where}: {what}. (The file is the one that CLICKSTREAM_CHANNELS names;"
        f" the one that came along is {SHIPPED}: begin with a copy of it.)"
    )

"""The file of the rules, channels.yml: what it may hold, and what is said of one that cannot be used."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from clickstream_dagster.settings import SettingsError

#: The one that comes along.
SHIPPED = Path(__file__).parents[1] / "channels.yml"
#: The patterns are the owner's, and look at no more than MAX_TAG characters.
compiled = cache(re.compile)
_SECTIONS = ("scheme", "click_ids", "sources", "apps", "media", "schemes")
_CONDITIONS = ("kind", "source", "medium", "is_paid", "campaign", "is_tagged")


class ChannelsUnusable(SettingsError):
    """channels.yml cannot be used; the message says where and what to do."""


def read(text: str) -> dict[str, Any]:
    """The content of a channels.yml. Raises `ChannelsUnusable`."""
    try:
        file = yaml.safe_load(text)
        _check(file)
        for pattern in (*file["media"].values(), *(name.strip("/") for _, name in entries(file) if name[:1] == "/")):
            compiled(pattern)
    except (yaml.YAMLError, re.error, KeyError, TypeError, AttributeError) as error:
        raise ChannelsUnusable(
            f"channels.yml cannot be read: {error!r}. Compare it with the one that came along."
        ) from None
    return dict(file)


def _check(file: dict[str, Any]) -> None:
    if missing := [name for name in _SECTIONS if name not in file]:
        raise ChannelsUnusable(f"channels.yml has no {missing[0]!r}; it takes {', '.join(_SECTIONS)}.")
    if file["scheme"] not in file["schemes"]:
        raise ChannelsUnusable(f"channels.yml: scheme is one of {', '.join(file['schemes'])}, not {file['scheme']!r}.")
    for line in file["schemes"][file["scheme"]]:
        if unknown := set(line) - {"channel", *_CONDITIONS}:
            raise ChannelsUnusable(f"channels.yml: a channel asks for {', '.join(_CONDITIONS)}, not {unknown.pop()!r}.")
        if not isinstance(line["channel"], str):
            raise ChannelsUnusable(f"channels.yml: {line['channel']!r} is no name of a channel; write it in quotes.")
        compiled(line.get("campaign", ""))


def entries(file: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The names, hosts and patterns of `sources`, each after its kind."""
    for kind, names in file["sources"].items():
        for entry in names:
            yield from ((kind, name.strip()) for name in ([entry] if entry.startswith("/") else entry.split(",")))

"""Files of JSON that hold their events otherwise than one on each line: objects over several lines, and lists in an object."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ingest_lambda.reading import parse

_LISTS = ("events", "batch")
_NAMES = frozenset(("event_name", "eventName", "event_type", "event", "name", "type"))


def enveloped(line: bytes) -> list[Any]:
    """The events of an object that is no event but has a list of them, each with what is said beside the list. None where
    it is an event itself. Raises `Reject` for what is not JSON."""
    if not any(f'"{name}"'.encode() in line for name in _LISTS):
        return []
    record = parse(line)
    if not isinstance(record, dict) or not _NAMES.isdisjoint(record):
        return []
    name = next((name for name in _LISTS if isinstance(record.get(name), list)), "")
    events = record.pop(name, [])
    return [{**record, **event} if isinstance(event, dict) else event for event in events]


def objects(found: Iterator[bytes]) -> Iterator[bytes]:
    """Objects that are printed over several lines, as by `jq .`: each ends with the line that begins with its bracket."""
    held: list[bytes] = []
    for line in found:
        held.append(line)
        if line.startswith(b"}") or (len(held) == 1 and line.strip() != b"{"):
            yield b"".join(held)
            held = []
    if held:
        yield b"".join(held)

"""Objects -> groups of rows as COPY takes them, made ahead in a thread while PostgreSQL works on those before."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from clickstream_dagster.raw import rows
from clickstream_dagster.raw.decode import Decoded
from clickstream_dagster.settings import COPY_BYTES, COPY_LINES, GROUPS_AHEAD, TURN_SECONDS

T = TypeVar("T")
_END: Any = object()


@dataclass
class Group:
    """Parts of objects that go into one COPY: those of many small objects, or one of a large one. `events` has a COPY line
    for each of their events, `seen` what these say that is labelled by its value."""

    parts: list[Decoded] = field(default_factory=list)
    events: list[bytes] = field(default_factory=list)
    seen: rows.Seen = field(default_factory=rows.Seen)


def groups(parts: Iterable[Decoded]) -> Iterator[Group]:
    """Parts as they come, in groups that memory holds."""
    group = Group()
    lines = size = 0
    for part in parts:
        group.parts.append(part)
        group.events += rows.event_rows(part, group.seen)
        lines += part.line_count
        size += part.size
        if lines >= COPY_LINES or size >= COPY_BYTES:
            yield group
            group, lines, size = Group(), 0, 0
    if group.parts:
        yield group


def ahead(items: Iterable[T]) -> Generator[T, None, None]:
    """The items, `GROUPS_AHEAD` of them made ahead in a thread. What making one raises comes in its place."""
    source = iter(items)
    with _short_turns(), ThreadPoolExecutor(1, "prepare") as pool:
        waiting: deque[Future[T]] = deque(pool.submit(next, source, _END) for _ in range(GROUPS_AHEAD))
        while (item := waiting.popleft().result()) is not _END:
            waiting.append(pool.submit(next, source, _END))
            yield item


@contextmanager
def _short_turns() -> Iterator[None]:
    """A thread that decodes keeps the interpreter for 5 ms at a time; each answer of PostgreSQL would wait for that."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(TURN_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(usual)

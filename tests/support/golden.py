"""Worked examples in a text file: what happened, a line for each event, and then for each query the rows that it gives."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from clickstream_dagster.stack import Stack
from ingest_lambda.contract import Event
from support.stories import rows, tell
from support.tables import unequal_sums

#: The events may come in any order; these two are tried.
ORDERS = {"at once": False, "backwards, one by one": True}


def check(stack: Stack, case: Path, told: Callable[[list[str]], Iterable[Event]], is_backwards: bool) -> None:
    """Load what happened, at once or one by one from its end, and compare the rows of each query."""
    lines = [line for line in case.read_text().splitlines() if not line.startswith("#")]
    first, *queries = "\n".join(lines).strip().split("\n\n")
    events = list(told(first.splitlines()[1:]))
    for group in [[one] for one in reversed(events)] if is_backwards else [events]:
        tell(stack, *group)
    for query, *expected in map(str.splitlines, queries):
        assert [" | ".join(map(str, row)) for row in rows(stack, query)] == expected, query
    with stack.warehouse() as connection:
        assert unequal_sums(connection) == {}


def cases(page: Path) -> Iterator[tuple[str, list[str]]]:
    """The cases of a page of Markdown: the title of each, and its indented lines."""
    for part in page.read_text().split("\n## ")[1:]:
        title, *lines = part.splitlines()
        yield title, [line.strip() for line in lines if line.startswith("    ")]

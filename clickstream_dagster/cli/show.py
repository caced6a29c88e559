"""What commands print: tables, times, progress."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from clickstream_dagster import progress

#: A pipe has no width: wide enough for the tables.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
console = Console(highlight=False, width=None if sys.stdout.isatty() else 130)


def table(title: str, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A table; numbers to the right. Text from visitors is shown as text, never as markup."""
    shown = Table(title=escape(title), title_justify="left", title_style="bold", pad_edge=False)
    for place, name in enumerate(header):
        is_number = bool(rows) and all(isinstance(row[place], int | float) or row[place] in ("", "–") for row in rows)
        shown.add_column(escape(name), justify="right" if is_number else "left")
    for row in rows:
        shown.add_row(*(escape(text(cell)) for cell in row))
    console.print(shown)


def text(cell: object) -> str:
    """A cell as a person reads it; a dash for what is not there."""
    if cell is None:
        return "–"
    if isinstance(cell, datetime):
        return cell.strftime("%Y-%m-%d %H:%M")
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    return f"{cell:,}" if isinstance(cell, int) else harmless(str(cell))


def harmless(said: str) -> str:
    """Text of visitors without what a terminal would obey: escapes, control characters, turned writing direction."""
    return _CONTROLS.sub("\ufffd", said)


def many(number: int, thing: str) -> str:
    """1 hour, 1,408 hours."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


@contextmanager
def bar(description: str, total: int | None = None, *, is_long: bool = False) -> Iterator[Progress]:
    """A progress bar on stderr's terminal; silent where there is no terminal. One that is long says how long yet."""
    columns = [TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()]
    if is_long:
        columns.append(TimeRemainingColumn())
    screen = Console(stderr=True)
    with Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal) as shown:
        shown.add_task(description, total=total)
        yield shown


@contextmanager
def run_progress() -> Iterator[None]:
    """Follow a run: objects loaded, then tables rebuilt."""
    with bar("loading hours") as shown:
        [task] = shown.task_ids

        def follow(step: str, done: int, total: int) -> None:
            what = "objects loaded" if step == "clickstream_events" else f"tables: {step}"
            shown.update(task, description=what, completed=done, total=total)

        with progress.listening(follow):
            yield

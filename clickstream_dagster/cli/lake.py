"""`clickstream lake`: the tables as Parquet in the bucket."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

import click

from clickstream_dagster.cli.materializing import Time
from clickstream_dagster.cli.show import bar, console
from clickstream_dagster.partitions import key_of
from clickstream_dagster.settings import load_settings
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.connection import Connection
from clickstream_dagster.warehouse.lake.hours import LakeHour, all_hours, closed, has_begun, tables
from clickstream_dagster.warehouse.lake.verify import Difference, verify
from clickstream_dagster.warehouse.lake.write import write

#: So many rows of an hour that differ are listed.
_LISTED = 20


@click.group("lake")
def lake_command() -> None:
    """Write closed hours of the tables as Parquet into the bucket, under lake/, and compare them with the tables.

    \b
      clickstream lake write --dry-run
      clickstream lake write
      clickstream lake verify --from 2026-11-01 --to 2026-11-30T23:00
    """


def _range(command: Callable[..., None]) -> Callable[..., None]:
    for option, name, what in (
        ("--to", "end", "Last hour, included. Default: the last closed one."),
        ("--from", "start", "First hour, UTC. Default: the first one of all."),
    ):
        command = click.option(option, name, type=Time(), help=what)(command)
    return command


@lake_command.command("write")
@_range
@click.option("--dry-run", is_flag=True, help="Say which hours would be written, and write nothing.")
def write_command(start: datetime | None, end: datetime | None, dry_run: bool) -> None:
    """Write each closed hour that has changed since it was written, or was never written.

    An hour is one object for each table; the same rows are the same object, so writing again writes nothing. Objects that the
    manifest (lake_hours) does not know are removed. Stopped anywhere, the same command goes on.
    """
    _check(start, end)
    stack = Stack(load_settings(), keeps_settings=True)
    with stack.warehouse() as connection:
        if dry_run:
            console.print(_would_write(connection, start, end))
            return
        with _counting("hours written", connection, start, end) as (choose, advance):
            done = write(connection, stack.store, choose, advance)
    if done.hours:
        console.print(f"Wrote {done.hours:,} hours of tables: {done.rows:,} rows, {done.size_bytes:,} bytes.")
    if done.removed:
        console.print(f"Removed {done.removed:,} objects that do not count any more.")
    if not (done.hours or done.removed):
        console.print("Nothing has changed since the lake was written.")


@lake_command.command("verify")
@_range
def verify_command(start: datetime | None, end: datetime | None) -> None:
    """Compare the lake with the tables, row by row, and end with 1 where they differ.

    PostgreSQL and DuckDB both say every value of each row as text; rows of which these differ are listed. Hours that have changed
    since they were written wait for `clickstream lake write` and are not compared.
    """
    _check(start, end)
    stack = Stack(load_settings(), keeps_settings=True)
    with (
        stack.warehouse() as connection,
        _counting("hours compared", connection, start, end) as (choose, advance),
    ):
        done = verify(connection, stack.store, choose, advance)
    for difference in done.differences:
        _tell(difference)
    differ = len(done.differences)
    console.print(
        f"{done.hours:,} hours of tables compared, {done.rows:,} rows: {f'{differ:,} differ' if differ else 'all are equal'}."
    )
    if done.waiting:
        console.print(f"{done.waiting:,} have changed since they were written. Write them: clickstream lake write")
    sys.exit(1 if differ else 0)


def _would_write(connection: Connection, start: datetime | None, end: datetime | None) -> str:
    if not has_begun(connection):
        return "There is no lake yet: the first write would write every closed hour."
    found = all_hours(connection, tables(connection))
    owed = _chosen(connection, [hour for hour in found if hour.is_owed], start, end)
    return f"Would write {len(owed):,} hours of tables; {len(found) - len(owed):,} stay as they are."


def _check(start: datetime | None, end: datetime | None) -> None:
    if start and end and start > end:
        raise click.UsageError(f"--from {key_of(start)} lies after --to {key_of(end)}; swap them.")


@contextmanager
def _counting(
    description: str, connection: Connection, start: datetime | None, end: datetime | None
) -> Iterator[tuple[Callable[[list[LakeHour]], list[LakeHour]], Callable[[object], None]]]:
    """What chooses the hours of a range, and what counts each of them on a progress bar."""
    with bar(description) as shown:
        [task] = shown.task_ids

        def choose(hours: list[LakeHour]) -> list[LakeHour]:
            chosen = _chosen(connection, hours, start, end)
            shown.update(task, total=len(chosen))
            return chosen

        yield choose, lambda _: shown.advance(task)


def _chosen(
    connection: Connection, hours: list[LakeHour], start: datetime | None, end: datetime | None
) -> list[LakeHour]:
    return [
        one for one in closed(connection, hours) if (not start or start <= one.hour) and (not end or one.hour <= end)
    ]


def _tell(difference: Difference) -> None:
    hour = difference.hour
    said = f"{hour.model}, {hour.hour:%Y-%m-%d %H:00}: "
    if difference.broken:
        said += f"{hour.object_key} cannot be compared, {difference.broken}."
    else:
        counts = len(difference.only_in_postgres), len(difference.only_in_lake)
        said += f"{counts[0]:,} rows are only in PostgreSQL so, {counts[1]:,} only in the lake."
    console.print(said, style="red", soft_wrap=True, markup=False)
    for where, keys in (("PostgreSQL", difference.only_in_postgres), ("lake", difference.only_in_lake)):
        for key in keys[:_LISTED]:
            console.print(f"  {where}: {key}", soft_wrap=True, markup=False)
    console.print(f"  Delete {hour.object_key}, then run: clickstream lake write", soft_wrap=True, markup=False)

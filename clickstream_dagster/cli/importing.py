"""`clickstream import`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path

import click

from clickstream_dagster.cli.show import bar, console
from clickstream_dagster.local.importer.mapping import MappingError, read_mapping
from clickstream_dagster.local.importer.records import ImportFailed, Record, check_whole, read_csv, read_ndjson
from clickstream_dagster.local.importer.store import Imported, store_records
from clickstream_dagster.partitions import key_of
from clickstream_dagster.raw.objects import folder_of
from clickstream_dagster.settings import Settings, first_hour_file, load_settings
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.unseen import touch_hours
from ingest_lambda.contract import Event
from ingest_lambda.folder import in_bulk

#: A file none of whose first lines is an event is the wrong file, or has the wrong mapping.
TRIED_LINES = 100

EPILOG = """
\b
A mapping says which column is which field (docs/events.md lists the fields):
\b
  columns:
    event_name: {column: event_type, values: {view: view_product, cart: add_to_cart}}
    event_timestamp: {column: event_time, format: "%Y-%m-%d %H:%M:%S UTC"}
    client_id: user_id
    product.id: product_id
    product.price: price
    currency: {value: EUR}

Each event is stored in the hour of its own time, as if received then, and checked like one that the collector gets:
what is not accepted is kept with its reason, in the hour of the line before it. Importing a file again stores nothing twice.
"""


@click.command("import", epilog=EPILOG)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@click.option("--map", "map_file", type=click.Path(path_type=Path), help="Mapping of CSV columns to event fields.")
def import_command(files: tuple[Path, ...], map_file: Path | None) -> None:
    """Bring in FILEs of events: NDJSON (.json, .ndjson, .gz, any accepted dialect), or CSV with --map."""
    for path in files:
        check(path, map_file)
    stack = Stack(load_settings())
    for path in files:
        done = store(stack, path, map_file)
        tell(path, done)
        if done.first_hour:
            extend_range(load_settings(), done.first_hour)  # read again: the file before this one may have moved it
    console.print("Load what is not loaded yet:  clickstream materialize")


def check(path: Path, map_file: Path | None) -> None:
    """Find what would stop the import before anything is stored."""
    if path.is_dir():
        raise ImportFailed(f"{path} is a folder. Name the files in it, as in {path}/*.json.")
    if not path.is_file():
        raise ImportFailed(f"There is no file {path}. Check the path.")
    if path.name.lower().removesuffix(".gz").endswith(".csv") and not map_file:
        raise MappingError(
            f"{path} is a CSV: say which column is which with --map mapping.yml (see clickstream import -h)."
        )
    tried = list(islice(records(path, map_file), TRIED_LINES))
    if not tried:
        raise ImportFailed(f"{path} holds no events. Check that it is the file you mean.")
    reasons = [record.outcome for record in tried if not isinstance(record.outcome, Event)]
    if len(reasons) == len(tried):
        raise ImportFailed(
            f"None of the first {len(tried):,} lines of {path} is an event ({reasons[0].message}). "
            f"Give {'another mapping' if map_file else 'one JSON event on each line, or a CSV with --map'}."
        )
    check_whole(path)


def records(path: Path, map_file: Path | None) -> Iterator[Record]:
    """The records of a file, through its mapping when there is one."""
    return read_csv(path, read_mapping(map_file)) if map_file else read_ndjson(path)


def store(stack: Stack, path: Path, map_file: Path | None) -> Imported:
    """Store one file, with a progress bar, and have its hours looked at by the next `clickstream materialize`."""
    with bar(f"importing {path.name}", path.stat().st_size) as shown:
        [task] = shown.task_ids

        def follow(record: Record) -> None:
            shown.update(task, completed=record.read_bytes)

        with in_bulk(stack.store):
            done = store_records(stack.store, path, records(path, map_file), follow)
    if not folder_of(stack.store):  # a folder tells by itself what was put into it
        with stack.warehouse() as connection:
            touch_hours(connection, done.hours)
    return done


def tell(path: Path, done: Imported) -> None:
    """What an import did, in two lines."""
    if done.known_objects and not done.objects:
        console.print(f"{path}: imported before, nothing new ({done.events:,} events).")
        return
    hours = (
        f", hours {key_of(done.first_hour)} to {key_of(done.last_hour)}" if done.first_hour and done.last_hour else ""
    )
    console.print(f"{path}: {done.events:,} events in {done.objects:,} objects{hours}.")
    for code, count in sorted(done.rejected.items()):
        console.print(f"  {count:,} rejected: {code} (kept with their reason; see rejected_events after materialize)")


def extend_range(settings: Settings, hour: datetime) -> None:
    """Move the first hour back when the history is older: by itself on the embedded default, by hand elsewhere."""
    first = settings.first_hour
    if hour >= first:
        return
    if settings.is_embedded and not os.environ.get("CLICKSTREAM_FIRST_HOUR"):
        settings.home.mkdir(parents=True, exist_ok=True)
        first_hour_file(settings.home).write_text(hour.isoformat())
        console.print(f"The partition range now begins at {key_of(hour)} (it began at {key_of(first)}).")
    else:
        console.print(
            f"These hours lie before the first partition, {key_of(first)}. Set CLICKSTREAM_FIRST_HOUR={hour:%Y-%m-%dT%H:00Z} "
            "for every process (the tick, the Dagster server), restart them, then materialize."
        )

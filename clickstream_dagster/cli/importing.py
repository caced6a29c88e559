"""`clickstream import`."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import click

from clickstream_dagster.cli.import_checks import check, what_is_wrong
from clickstream_dagster.cli.import_report import show_check, tell
from clickstream_dagster.cli.imports import forget
from clickstream_dagster.cli.show import bar, console
from clickstream_dagster.local.importer import notes
from clickstream_dagster.local.importer.document import read_document, ready, ready_names
from clickstream_dagster.local.importer.formats import FORMATS, SEGMENT
from clickstream_dagster.local.importer.opening import ImportFailed
from clickstream_dagster.local.importer.source import Source
from clickstream_dagster.local.importer.store import Imported, store_source
from clickstream_dagster.local.importer.work import Done
from clickstream_dagster.partitions import key_of
from clickstream_dagster.raw.objects import folder_of
from clickstream_dagster.settings import Settings, first_hour_file, load_settings
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.unseen import touch_hours
from ingest_lambda.folder import in_bulk

KNOWN = sorted([*ready_names(), *FORMATS, SEGMENT])

EPILOG = """
\b
A mapping says which column is which field (docs/events.md lists the fields):
\b
  columns:
    event_name: {column: event_type, values: {view: view_product, cart: add_to_cart}}
    event_timestamp: event_time
    client_id: user_id
    product.id: product_id
    product.price: price
  constants: {currency: EUR}

\b
What it does not say is found out and told; it may say delimiter, decimal, encoding, skip_lines, time_zone (default:
the shop's), time_formats, booleans; order_lines, where an order has a row for each of its lines; leave_out, for what was
never paid; and refund, for what was given back:
\b
  order_lines: {product_id: sku, name: title, price: price, quantity: pieces}
  leave_out: {status: [cancelled, failed]}
  refund: {amount: refunded, time: refunded_at, when: {status: refunded}}

Each event is stored in the hour of its own time, as if received then, and checked like one that the collector gets:
what is not accepted is kept with its reason, in the hour of the line before it. Importing a file again stores nothing twice;
clickstream forget takes an import back. More: docs/imports.md.
"""


@click.command("import", epilog=EPILOG)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@click.option("--map", "map_file", type=click.Path(path_type=Path), help="Mapping of CSV columns to event fields.")
@click.option("--as", "known", type=click.Choice(KNOWN), help="A mapping or a format that comes with clickstream.")
@click.option("--check", "is_check", is_flag=True, help="Show how the files would be read; store nothing.")
@click.option(
    "--replace", is_flag=True, help="Take earlier imports of a file of this name, or of these bytes, back first."
)
@click.option(
    "--allow-refused",
    is_flag=True,
    help="Exit with 0 even when more than 5 % is refused, or 5 % of the orders have no amount.",
)
def import_command(
    files: tuple[Path, ...],
    map_file: Path | None,
    known: str | None,
    is_check: bool,
    replace: bool,
    allow_refused: bool,
) -> None:
    """Import FILEs of events: JSON (any accepted dialect, one event a line or one array), or CSV with --map or --as.

    Packed by gzip or zip or not, in any encoding.
    """
    if map_file and known:
        raise click.UsageError("--map and --as are two mappings; leave one of them out.")
    settings = load_settings()
    format = known if known not in ready_names() else None
    document = read_document(map_file) if map_file else ready(known) if known and not format else None
    sources = [check(path, document, settings.timezone, format) for path in files]
    if is_check:
        for source in sources:
            show_check(source)
        return
    stack = Stack(settings, keeps_settings=True)
    wrong: list[str] = []
    for source in sources:
        for note in notes.replaced_by(stack.store, source, sources) if replace else ():
            forget(stack, note)
        for note in notes.otherwise_read(stack.store, source, sources):
            console.print(
                f"{source.path}: imported before as {note.name}, read in another way (mapping, time zone or key of hashed ids). "
                "What now reads differently counts twice; --replace takes that one back first."
            )
        done = store(stack, source)
        tell(source.path, done)
        if done.first_hour:
            extend_range(load_settings(), done.first_hour)  # read again: the file before this one may have moved it
        wrong += what_is_wrong(source, done)
    console.print("Load what is not loaded yet:  clickstream materialize")
    if wrong and not allow_refused:
        raise ImportFailed(
            f"{'; '.join(wrong)}. The rest is stored; fix the file or its mapping and import it again with --replace, or add "
            "--allow-refused if that is as it should be."
        )


def store(stack: Stack, source: Source) -> Imported:
    """Store one file, with a progress bar, and have its hours looked at by the next `clickstream materialize`."""
    path = source.path
    with bar(f"importing {path.name}", path.stat().st_size) as shown:
        [task] = shown.task_ids

        def follow(done: Done) -> None:
            shown.update(task, completed=done.position)

        note = notes.note_of(source, datetime.now(UTC))
        notes.write(stack.store, note)
        with in_bulk(stack.store):
            done = store_source(stack.store, source, follow)
        notes.write(stack.store, notes.finished(note, done, datetime.now(UTC)))
    if not folder_of(stack.store):  # a folder tells by itself what was put into it
        with stack.warehouse() as connection:
            touch_hours(connection, done.hours)
    return done


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

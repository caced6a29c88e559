"""What an import says of a file: how it would be read, and what was done."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from clickstream_dagster.cli.import_checks import shown_piece
from clickstream_dagster.cli.show import bar, console, harmless
from clickstream_dagster.local.importer.source import CHUNK_PIECES, Source
from clickstream_dagster.local.importer.store import Imported
from clickstream_dagster.local.importer.work import Done, work_through
from clickstream_dagster.partitions import key_of
from ingest_lambda.contract import WARNINGS

SHOWN_EVENTS, SHOWN_REASONS = 3, 50


def show_check(source: Source) -> None:
    """What an import would make of a file: its first events, and every reason of a refusal and every warning with its count."""
    events, reasons, warnings, left_out = 0, Counter[tuple[str, str]](), Counter[str](), Counter[str]()
    examples: dict[tuple[str, str], bytes] = {}
    with bar(f"reading {source.path.name}", source.path.stat().st_size) as shown:
        [task] = shown.task_ids
        for done in work_through(source, CHUNK_PIECES):
            shown.update(task, completed=done.position)
            if not events:
                show_first(done)
            events += done.count
            reasons += done.reasons
            warnings += done.warnings
            left_out += done.left_out
            examples = {**done.examples, **examples}
    show_columns(source)
    console.print(f"{source.path}: {events:,} events, {reasons.total():,} refused. Nothing is stored.")
    show_reasons(source, reasons, examples)
    tell_left_out(left_out)
    tell_warnings(warnings)


def show_reasons(source: Source, reasons: Counter[tuple[str, str]], examples: dict[tuple[str, str], bytes]) -> None:
    """Why lines are refused, the most usual first, each with the first of them."""
    most = reasons.most_common(SHOWN_REASONS)
    numbers = source.line_numbers(examples[reason] for reason, _ in most) if most else {}
    for (code, message), count in most:
        console.print(f"  {count:,} {harmless(f'{code}: {message}')}", markup=False)
        console.print(f"    {shown_piece(examples[code, message], numbers)}", markup=False)
    if len(reasons) > SHOWN_REASONS:
        console.print(f"  and {len(reasons) - SHOWN_REASONS:,} rarer reasons")


def show_columns(source: Source) -> None:
    """Which columns of a CSV nothing reads, and which optional ones it does not have."""
    if not source.document or not source.layout:
        return
    used, header = source.document.mapping.used_columns, source.layout.header
    for what, columns in (
        ("columns that nothing reads", [name for name in header if name not in used]),
        ("optional columns that the file does not have", sorted(used.difference(header))),
    ):
        if columns:
            console.print(f"{source.path}: {what}: {harmless(', '.join(columns))}.", markup=False)


def tell_left_out(reasons: Counter[str]) -> None:
    """How many lines were no events, and why."""
    for why, count in reasons.most_common():
        console.print(f"  {count:,} left out: {harmless(why)}", markup=False)


def tell_warnings(warnings: Counter[str]) -> None:
    """How many events could not be kept just as they were, and what that means."""
    for code, count in warnings.most_common():
        console.print(f"  {count:,} accepted with a warning: {code}. {WARNINGS[code].replace('`', '')}", markup=False)


def show_first(done: Done) -> None:
    """The first events of a chunk, hour by hour."""
    lines = [line for hour in done.events.values() for line in hour.text.splitlines()[:SHOWN_EVENTS]][:SHOWN_EVENTS]
    if lines:
        console.print("The first event:" if len(lines) == 1 else f"The first {len(lines)} events:")
    for line in lines:
        console.print(harmless(line.decode()), markup=False, soft_wrap=True)


def tell(path: Path, done: Imported) -> None:
    """What an import did."""
    if done.known_objects and not done.objects:
        console.print(f"{path}: imported before, nothing new ({done.events:,} events).")
        return
    hours = (
        f", hours {key_of(done.first_hour)} to {key_of(done.last_hour)}" if done.first_hour and done.last_hour else ""
    )
    console.print(f"{path}: {done.events:,} events in {done.objects:,} objects{hours}.")
    tell_left_out(done.left_out)
    for code, count in sorted(done.rejected.items()):
        console.print(f"  {count:,} rejected: {code} (kept with their reason; see rejected_events after materialize)")
    tell_warnings(done.warnings)

"""Take those who were erased out of the store and the tables, whatever came of their lines, and owe whatever that changes.

An object with a line of theirs is written again without it, in its place, and all that came of the object is loaded again, in
one transaction. So the tables come out as if the line had never been there; and since the manifest knows the new
bytes before they are written, no load takes them for new, wherever this is cut off.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from obstore.store import ObjectStore

from clickstream_dagster.raw.erased import Erased, hashed
from clickstream_dagster.warehouse.connection import Connection, held, take_lock, transaction
from clickstream_dagster.warehouse.erasing import erased_ids
from clickstream_dagster.warehouse.erasing.clean_objects import clean, would_change
from clickstream_dagster.warehouse.erasing.take_out import take_out
from clickstream_dagster.warehouse.erasing.their_lines import batches, find
from clickstream_dagster.warehouse.load import LISTED


@dataclass(frozen=True)
class Receipt:
    """What an erasure took out, without a word of whom."""

    COUNTS: ClassVar = (
        *("lines", "events", "duplicates", "rejected", "objects_rewritten", "objects_removed", "hours"),
    )

    receipt_id: str
    erased_at: datetime
    lines: int
    events: int
    duplicates: int
    rejected: int
    objects_rewritten: int
    objects_removed: int
    hours: int


def erase(
    connection: Connection,
    store: ObjectStore,
    ids: Iterable[tuple[str, str]],
    on_batch: Callable[[int, int], None] = lambda done, total: None,
) -> Receipt:
    """Erase whoever has these ids (each with its kind), for good. Killed anywhere and run again, it does the rest; run twice, it
    finds nothing. `on_batch` is told of the objects that are done, and how many there are."""
    with held(connection, LISTED):  # a load that goes on does not know of them
        receipt = erased_ids.add(connection, store, ids)
    sweep(connection, store, receipt, on_batch)
    return receipt_of(connection, receipt)


def sweep_again(
    connection: Connection,
    store: ObjectStore,
    on_batch: Callable[[int, int], None] = lambda done, total: None,
) -> Receipt | None:
    """Erase whatever came back of anybody who was erased, on the latest receipt; None where nobody ever was."""
    erased_ids.known(connection, store)
    with held(connection, LISTED):
        erased_ids.write(connection, store)
    with transaction(connection) as cursor:
        cursor.execute("select receipt_id::text from erasures order by erased_at desc, receipt_id limit 1")
        found = cursor.fetchone()
    if not found:
        return None
    sweep(connection, store, UUID(found[0]), on_batch)
    return receipt_of(connection, UUID(found[0]))


def count(connection: Connection, store: ObjectStore, ids: Iterable[tuple[str, str]]) -> dict[str, int]:
    """How much of those with these ids, and of whoever was erased before, would go. Changes nothing."""
    salt = bytes(16)
    new = [(salt, hashed(salt, kind, name)) for kind, name in ids]
    erased = Erased([*new, *erased_ids.known(connection, store).hashes])
    found = find(connection, erased)
    total: Counter[str] = Counter(lines=0, objects_rewritten=0, objects_removed=0)
    hours = set()
    for batch in batches(found.suspects):
        for suspect, lines, is_kept in would_change(connection, store, batch, erased):
            total["lines"] += lines
            total["objects_rewritten" if is_kept else "objects_removed"] += 1
            hours.add(suspect.hour)
    return {**total, "hours": len(hours)}


def sweep(
    connection: Connection,
    store: ObjectStore,
    receipt: UUID,
    on_batch: Callable[[int, int], None] = lambda done, total: None,
) -> None:
    """Take out whatever is left, or has come back, of anybody who was ever erased, and count it on this receipt."""
    erased = erased_ids.known(connection, store)
    found = find(connection, erased)
    done = 0
    for batch in batches(found.suspects):
        with held(connection, LISTED):
            cleaned = clean(connection, store, batch, erased)
            if cleaned.whole or cleaned.lost:
                with transaction(connection) as cursor:
                    take_lock(cursor, "clickstream_events")
                    take_out(cursor, store, batch, cleaned, found, erased, receipt)
        done += len(batch)
        on_batch(done, len(found.suspects))


def receipt_of(connection: Connection, receipt: UUID) -> Receipt:
    """The receipt as it stands in the warehouse."""
    with transaction(connection) as cursor:
        columns = ", ".join(field.name for field in fields(Receipt))
        cursor.execute(f"select {columns} from erasures where receipt_id = %s", (str(receipt),))
        return Receipt(*cursor.fetchone())  # type: ignore[misc]

"""Where the lines of those who were erased may lie, as far as the tables know."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from clickstream_dagster.raw.decode import rejected_bytes
from clickstream_dagster.raw.erased import USER, VISITOR, Erased, names_in
from clickstream_dagster.settings import BATCH_BYTES, BATCH_OBJECTS
from clickstream_dagster.warehouse.connection import Connection, Cursor, transaction
from ingest_lambda.contract import Rejection

#: Whose an event is, with the parameters of `Found.ids`.
THEIRS = "(visitor_id = any(%(visitors)s) or user_id = any(%(users)s))"
_ROWS = 2_000


@dataclass(frozen=True)
class Suspect:
    """An object that may hold a line of theirs."""

    key: str
    hour: datetime
    size: int


@dataclass
class Found:
    """What the tables know. `rejects` are the places of rejects that name one of them."""

    visitors: list[str]
    users: list[str]
    rejects: set[tuple[str, str, int]] = field(default_factory=set)
    suspects: list[Suspect] = field(default_factory=list)

    @property
    def ids(self) -> dict[str, list[str]]:
        """As the parameters of a statement."""
        return {"visitors": self.visitors, "users": self.users}


def find(connection: Connection, erased: Erased) -> Found:
    """Look through the tables: once through each that says whose a line is."""
    with transaction(connection) as cursor:
        found = Found(_ids(connection, VISITOR, erased), _ids(connection, USER, erased))
        cursor.execute(
            f"""
            create temporary table suspects on commit drop as
            with theirs as (
                select event_id, object_key from clickstream_events where {THEIRS}
            )
            select object_key from theirs
            union
            select duplicate_events.object_key from theirs inner join duplicate_events using (event_id)
            union  -- whose a copy is that says something else, only its object knows
            select object_key from duplicate_events where payload_differs
            union
            select object_key from raw_objects where erased_count > 0
            """,
            found.ids,
        )
        _add_rejects(connection, cursor, erased, found)
        cursor.execute("""
            select object_key, partition_hour, max(size_bytes)
            from suspects inner join raw_objects using (object_key)
            group by object_key, partition_hour order by partition_hour, object_key
            """)
        found.suspects = [Suspect(*row) for row in cursor.fetchall()]
    return found


def batches(suspects: list[Suspect]) -> Iterator[list[Suspect]]:
    """Suspects in groups that one transaction can hold, none of which parts an hour."""
    group: list[Suspect] = []
    size = 0
    for suspect in suspects:
        is_full = len(group) >= BATCH_OBJECTS or size >= BATCH_BYTES
        if is_full and suspect.hour != group[-1].hour:
            yield group
            group, size = [], 0
        group.append(suspect)
        size += suspect.size
    if group:
        yield group


def _ids(connection: Connection, kind: str, erased: Erased) -> list[str]:
    """Memory holds no more than a page of all that there are."""
    with connection.cursor(f"{kind}_ids") as names:
        names.itersize = _ROWS
        names.execute(f"select distinct {kind}_id from clickstream_events where {kind}_id is not null")
        return [name for (name,) in names if erased.has(kind, name)]


def find_rejects(
    connection: Connection, has: Callable[[str], bool], cut: Callable[[str], object] = lambda key: None
) -> set[tuple[str, str, int]]:
    """The places of the rejects that name somebody who `has` knows. Rejects are texts, and read one by one. The objects of those
    that were cut are told to `cut`."""
    places = set()
    with connection.cursor("rejects") as rejects:
        rejects.itersize = _ROWS
        rejects.execute("""
            select object_key, content_hash::text, line_number, body, body_encoding, body_bytes is not null
            from rejected_events
            """)
        for key, content, line, body, encoding, is_cut in rejects:
            text = rejected_bytes(Rejection("", "", datetime.min, 0, body, encoding))
            if any(map(has, names_in(text))):
                places.add((key, content, line))
            if is_cut:
                cut(key)
    return places


def _add_rejects(connection: Connection, cursor: Cursor, erased: Erased, found: Found) -> None:
    """Of a reject that was cut, the object has the rest."""
    keys: set[str] = set()
    found.rejects = find_rejects(connection, lambda name: erased.has(VISITOR, name) or erased.has(USER, name), keys.add)
    keys |= {key for key, _, _ in found.rejects}
    cursor.execute("insert into suspects select unnest(%s::text[]) except table suspects", (sorted(keys),))

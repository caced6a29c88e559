"""Which ids are a person's, and everything that the tables say of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from clickstream_dagster.raw.erased import USER, VISITOR
from clickstream_dagster.warehouse.connection import Connection, Cursor, transaction
from clickstream_dagster.warehouse.erasing.their_lines import THEIRS, find_rejects
from clickstream_dagster.warehouse.models import Model, all_models
from ingest_lambda.privacy import pseudonym

Ids = set[tuple[str, str]]


def ids_of(connection: Connection, kind: str, name: str) -> Ids:
    """The ids that `--client-id`, `--user-id` or `--person` mean: a browser, whatever was done signed in as this user, or the
    user with all browsers that are theirs alone, as `dim_visitor` has it. An id that the collector hashes is looked for as
    both."""
    names = {name, pseudonym(name) or name}
    if kind != "person":
        return {(kind, one) for one in names}
    with transaction(connection) as cursor:
        cursor.execute("select visitor_id from dim_visitor where person_id = any(%s)", (list(names),))
        browsers = {visitor for (visitor,) in cursor.fetchall()}
    return {(VISITOR, one) for one in names | browsers} | {(USER, one) for one in names}


def known_of(connection: Connection, ids: Ids) -> Iterator[tuple[str, list[Any]]]:
    """What each table that says whose a row is says of them, and every reject that names one of them."""
    with transaction(connection) as cursor:
        _note(cursor, ids)
        for model in all_models().values():
            if condition := _condition(model):
                cursor.execute(f"select to_jsonb(t) from {model.name} as t where {condition}")
                yield model.name, [row for (row,) in cursor.fetchall()]
        places = find_rejects(connection, lambda name: (VISITOR, name) in ids or (USER, name) in ids)
        cursor.execute(
            """
            select to_jsonb(t) from rejected_events as t
            inner join unnest(%s::text[], %s::uuid[], %s::integer[]) as place (key, content, line)
                on object_key = key and content_hash = content and line_number = line
            """,
            [list(column) for column in zip(*sorted(places), strict=True)] or [[], [], []],
        )
        yield "rejected_events", [row for (row,) in cursor.fetchall()]


def _note(cursor: Cursor, ids: Ids) -> None:
    """Their events, and by these their visitors, people, orders and sessions."""
    found = {
        "visitors": [name for kind, name in ids if kind == VISITOR],
        "users": [name for kind, name in ids if kind == USER],
    }
    cursor.execute(
        f"""
        create temporary table their_events on commit drop as
        select event_id, visitor_id, order_key, event_timestamp from clickstream_events where {THEIRS};
        create temporary table their_visitors on commit drop as
        select visitor_id from their_events group by visitor_id;
        create temporary table their_people on commit drop as
        select distinct dim_visitor.person_id from their_visitors inner join dim_visitor using (visitor_id);
        create temporary table their_sessions on commit drop as
        select distinct fact_sessions.session_key from their_events inner join fact_sessions
            on fact_sessions.visitor_id = their_events.visitor_id
            and their_events.event_timestamp between fact_sessions.started_at and fact_sessions.ended_at;
        """,
        found,
    )


#: By the column that says whose a row is: which rows are theirs. The first that a table has counts.
_WHOSE = {
    "event_id": "event_id in (select event_id from their_events)",
    "session_key": "session_key in (select session_key from their_sessions)",
    "order_id": "order_id in (select order_key from their_events)",
    "visitor_id": "visitor_id in (select visitor_id from their_visitors)",
    "person_id": "person_id in (select person_id from their_people)",
}


def _condition(model: Model) -> str | None:
    if model.materialized == "sum":
        return None
    return next((condition for column, condition in _WHOSE.items() if column in model.column_names), None)

"""The tables as of a segment's people: a schema of views with the tables' own names.

Whoever puts this schema before `public` in the search path, and names a segment in the setting `clickstream.segment`, asks any
question of its people alone. A table that says whose a row is has their rows, and a sum is its own SQL over these.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from psycopg2 import sql

from clickstream_dagster.warehouse.connection import Cursor
from clickstream_dagster.warehouse.models import Model, all_models
from clickstream_dagster.warehouse.reader import READER_ROLE

_PEOPLE = """
    create view in_segment.people as
    select person_id from public.segment_members where segment = current_setting('clickstream.segment', true)
"""
#: By the column that says whose a row is: the values that are theirs. The first that a table has counts.
_THEIRS = {
    "person_id": "select person_id from in_segment.people",
    "visitor_id": "select visitor_id from public.dim_visitor where person_id in (select person_id from in_segment.people)",
    "session_key": "select session_key from in_segment.fact_sessions",
    "order_id": "select order_id from in_segment.fact_orders",
}
#: Who is in a segment is not asked of a segment's people; nor are the shop's orders, since which of them are theirs is known of
#: those alone that arrived by events.
_ASKED_OF_ALL = ("segment_members", "shop_orders", "order_reconciliation")


def remove(cursor: Cursor) -> None:
    """Take the views away, so that a migration may change what they read."""
    cursor.execute("drop schema if exists in_segment cascade")


def write(cursor: Cursor) -> None:
    """Make them, for whoever may read the tables; where this login may not make a schema, say so, and make none."""
    cursor.execute("select has_database_privilege(current_database(), 'create')")
    if cursor.fetchone() != (True,):
        logging.getLogger(__name__).warning(
            "This login may not create a schema in its database, so the dashboard cannot filter by segments. Have an "
            "administrator grant create on it."
        )
        return
    cursor.execute(f"create schema in_segment; {_PEOPLE}")
    for model in all_models().values():
        if model.materialized == "sum":
            _write_sum(cursor, model)
        elif model.name not in _ASKED_OF_ALL and (whose := _whose(model.column_names)):
            cursor.execute(
                f"create view in_segment.{model.name} as select * from public.{model.name} where {whose} in ({_THEIRS[whose]})"
            )
    _grant(cursor)


def _whose(columns: Iterable[str]) -> str | None:
    return next((column for column in _THEIRS if column in columns), None)


def _write_sum(cursor: Cursor, model: Model) -> None:
    """Its names are looked up now, and so are these views wherever there is one."""
    cursor.execute("set local search_path = in_segment, public")
    cursor.execute(f"create view in_segment.{model.name} as {model.sql}")
    cursor.execute("set local search_path = default")


def _grant(cursor: Cursor) -> None:
    cursor.execute("select from pg_roles where rolname = %s", (READER_ROLE,))
    if cursor.rowcount:
        role = sql.Identifier(READER_ROLE)
        cursor.execute(sql.SQL("grant usage on schema in_segment to {}").format(role))
        cursor.execute(sql.SQL("grant select on all tables in schema in_segment to {}").format(role))

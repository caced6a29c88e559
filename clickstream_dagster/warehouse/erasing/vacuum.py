"""Free the room of rows that left, and have the planner's samples of them made anew: both would keep what was in them."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing

from psycopg2 import sql

from clickstream_dagster.warehouse.connection import Connection, beside
from clickstream_dagster.warehouse.models import all_models

_OTHERS = ("changed_keys", "changed_spans")


def vacuum(connection: Connection, names: Iterable[str] = ()) -> None:
    """Vacuum these tables, or else every one that rows of visitors are in."""
    stored = [model.name for model in all_models().values() if model.materialized != "view"]
    with closing(beside(connection)) as own, own.cursor() as cursor:
        own.autocommit = True
        cursor.execute("set statement_timeout = 0")
        cursor.execute("""
            select pg_get_userbyid(datdba) from pg_database
            where datname = current_database() and pg_has_role(current_user, datdba, 'member')
                and not (select rolsuper from pg_roles where rolname = current_user)
            """)
        if found := cursor.fetchone():
            cursor.execute(sql.SQL("set role {}").format(sql.Identifier(found[0])))
        for name in names or (*stored, *_OTHERS):
            cursor.execute(sql.SQL("vacuum (analyze) {}").format(sql.Identifier(name)))

r"""What a table and its columns are, as comments in the database: psql's `\d+` and most tools that read one show them."""

from __future__ import annotations

from psycopg2 import sql

from clickstream_dagster.warehouse.connection import Cursor
from clickstream_dagster.warehouse.models import all_models

#: A table and its column; no column for the table itself.
Place = tuple[str, str]

_FOUND = """
    select relname, '', obj_description(oid, 'pg_class') from pg_class
    where relnamespace = 'public'::regnamespace and relkind in ('r', 'v')
    union all
    select relname, attname, col_description(pg_class.oid, attnum)
    from pg_class inner join pg_attribute on attrelid = pg_class.oid and attnum > 0 and not attisdropped
    where relnamespace = 'public'::regnamespace and relkind in ('r', 'v')
"""


def write(cursor: Cursor) -> None:
    """Write those that are missing or say something else. One look at the catalogue where nothing has changed."""
    cursor.execute(_FOUND)
    found = {(table, column): text for table, column, text in cursor.fetchall()}
    wanted = _wanted().items()
    new = [_statement(place, text) for place, text in wanted if place in found and found[place] != text]
    if new:
        cursor.execute(sql.SQL("; ").join(new))


def _wanted() -> dict[Place, str]:
    wanted = {}
    for model in all_models().values():
        wanted[model.name, ""] = model.description
        wanted |= {(model.name, column.name): column.description for column in model.columns}
    return wanted


def _statement(place: Place, text: str) -> sql.Composed:
    table, column = place
    named = sql.Identifier("public", table, column) if column else sql.Identifier("public", table)
    kind = sql.SQL("column" if column else "table" if _is_table(table) else "view")
    return sql.SQL("comment on {} {} is {}").format(kind, named, sql.Literal(text))


def _is_table(name: str) -> bool:
    return all_models()[name].materialized != "view"

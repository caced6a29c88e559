"""What expired facts had added to the sums, and still do: for each sum a table of the same columns, `kept_` and its name.

A sum is its SQL over the facts plus these rows (`sums.py`). They hold no ids, and may be negative: where a visitor's first kept
visit has become a new visitor's, since the earlier ones have expired, the sum goes on to count it as it did.
"""

from __future__ import annotations

from psycopg2 import sql

from clickstream_dagster.warehouse.connection import Cursor
from clickstream_dagster.warehouse.models import Model, all_models

#: What kept rows say in a column of the grain that was added after they had expired.
UNKNOWN = {
    "text": "'(none)'",
    "text[]": "'{}'",
    "boolean": "false",
    "integer": "0",
    "timestamptz": "local_date::timestamptz",
}


def table(model: Model) -> sql.Identifier:
    """Where what is kept of a sum lies."""
    return sql.Identifier(_name(model))


def settle(cursor: Cursor) -> None:
    """Give each sum its table. Where the sum has other columns by now, the rows are added up anew: a new measure is 0 in them, a
    new column of the grain unknown, and a column that went is gone."""
    for model in _sums():
        wanted, standing = _columns(cursor, model.name), _columns(cursor, _name(model))
        if standing == wanted:
            continue
        if standing:
            cursor.execute(sql.SQL("alter table {} rename to outdated_rows").format(table(model)))
        cursor.execute(
            sql.SQL("create table {kept} (like {sum} including indexes); comment on table {kept} is {comment}").format(
                kept=table(model),
                sum=sql.Identifier(model.name),
                comment=sql.Literal(f"What expired facts had added to {model.name}, and still do."),
            )
        )
        if standing:
            _add_up(cursor, model, {name for name, _ in standing})
            cursor.execute("drop table outdated_rows")


def fill(cursor: Cursor) -> None:
    """Make each sum, which is empty as its facts are, what is kept of it."""
    for model in _sums():
        columns = sql.SQL(", ").join(map(sql.Identifier, model.column_names))
        into = sql.SQL("insert into {sum} ({columns}) select {columns} from {kept} order by local_date")
        cursor.execute(into.format(sum=sql.Identifier(model.name), columns=columns, kept=table(model)))


def _sums() -> list[Model]:
    return [model for model in all_models().values() if model.materialized == "sum"]


def _name(model: Model) -> str:
    return f"kept_{model.name}"


def _columns(cursor: Cursor, name: str) -> list[tuple[str, str]]:
    """Names and types in the order of the table; none while there is no such table."""
    cursor.execute(
        """
        select attname::text, format_type(atttypid, atttypmod) from pg_attribute
        where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped order by attnum
        """,
        (name,),
    )
    return cursor.fetchall()


def _add_up(cursor: Cursor, model: Model, known: set[str]) -> None:
    def said(name: str, data_type: str) -> sql.Composable:
        column = sql.Identifier(name)
        if name in model.grain:
            return column if name in known else sql.SQL(UNKNOWN[data_type])
        return sql.SQL("sum({})").format(column) if name in known else sql.SQL("0")

    cursor.execute(
        sql.SQL("insert into {} ({}) select {} from outdated_rows group by {}").format(
            table(model),
            sql.SQL(", ").join(map(sql.Identifier, model.column_names)),
            sql.SQL(", ").join(said(column.name, column.data_type) for column in model.columns),
            sql.SQL(", ").join(sql.Identifier(name) for name in model.grain if name in known),
        )
    )

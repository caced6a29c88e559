"""PostgreSQL's types -> Parquet's, one rule for each, and one text for each value in which both engines say it.

PostgreSQL says a value as this text, DuckDB makes the Parquet value of it, and says it again when the two are compared. A value
that has no place in the Parquet type is said as what is wrong with it, which DuckDB refuses.
"""

from __future__ import annotations

from dataclasses import dataclass

from psycopg2 import sql

from clickstream_dagster.warehouse.connection import Cursor
from clickstream_dagster.warehouse.models import Model
from ingest_lambda.fields import MAX_DECIMALS


class NoSuchType(RuntimeError):
    """A column has a type without a rule; the message names both."""


@dataclass(frozen=True)
class _Rule:
    """`parquet` is DuckDB's name of the type; the others are expressions over a value, {}: in PostgreSQL its text, in DuckDB the
    value of the text, and the text of the value."""

    parquet: str
    said: str = "{}::text"
    value: str = "{}"
    said_again: str = "{}::varchar"


_TEXT = _Rule("VARCHAR")
_TIME = _Rule(
    "TIMESTAMP WITH TIME ZONE",
    "case when isfinite({0}) then ((extract(epoch from {0}) * 1000000)::bigint)::text else {0}::text end",
    "make_timestamptz({}::bigint)",
    "epoch_us({})::varchar",
)
_DATE = _Rule(
    "DATE",
    "case when isfinite({0}) then ({0} - date '1970-01-01')::text else {0}::text end",
    "date '1970-01-01' + {}::integer",
    "({} - date '1970-01-01')::varchar",
)
_AMOUNT = _Rule(
    f"DECIMAL(38,{MAX_DECIMALS})",
    f"case when scale(trim_scale({{0}})) <= {MAX_DECIMALS} then {{0}}::numeric(1000, {MAX_DECIMALS})::text"
    f" when {{0}} is not null then {{0}}::text || ' (more than {MAX_DECIMALS} decimals)' end",
    f"{{}}::decimal(38,{MAX_DECIMALS})",
)
_RULES = {
    "boolean": _Rule("BOOLEAN", value="{}::boolean"),
    "integer": _Rule("INTEGER", value="{}::integer"),
    "bigint": _Rule("BIGINT", value="{}::bigint"),
    "numeric": _AMOUNT,
    "text": _TEXT,
    "uuid": _TEXT,
    "jsonb": _TEXT,
    "text[]": _Rule("VARCHAR", said="to_jsonb({})::text"),
    "timestamp with time zone": _TIME,
    "date": _DATE,
}


@dataclass(frozen=True)
class LakeColumn:
    """A column of a table, as PostgreSQL has it, and its rule."""

    name: str
    pg_type: str
    rule: _Rule

    @property
    def said(self) -> sql.Composable:
        """PostgreSQL: its text."""
        return sql.SQL(self.rule.said).format(sql.Identifier(self.name))

    @property
    def value(self) -> str:
        """DuckDB: its value, from the text under its name."""
        return f"{self.rule.value.format(quoted(self.name))} as {quoted(self.name)}"

    @property
    def said_again(self) -> str:
        """DuckDB: its text, from the value."""
        return f"{self.rule.said_again.format(quoted(self.name))} as {quoted(self.name)}"

    @property
    def in_order(self) -> sql.Composable:
        """PostgreSQL: what to sort by, which must not depend on the language of a server."""
        return sql.SQL('{} collate "C"' if self.pg_type == "text" else "{}").format(sql.Identifier(self.name))


def quoted(name: str) -> str:
    """A name in DuckDB's SQL."""
    return '"' + name.replace('"', '""') + '"'


def columns_of(cursor: Cursor, table: str) -> list[LakeColumn]:
    """The columns of a table in its order. Raises `NoSuchType`."""
    cursor.execute(
        """
        select attname::text, format_type(atttypid, null) from pg_attribute
        where attrelid = %s::regclass and attnum > 0 and not attisdropped order by attnum
        """,
        (table,),
    )
    return [LakeColumn(name, pg_type, _rule(table, name, pg_type)) for name, pg_type in cursor.fetchall()]


def layout_of(columns: list[LakeColumn]) -> str:
    """Says when the objects of a table have other columns than it has now."""
    return ", ".join(f"{column.name} {column.rule.parquet}" for column in columns)


def ordered(model: Model, columns: list[LakeColumn]) -> sql.Composable:
    """What the rows of an hour are sorted by."""
    assert model.lake
    by_name = {column.name: column for column in columns}
    return sql.SQL(", ").join(by_name[name].in_order for name in model.lake.order_by)


def _rule(table: str, column: str, pg_type: str) -> _Rule:
    if pg_type not in _RULES:
        raise NoSuchType(
            f"The column {column} of {table} has the type {pg_type}, for which the lake has no rule. Write one in "
            "clickstream_dagster/warehouse/lake/column_types.py."
        )
    return _RULES[pg_type]

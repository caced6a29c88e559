"""`clickstream sql`."""

from __future__ import annotations

import csv
import json
import sys
from typing import Any

import click
import psycopg2
from psycopg2.extras import register_default_json, register_default_jsonb

from clickstream_dagster.cli.show import console, many, table
from clickstream_dagster.settings import load_settings
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.connection import Cursor

LIST_TABLES = """List the tables with: clickstream sql "select tablename from pg_tables where schemaname = 'public'\""""


class QueryFailed(ValueError):
    """PostgreSQL refused the query; the message is its own."""


@click.command("sql")
@click.argument("query")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV with a header, for other programs.")
def sql_command(query: str, as_csv: bool) -> None:
    """Run QUERY on the warehouse, as the read-only role, stopped after 30 seconds.

    What the numbers mean: docs/metrics.md. Leave bots out with `where not is_bot`.

    \b
    The tables and columns:
      clickstream sql "select table_name, column_name, data_type from information_schema.columns where
        table_schema = 'public' order by 1, ordinal_position"
    """
    with Stack(load_settings(), keeps_settings=True).reading() as connection, connection.cursor() as cursor:
        for register in (register_default_json, register_default_jsonb):
            register(connection, loads=str)  # as PostgreSQL writes it
        try:
            header, rows = _answer(cursor, query)
        except psycopg2.Error as error:
            raise QueryFailed(_reason(error)) from error
    if as_csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(header)
        writer.writerows([[_cell(cell) for cell in row] for row in rows])
    else:
        table("", header, rows)
        console.print(many(len(rows), "row"))


#: A cursor takes one statement that reads, and PostgreSQL itself is the judge of that. The text travels as a value.
_OPEN = """
do $$
declare
    answer refcursor := 'answer';
begin
    open answer for execute current_setting('clickstream.query');
end
$$
"""


def _answer(cursor: Cursor, query: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    cursor.execute("select set_config('clickstream.query', %s, true)", (query,))
    cursor.execute(_OPEN)
    cursor.execute("fetch all from answer")
    return [column.name for column in cursor.description or ()], cursor.fetchall()


def _cell(cell: Any) -> Any:
    """A list as JSON, so that other programs can read it."""
    return json.dumps(cell, default=str) if isinstance(cell, list) else cell


def _reason(error: psycopg2.Error) -> str:
    said = str(error).strip().splitlines()[0]
    if isinstance(error, psycopg2.errors.QueryCanceled):
        return f"{said}. Narrow the query, or read an aggregate (agg_…) instead of the events."
    if isinstance(error, psycopg2.errors.UndefinedTable):
        return said + ". " + LIST_TABLES
    refusals = (
        psycopg2.errors.ReadOnlySqlTransaction,
        psycopg2.errors.InsufficientPrivilege,
        psycopg2.errors.InvalidCursorDefinition,
    )
    if isinstance(error, refusals):
        return (
            f"{said}. This command only reads, one statement at a time (select, explain, show); "
            "write with psql and a login of your own."
        )
    return f"{said}. {error.diag.message_hint or 'Fix the query and run it again.'}"

"""Each metric is defined once; the database, Dagster, the dashboard and the docs say what the definition says."""

from __future__ import annotations

import re
from itertools import chain

from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse import definitions
from clickstream_dagster.warehouse.connection import Connection
from clickstream_dagster.warehouse.migrate import migrate
from clickstream_dagster.warehouse.models import all_models

COMMENTS = """
    select c.relname, a.attname, col_description(c.oid, a.attnum)
    from pg_class as c join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where c.relname = any(%s) and c.relnamespace = 'public'::regnamespace
"""


def _comments(connection: Connection) -> dict[tuple[str, str], str]:
    cursor = connection.cursor()
    cursor.execute(COMMENTS, (list(all_models()),))
    return {(table, column): text for table, column, text in cursor.fetchall()}


def test_the_copies_of_the_dashboard_and_of_the_docs_are_current() -> None:
    hint = "run python -m clickstream_dagster.warehouse.definitions"
    assert definitions.DASHBOARD.read_text(encoding="utf-8") == definitions.dashboard_text(), hint
    document = definitions.DOCUMENT.read_text(encoding="utf-8")
    assert document == definitions.document_text(document), hint


def test_every_column_of_the_database_says_what_it_is(warehouse: Connection) -> None:
    described = {
        (model.name, column.name): column.description for model in all_models().values() for column in model.columns
    }
    assert _comments(warehouse) == described
    bounces = described["agg_daily_traffic", "bounces"]
    assert bounces.endswith(definitions.plain(definitions.definitions()["bounce"].means))


def test_a_comment_that_says_something_else_is_written_again(stack: Stack, warehouse: Connection) -> None:
    before = _comments(warehouse)
    warehouse.cursor().execute(
        "comment on column agg_daily_traffic.bounces is 'no idea'; comment on view fact_events is null"
    )
    warehouse.commit()
    migrate(warehouse, stack.settings)
    assert _comments(warehouse) == before
    cursor = warehouse.cursor()
    cursor.execute("select obj_description('fact_events'::regclass)")
    assert cursor.fetchone() == (all_models()["fact_events"].description,)


def test_columns_that_a_definition_names_exist() -> None:
    columns = set(chain.from_iterable(model.column_names for model in all_models().values()))
    assert set(definitions.by_column()) <= columns


def test_tables_that_a_definition_names_exist() -> None:
    named = {
        name
        for entry in definitions.definitions().values()
        for name in re.findall(r"`((?:agg|fact|dim)_\w+)", entry.where)
    }
    assert named <= set(all_models())


def test_tooltips_are_short() -> None:
    assert {name for name, entry in definitions.definitions().items() if len(entry.means) > 260} == set()

"""A rebuild of everything lays the rows of a date side by side, as the hours did that brought them."""

from __future__ import annotations

import pytest

from clickstream_dagster.settings import DEFAULT_FUNNEL_STEPS
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse import changes
from clickstream_dagster.warehouse.connection import transaction
from clickstream_dagster.warehouse.models import all_models
from clickstream_dagster.warehouse.rebuild import rebuild
from support.stories import five_weeks, rows, tell

DATED = {
    name: model
    for name, model in all_models().items()
    if model.materialized in ("spans", "keys", "sum") and "local_date" in model.column_names
}


@pytest.fixture
def rebuilt(stack: Stack) -> Stack:
    tell(stack, *five_weeks(1, (*DEFAULT_FUNNEL_STEPS, "page_view", "search")))
    with stack.warehouse() as connection:
        with transaction(connection) as cursor:
            for model in DATED.values():
                changes.owe_all(cursor, model)
            for model in DATED.values():
                cursor.execute(f"truncate {model.name}")
        for model in DATED.values():
            rebuild(connection, model)
    return stack


def test_rows_lie_in_the_order_of_their_dates(rebuilt: Stack) -> None:
    with rebuilt.warehouse() as connection, transaction(connection) as cursor:
        cursor.execute("analyze")
    found = dict(rows(rebuilt, "select tablename, correlation from pg_stats where attname = 'local_date'"))
    # A row that is too long for what is left of a page leaves the room to a later one.
    assert {name: found[name] for name in DATED if found.get(name, 1) < 0.99} == {}
    assert len(found.keys() & DATED.keys()) >= 10

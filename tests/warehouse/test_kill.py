"""Kill the process anywhere and run it again: same tables, balanced books."""

from __future__ import annotations

from collections.abc import Callable

from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.ledger import ledger
from support.kills import told_by
from support.thorough import IS_THOROUGH


def test_a_killed_load_is_finished_by_running_it_again(make_stack: Callable[..., Stack]) -> None:
    stack = make_stack()
    kills = told_by("killing.py", stack, 3600 if IS_THOROUGH else 1200)
    assert {kill["at"] for kill in kills} == {"before commit", "after commit", "statement"}
    assert len(kills) > 60
    assert [kill for kill in kills if kill["differences"]] == []
    with stack.warehouse() as connection:
        books = ledger(connection)
    assert len(books) == 3
    assert all(hour.difference == 0 for hour in books)

"""Kill an expiry anywhere, let a load come between or not, and run it again: same tables, same sums, same objects."""

from __future__ import annotations

from collections.abc import Callable

from clickstream_dagster.stack import Stack
from support.kills import told_by
from support.tables import SUMS


def test_a_killed_expiry_is_finished_by_running_it_again(make_stack: Callable[..., Stack]) -> None:
    whole, *kills = told_by("killing_expire.py", make_stack(), 3600)
    assert {"clickstream_events", "fact_sessions", "fact_orders", "objects"} < {*whole["changed"]}
    assert not {model.name for model in SUMS} & {*whole["changed"]} and whole["unequal"] == "{}"
    assert {"before keep", "after keep", "statement"} <= {kill["at"] for kill in kills}
    assert [kill for kill in kills if kill["differences"]] == []

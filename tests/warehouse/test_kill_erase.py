"""Kill an erasure anywhere, let a load come between or not, and run it again: same tables, same objects, same receipt."""

from __future__ import annotations

from collections.abc import Callable

from clickstream_dagster.stack import Stack
from support.kills import told_by


def test_a_killed_erasure_is_finished_by_running_it_again(make_stack: Callable[..., Stack]) -> None:
    receipt, *kills = told_by("killing_erase.py", make_stack(), 3600)
    assert receipt == {"receipt": "[(7, 5, 2, 0, 3, 1, 3)]"}
    assert {kill["at"] for kill in kills} >= {"before commit", "after commit"}
    assert len(kills) >= 20
    assert [kill for kill in kills if kill["differences"]] == []

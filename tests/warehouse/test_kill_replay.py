"""Kill a replay anywhere and run it again: the tables of a load by the new rules."""

from __future__ import annotations

from collections.abc import Callable

from clickstream_dagster.stack import Stack
from support.kills import told_by


def test_a_killed_replay_is_finished_by_running_it_again(make_stack: Callable[..., Stack]) -> None:
    kills = told_by("killing_replay.py", make_stack(), 1200)
    assert {kill["at"] for kill in kills} == {"before commit", "after commit", "statement"}
    assert len(kills) > 20
    assert [kill for kill in kills if kill["differences"]] == []

"""Kill a replay at every point that matters, finish it by running it again, and compare the tables.

A program of its own, run by test_kill_replay.py, as killing.py is.
"""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path
from uuid import UUID

import killing

from clickstream_dagster.settings import load_settings
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse import replay as replaying
from clickstream_dagster.warehouse.load import load_hours
from clickstream_dagster.warehouse.rebuild import rebuild_all
from ingest_lambda import contract, landing
from ingest_lambda.contract import Rejection
from support.refusals import MARK, REASON, yesterday
from support.tables import differences, dump, empty

#: Between commits, one statement in so many is a kill point.
EVERY = 12


def store_refusals(folder: Path) -> None:
    """Some by the collector, some at loading, one of them twice, in three hours."""
    for number in range(9):
        moment = killing.START + number % 3 * killing.HOUR
        said = {
            "event_name": "page_view",
            "client_id": "ann",
            "page_title": MARK,
            "event_timestamp": moment.isoformat(),
        }
        body = json.dumps(said | {"event_id": str(UUID(int=100 + number // 2))}).encode()
        if number % 2:
            key, line = landing.event_key(moment, UUID(int=50 + number)), body
        else:
            key = landing.rejected_key(moment, UUID(int=50 + number))
            line = contract.encode(Rejection(REASON, "unheard of", moment, 0, body.decode()))
        (folder / key).parent.mkdir(parents=True, exist_ok=True)
        (folder / key).write_bytes(line)


def load(stack: Stack) -> None:
    with stack.warehouse() as connection:
        load_hours(connection, stack.store, killing.START, killing.END)


def rebuild(stack: Stack) -> None:
    with stack.warehouse() as connection:
        rebuild_all(connection)


def load_by_the_old_rules(stack: Stack) -> None:
    with yesterday():
        load(stack)


def replay(stack: Stack, kill_at: int | None) -> list[tuple[int, str]]:
    """Replay, two objects at a time; the points that were passed. A rebuild that is killed is killing.py's."""
    clock = killing.Clock(kill_at)
    replaying.objects.batches = lambda found: [found[at : at + 2] for at in range(0, len(found), 2)]  # type: ignore[assignment, index, arg-type]
    with killing.counting(stack, clock), stack.warehouse() as connection:
        replaying.replay(connection, stack.store, replaying.Wanted())
    return clock.points


def reset(stack: Stack) -> None:
    with stack.warehouse() as connection:
        empty(connection)
    killing.in_child(lambda: load_by_the_old_rules(stack))


def tables(stack: Stack) -> dict[str, str]:
    killing.in_child(lambda: rebuild(stack))
    with stack.warehouse() as connection:
        return dump(connection)


def main() -> None:
    stack = Stack(load_settings())
    killing.store_events(stack.settings.home / "raw")
    store_refusals(stack.settings.home / "raw")
    with stack.warehouse() as connection:
        empty(connection)
    killing.in_child(lambda: load(stack))
    expected = tables(stack)
    reset(stack)
    refused = differences(expected, tables(stack))
    if len(refused["clickstream_events"][0]) < 4:
        raise RuntimeError("the old rules refuse too little")
    points = json.loads(killing.in_child(lambda: replay(stack, None)) or "[]")
    for number, at in points:
        if "commit" not in at and number % EVERY:
            continue
        reset(stack)
        if killing.in_child(partial(replay, stack, number)) is not None:
            raise RuntimeError(f"point {number} was not reached")
        killing.in_child(lambda: replay(stack, None))
        found = differences(expected, tables(stack))
        print(json.dumps({"point": number, "at": at, "differences": found}), flush=True)


if __name__ == "__main__":
    sys.exit(main())

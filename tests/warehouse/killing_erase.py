"""Kill an erasure at every commit and in between, finish it by running it again, and compare the tables, the store and the
receipt. A program of its own, as killing.py; run by test_kill_erase.py.
"""

from __future__ import annotations

import json
import shutil
import sys
from functools import partial
from pathlib import Path
from uuid import UUID

from killing import END, EVERY, START, Clock, counting, events, in_child, load, store_events

from clickstream_dagster.raw.erased import USER, VISITOR
from clickstream_dagster.settings import load_settings
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.connection import transaction
from clickstream_dagster.warehouse.erasing.erase import erase
from clickstream_dagster.warehouse.load import load_hours
from clickstream_dagster.warehouse.rebuild import rebuild_all
from ingest_lambda import contract, landing
from support.tables import differences, dump, empty

IDS = [(VISITOR, "bob"), (USER, "bob")]


def erase_bob(stack: Stack, kill_at: int | None) -> list[tuple[int, str]]:
    """Erase and rebuild; the points that the erasure passed."""
    clock = Clock(kill_at)
    with counting(stack, clock), stack.warehouse() as connection:
        erase(connection, stack.store, IDS)
        points = list(clock.points)
        rebuild_all(connection)
    return points


def tick(stack: Stack) -> None:
    """What comes between the two runs: a load that lists everything."""
    with stack.warehouse() as connection:
        load_hours(connection, stack.store, START, END)
        rebuild_all(connection)


def reset(stack: Stack) -> None:
    """Everything loaded, one object of Bob alone among it."""
    raw = stack.settings.home / "raw"
    shutil.rmtree(raw, ignore_errors=True)
    store_events(raw)
    [retry] = [event for event in events() if event.event_id == UUID(int=6)]
    key = landing.event_key(END.replace(hour=START.hour, day=START.day), UUID(int=2))
    (raw / key).write_bytes(contract.encode(retry))
    with stack.warehouse() as connection:
        empty(connection)
        with transaction(connection) as cursor:
            cursor.execute("truncate erased_ids, erasures")
    in_child(lambda: load(stack, START, END, None) and None)


def result(stack: Stack) -> dict[str, str]:
    """The tables, the objects and what the receipt counts."""
    raw = stack.settings.home / "raw"
    with stack.warehouse() as connection:
        found = dump(connection)
        with transaction(connection) as cursor:
            cursor.execute(
                "select lines, events, duplicates, rejected, objects_rewritten, objects_removed, hours from erasures"
            )
            found["receipt"] = str(cursor.fetchall())
    for file in sorted(file for root in ("events", "rejected") for file in (raw / root).rglob("*") if file.is_file()):
        found[str(file.relative_to(raw))] = file.read_text()
    return found


def compared(one: dict[str, str], other: dict[str, str]) -> dict[str, object]:
    if one.keys() != other.keys():
        return {"objects": sorted(one.keys() ^ other.keys())}
    return dict(differences(one, other))


def main(home: Path) -> None:
    stack = Stack(load_settings())
    assert stack.settings.home == home
    reset(stack)
    points = json.loads(in_child(lambda: erase_bob(stack, None)) or "[]")
    expected = result(stack)
    print(json.dumps({"receipt": expected["receipt"]}), flush=True)
    chosen = [(number, at) for number, at in points if "commit" in at or number % EVERY == 0]
    for number, at in chosen:
        reset(stack)
        in_child(partial(erase_bob, stack, number))
        if number % 2:
            in_child(lambda: tick(stack))
        in_child(lambda: erase_bob(stack, None))
        print(json.dumps({"point": number, "at": at, "differences": compared(expected, result(stack))}), flush=True)


if __name__ == "__main__":
    sys.exit(main(load_settings().home))

"""Kill an expiry at every commit of a step and in between, let a load come or not, run it again, and compare the tables, the sums
and the store. A program of its own, as killing.py; run by test_kill_expire.py.
"""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import replace
from datetime import timedelta
from functools import partial

from killing import END, START, Clock, counting, in_child, load, store_events

from clickstream_dagster.settings import load_settings
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.expiring import events, rejects
from clickstream_dagster.warehouse.expiring.expire import expire
from clickstream_dagster.warehouse.rebuild import rebuild_all
from support.tables import differences, dump, empty, unequal_sums
from support.thorough import IS_THOROUGH

#: Two of the three hours lie before the midnight that is the horizon.
NOW = END + timedelta(days=100)
EVERY = 60 if IS_THOROUGH else 240


def expire_two_hours(stack: Stack, kill_at: int | None) -> list[tuple[int, str]]:
    """Expire and rebuild; the points that the expiry passed."""
    clock = Clock(kill_at)
    with counting(stack, clock), stack.warehouse() as connection:
        expire(connection, stack.server, stack.store, stack.settings, NOW)
        points = list(clock.points)
        rebuild_all(connection)
    return points


def reset(stack: Stack) -> None:
    raw = stack.settings.home / "raw"
    shutil.rmtree(raw, ignore_errors=True)
    store_events(raw)
    with stack.warehouse() as connection:
        empty(connection)
    in_child(lambda: load(stack, START, END, None) and None)


def result(stack: Stack) -> dict[str, str]:
    """The tables, what is wrong with sums, and the objects."""
    with stack.warehouse() as connection:
        found = dump(connection)
        found["unequal sums"] = str(unequal_sums(connection))
    raw = stack.settings.home / "raw"
    found["objects"] = "\n".join(sorted(str(file.relative_to(raw)) for file in raw.rglob("*") if file.is_file()))
    return found


def main() -> None:
    settings = load_settings()
    stack = Stack(replace(settings, keep_raw_days=100, keep_rejected_days=100, keep_events_days=100))
    events.EXPIRED_LINES = 4
    rejects.EXPIRED_LINES = 1
    reset(stack)
    before = result(stack)
    points = json.loads(in_child(lambda: expire_two_hours(stack, None)) or "[]")
    expected = result(stack)
    changed = sorted(name for name in before if before[name] != expected[name])
    print(json.dumps({"changed": changed, "unequal": expected["unequal sums"]}), flush=True)
    for number, at in [(number, at) for number, at in points if "keep" in at or number % EVERY == 0]:
        reset(stack)
        if in_child(partial(expire_two_hours, stack, number)) is not None:
            raise RuntimeError(f"point {number} was not reached")
        if number % 2:
            in_child(lambda: load(stack, START, END, None) and None)
        in_child(lambda: expire_two_hours(stack, None) and None)
        print(json.dumps({"point": number, "at": at, "differences": differences(expected, result(stack))}), flush=True)


if __name__ == "__main__":
    sys.exit(main())

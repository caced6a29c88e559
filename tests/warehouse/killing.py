"""Kill a load at every point that matters, finish it by running it again, and compare the tables.

A program of its own, run by test_kill.py: it forks, and a fork after other tests' threads would hang. Prints one JSON line
per kill point: `{"point": 12, "at": "before commit", "differences": {}}`.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any
from uuid import UUID

import psycopg2
import psycopg2.extensions

from clickstream_dagster.partitions import HOUR
from clickstream_dagster.settings import load_settings
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse import connection as connecting
from clickstream_dagster.warehouse.load import load_hours
from clickstream_dagster.warehouse.rebuild import rebuild_all
from ingest_lambda import contract, landing
from ingest_lambda.contract import Event, Order, OrderItem, Product
from support.tables import differences, dump, empty
from support.thorough import IS_THOROUGH

START = datetime(2026, 5, 1, 22, tzinfo=UTC)
END = START + 3 * HOUR
#: Between commits, one statement in so many is a kill point.
EVERY = 5 if IS_THOROUGH else 20


class Clock:
    """Counts what the process does to the database, and kills it when its time has come. Two tables are rebuilt at a time, so a
    point may find the two somewhat elsewhere each time."""

    def __init__(self, kill_at: int | None) -> None:
        self.now = 0
        self.kill_at = kill_at
        self.points: list[tuple[int, str]] = []
        self.turn = threading.Lock()

    def tick(self, what: str) -> None:
        with self.turn:  # two connections work at a time
            self.now += 1
            self.points.append((self.now, what))
            if self.now == self.kill_at:
                os.kill(os.getpid(), signal.SIGKILL)


def counted(
    clock: Clock, base: type[psycopg2.extensions.connection] = psycopg2.extensions.connection
) -> type[psycopg2.extensions.connection]:
    """A connection class that tells the clock of each statement, and of each commit before and after it."""

    class Cursor(psycopg2.extensions.cursor):
        def execute(self, *arguments: Any, **named: Any) -> None:
            clock.tick("statement")
            super().execute(*arguments, **named)

        def copy_expert(self, *arguments: Any, **named: Any) -> None:
            clock.tick("statement")
            super().copy_expert(*arguments, **named)

    class Connection(base):  # type: ignore[valid-type,misc]
        def cursor(self, *arguments: Any, **named: Any) -> Any:
            return super().cursor(*arguments, cursor_factory=Cursor, **named)

        def __exit__(
            self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
        ) -> None:
            clock.tick("before commit")
            super().__exit__(kind, error, trace)
            clock.tick("after commit")

        def keep(self) -> None:
            """Of many steps in one transaction."""
            clock.tick("before keep")
            super().keep()
            clock.tick("after keep")

    return Connection


@contextmanager
def counting(stack: Stack, clock: Clock) -> Iterator[None]:
    """Connections that are made in the block tell the clock; the warehouse is migrated before."""
    with stack.warehouse():
        pass
    real = psycopg2.connect

    def connect(dsn: str, base: Any = psycopg2.extensions.connection, **named: Any) -> Any:
        return real(dsn, connection_factory=counted(clock, base), **named)

    connecting.psycopg2.connect = connect  # type: ignore[assignment]
    yield
    connecting.psycopg2.connect = real


def events() -> list[Event]:
    """Sessions over midnight, a retry, a conflict whose first copy comes in the hour that is loaded last, an order with a
    reload and a refund."""
    made = []
    for number in range(12):
        happened = START + timedelta(minutes=13 * number)
        name = ("page_view", "view_product", "add_to_cart", "purchase")[number % 4]
        order = Order(id="o1", items=[OrderItem(product_id="p", price=Decimal("9.99"), quantity=2)])
        made.append(
            Event(
                event_id=UUID(int=number),
                event_name=name,
                event_timestamp=happened,
                received_at=happened,
                client_id="ann" if number % 3 else "bob",
                page_url="https://shop.example/p?utm_source=x",
                product=Product(id="p", name="Mouse", price=Decimal("9.99")),
                order=order if name == "purchase" else None,
                experiment="cart" if name == "page_view" else None,
                variant="ab"[number // 4 % 2] if name == "page_view" else None,
            )
        )
    late = [
        Event(
            event_id=UUID(int=number),
            event_name="view_product",
            event_timestamp=START + timedelta(minutes=5),
            received_at=START + timedelta(minutes=50),
            client_id="cleo",
            product=Product(id="q"),
        )
        for number in (7, 20)
    ]
    again = [made[2], made[3]]
    refund = Event(
        event_id=UUID(int=30),
        event_name="refund",
        event_timestamp=END - timedelta(minutes=1),
        received_at=END - timedelta(minutes=1),
        client_id="bob",
        order=Order(id="o1", value=Decimal("1.5")),
    )
    return [*made, *late, *again, refund]


def store_events(folder: Path) -> None:
    """Without obstore: its threads do not survive a fork."""
    by_hour: dict[str, list[bytes]] = {}
    for event in events():
        by_hour.setdefault(landing.event_key(event.received_at, UUID(int=1)), []).append(contract.encode(event))
    for key, lines in by_hour.items():
        (folder / key).parent.mkdir(parents=True, exist_ok=True)
        (folder / key).write_bytes(b"\n".join([*lines, b"poison"]))


def in_child(work: Callable[[], object]) -> str | None:
    """Do it in a forked process; what it returns, as JSON, or None when it was killed."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.write(writing, b"" if (result := work()) is None else json.dumps(result).encode())
            os._exit(0)
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(3)
    os.close(writing)
    with os.fdopen(reading) as answer:
        text = answer.read()
    _, status = os.waitpid(pid, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status) != 0:
        raise RuntimeError("the child failed; its traceback is above")
    return None if os.WIFSIGNALED(status) else text


def load(stack: Stack, start: datetime, end: datetime, kill_at: int | None) -> list[tuple[int, str]]:
    """Load and rebuild; the points that were passed."""
    clock = Clock(kill_at)
    with counting(stack, clock), stack.warehouse() as connection:
        load_hours(connection, stack.store, start, end)
        rebuild_all(connection)
    return clock.points


def reset(stack: Stack) -> None:
    """Two of the three hours loaded; the first one, which changes most, is still to come."""
    with stack.warehouse() as connection:
        empty(connection)
    in_child(lambda: load(stack, START + HOUR, END, None) and None)


def read_tables(stack: Stack) -> dict[str, str]:
    with stack.warehouse() as connection:
        return dump(connection)


def main() -> None:
    stack = Stack(load_settings())
    store_events(stack.settings.home / "raw")
    reset(stack)
    points = json.loads(in_child(lambda: load(stack, START, END, None)) or "[]")
    expected = read_tables(stack)
    chosen = [(number, at) for number, at in points if "commit" in at or number % EVERY == 0]
    for number, at in chosen:
        reset(stack)
        if in_child(partial(load, stack, START, END, number)) is not None:
            raise RuntimeError(f"point {number} was not reached")
        in_child(lambda: load(stack, START, END, None))
        found = differences(expected, read_tables(stack))
        print(json.dumps({"point": number, "at": at, "differences": found}), flush=True)


if __name__ == "__main__":
    sys.exit(main())

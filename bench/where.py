"""Where the time of a load goes: Python or PostgreSQL, and which statements and functions, whatever the code is like.

CPU seconds are those of the operating system: of this process with its children, and of the server's processes together. The
two may run at once, so they need not come to the seconds of the clock.
"""

from __future__ import annotations

import cProfile
import os
import pstats
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import psutil
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

STATEMENTS, FUNCTIONS = 12, 14


def profile(connection: Connection, work: Callable[[], object], again: Callable[[], object]) -> None:
    """Do the work once with a clock on each statement; and `again`, elsewhere, under Python's profiler, which slows it."""
    statements: Counter[str] = Counter()
    connection.cursor_factory = _clocked(statements)
    server = psutil.Process(connection.info.backend_pid).parent()
    started, python, database = time.perf_counter(), _own_seconds(), _server_seconds(server)
    work()
    elapsed = time.perf_counter() - started
    python, database = _own_seconds() - python, _server_seconds(server) - database
    print(f"{elapsed:.2f} s by the clock; CPU: Python {python:.2f} s, PostgreSQL {database:.2f} s")
    print("seconds in statements (a COPY that is fed as it goes has Python's own in it):")
    for text, seconds in statements.most_common(STATEMENTS):
        print(f"  {seconds:7.2f}  {text}")
    profiler = cProfile.Profile()
    profiler.runcall(again)
    pstats.Stats(profiler).sort_stats("tottime").print_stats(FUNCTIONS)


def _clocked(statements: Counter[str]) -> type[Cursor]:
    class Clocked(Cursor):
        def execute(self, query: Any, *rest: Any) -> None:
            self._clock(super().execute, query, *rest)

        def copy_expert(self, query: Any, *rest: Any) -> None:
            self._clock(super().copy_expert, query, *rest)

        def _clock(self, run: Callable[..., None], query: Any, *rest: Any) -> None:
            started = time.perf_counter()
            try:
                run(query, *rest)
            finally:
                text = query if isinstance(query, str) else query.as_string(self)
                statements[" ".join(text.split())[:110]] += time.perf_counter() - started

    return Clocked


def _own_seconds() -> float:
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def _server_seconds(server: psutil.Process) -> float:
    total = sum(server.cpu_times()[:4])  # with what its processes that have ended took
    return total + sum(sum(one.cpu_times()[:2]) for one in server.children())

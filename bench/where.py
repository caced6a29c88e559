"""Where the time of a load goes: Python or PostgreSQL, and which statements and functions, whatever the code is like.

CPU seconds are those of the operating system: of this process with its children, and of the server's processes together. The
two may run at once, so they need not come to the seconds of the clock.
"""

from __future__ import annotations

import cProfile
import pstats
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor
from turns import own_cpu, server_cpu, server_of

STATEMENTS, FUNCTIONS = 12, 14


def profile(connection: Connection, work: Callable[[], object], again: Callable[[], object]) -> None:
    """Do the work once with a clock on each statement; and `again`, elsewhere, under Python's profiler, which slows it."""
    statements: Counter[str] = Counter()
    connection.cursor_factory = _clocked(statements)
    server = server_of(connection)
    started, python, database = time.perf_counter(), own_cpu(), server_cpu(server)
    work()
    elapsed = time.perf_counter() - started
    python, database = own_cpu() - python, server_cpu(server) - database
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
                text = (
                    query.decode()
                    if isinstance(query, bytes)
                    else query
                    if isinstance(query, str)
                    else query.as_string(self)
                )
                statements[" ".join(text.split())[:110]] += time.perf_counter() - started

    return Clocked

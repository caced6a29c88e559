"""Ways of doing the same, taken in turn: A, B, C, A, B, C. Whatever else the machine does falls on all of them alike.

Beside the seconds of the clock stand those of the CPU, of this process with its children and of the database server together.
On a machine that others use, many processes get more of the clock than one does; CPU seconds do not change by that.
"""

from __future__ import annotations

import os
import statistics
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from clickstream_dagster.stack import Stack


@dataclass
class Turns:
    """What each way took in each round."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    cpu: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def median(self, name: str) -> float:
        return statistics.median(self.seconds[name])

    def ratio(self, above: str, below: str) -> tuple[float, float]:
        """How many times one takes what the other takes, by the clock and by the CPU: the median over the rounds, each with
        its own neighbour."""
        by_clock, by_cpu = (
            statistics.median(one / other for one, other in zip(taken[above], taken[below], strict=True))
            for taken in (self.seconds, self.cpu)
        )
        return by_clock, by_cpu

    def tell(self, name: str, count: int) -> None:
        """Print how fast a way was: what it did in a second, and the seconds of each round."""
        seconds, cpu = (" ".join(f"{one:.2f}" for one in taken[name]) for taken in (self.seconds, self.cpu))
        print(f"{name}: {count / self.median(name):,.0f} a second ({seconds} s; CPU {cpu} s)", flush=True)


def in_turn(rounds: int, stack: Stack, **ways: Callable[[], float]) -> Turns:
    """Each way says its own seconds. Its CPU seconds are all that it took, with an empty warehouse that it makes for itself."""
    with stack.warehouse() as connection:
        server = server_of(connection)
    turns = Turns()
    for _ in range(rounds):
        for name, way in ways.items():
            before = own_cpu() + server_cpu(server)
            turns.seconds[name].append(way())
            turns.cpu[name].append(own_cpu() + server_cpu(server) - before)
    return turns


def server_of(connection: Connection) -> psutil.Process:
    """The PostgreSQL behind a connection, on this machine."""
    server = psutil.Process(connection.info.backend_pid).parent()
    assert server
    return server


def own_cpu() -> float:
    """CPU seconds of this process, and of its children that have ended."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def server_cpu(server: psutil.Process) -> float:
    """CPU seconds of a server, with what its processes that have ended took."""
    while True:
        try:
            return sum(sum(one.cpu_times()[:2]) for one in server.children()) + sum(server.cpu_times()[:4])
        except psutil.NoSuchProcess:
            continue  # one has ended meanwhile, and is the server's own now

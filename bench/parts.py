"""What the benchmarks share: an embedded stack in a temporary home, fresh warehouses in it, and what each claim comes to."""

from __future__ import annotations

import json
import os
import statistics
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clickstream_dagster.stack import Stack

START = datetime(2026, 1, 1, tzinfo=UTC)
#: Where `make bench` collects the claims for its summary.
CLAIMS = "CLICKSTREAM_BENCH_CLAIMS"


@contextmanager
def temporary_home(first_hour: datetime = START, kept: Path | None = None) -> Iterator[Path]:
    """An empty CLICKSTREAM_HOME, set in the environment; or one that is kept, with whatever is in it."""
    fleeting = tempfile.TemporaryDirectory(prefix="clickstream-bench-", ignore_cleanup_errors=True)
    with nullcontext(str(kept.absolute())) if kept else fleeting as home:
        for name in ("DW_PG_HOST", "RAW_BUCKET_NAME", "DAGSTER_HOME"):
            os.environ.pop(name, None)
        os.environ["CLICKSTREAM_HOME"] = home
        os.environ["CLICKSTREAM_FIRST_HOUR"] = first_hour.isoformat()
        yield Path(home)


@contextmanager
def fresh_warehouse(first: Stack, name: str = "fresh") -> Iterator[Stack]:
    """An empty warehouse of this version beside the first one, whose copy it is, so that none waits for migrations.

    A checkpoint comes before it, so that each measurement begins with as little to write behind.
    """
    with first.warehouse():
        pass
    _as_owner(first, f"drop database if exists {name}", f"create database {name} template {first.server.database}")
    stack = stack_on(first, name)
    with stack.warehouse():
        pass
    _as_owner(first, "checkpoint")
    try:
        yield stack
    finally:
        _as_owner(first, f"drop database {name} with (force)")


def stack_on(first: Stack, database: str) -> Stack:
    """The same server and raw store, another database."""
    return type(first)(replace(first.settings, postgres=replace(first.server, database=database)))


def _as_owner(first: Stack, *statements: str) -> None:
    from clickstream_dagster.warehouse.connection import connect

    connection = connect(replace(first.server, database="postgres"))
    connection.autocommit = True
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
    connection.close()


def in_turn(rounds: int, **ways: Callable[[], float]) -> dict[str, list[float]]:
    """The seconds of each way, taken in turn, so that whatever else the machine does falls on all of them alike."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            taken[name].append(way())
    return taken


def ratio(above: list[float], below: list[float]) -> float:
    """How many times one is the other: the median over the rounds, each with its own neighbour."""
    return statistics.median(one / other for one, other in zip(above, below, strict=True))


def tell(name: str, count: int, taken: list[float]) -> None:
    """Print how fast a way was: what it did in a second, and the seconds of each round."""
    seconds = " ".join(f"{one:.2f}" for one in taken)
    print(f"{name}: {count / statistics.median(taken):,.0f} a second ({seconds} s)", flush=True)


def claim(text: str, against: str, value: float, target: float, *, at_least: bool) -> None:
    """Print what a claim comes to, and whether it holds; keep it for the summary of `make bench`."""
    holds = value >= target if at_least else value <= target
    sign = ">=" if at_least else "<="
    print(
        f"claim: {text} | {against} | {value:,.2f} | {sign} {target:,g} | {'holds' if holds else 'DOES NOT HOLD'}",
        flush=True,
    )
    if file := os.environ.get(CLAIMS):
        with Path(file).open("a") as claims:
            claims.write(json.dumps([text, against, f"{value:,.2f}", f"{sign} {target:,g}", holds]) + "\n")

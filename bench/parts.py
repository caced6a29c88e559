"""What the benchmarks share: an embedded stack in a temporary home, fresh warehouses in it, and what each claim comes to."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
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


def stack_on(first: Stack, database: str, raw: Path | None = None) -> Stack:
    """The same server, another database; the same raw store, or another folder."""
    bucket = f"file://{raw}" if raw else first.settings.raw_bucket
    return type(first)(replace(first.settings, postgres=replace(first.server, database=database), raw_bucket=bucket))


def _as_owner(first: Stack, *statements: str) -> None:
    from clickstream_dagster.warehouse.connection import connect

    connection = connect(replace(first.server, database="postgres"))
    connection.autocommit = True
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
    connection.close()


def claim(text: str, against: str, value: float, target: float, *, at_least: bool, by_cpu: float | None = None) -> None:
    """Print what a claim comes to, and whether it holds; keep it for the summary of `make bench`."""
    holds = value >= target if at_least else value <= target
    said = [
        text,
        against,
        f"{value:,.2f}",
        f"{by_cpu:,.2f}" if by_cpu else "-",
        f"{'>=' if at_least else '<='} {target:,g}",
    ]
    said.append("holds" if holds else "DOES NOT HOLD")
    print("claim: " + " | ".join(said), flush=True)
    if file := os.environ.get(CLAIMS):
        with Path(file).open("a") as claims:
            claims.write(json.dumps(said) + "\n")

"""Real parts for all tests: one embedded PostgreSQL for the session, a database of its own for each test that asks."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from clickstream_dagster.local.embedded import start_postgres
from clickstream_dagster.settings import Postgres, Settings, load_settings
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.connection import Connection, create_database

_numbers = itertools.count()


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Postgres:
    """A running PostgreSQL."""
    return start_postgres(tmp_path_factory.mktemp("postgres"))


@pytest.fixture
def make_stack(postgres: Postgres, tmp_path: Path) -> Callable[..., Stack]:
    """A new, empty warehouse and raw folder; keyword arguments are environment variables."""

    def make(**environ: str) -> Stack:
        number = next(_numbers)
        database = f"test_{number}"
        create_database(postgres, database)
        settings: Settings = load_settings({"CLICKSTREAM_HOME": str(tmp_path / f"home_{number}"), **environ})
        return Stack(replace(settings, postgres=replace(postgres, database=database), dagster_database=f"dagster_{number}"))

    return make


@pytest.fixture
def stack(make_stack: Callable[..., Stack]) -> Stack:
    """An empty warehouse with default settings."""
    return make_stack()


@pytest.fixture
def warehouse(stack: Stack) -> Iterator[Connection]:
    """A connection to it, migrated."""
    with stack.warehouse() as connection:
        yield connection

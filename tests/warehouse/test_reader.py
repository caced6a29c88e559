"""The read-only role of the embedded default: what it cannot do, and how its limits hold although it may change its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import psycopg2
import pytest

from clickstream_dagster.settings import QUERY_TIMEOUT_SECONDS
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse import connection as connecting
from clickstream_dagster.warehouse import reader
from clickstream_dagster.warehouse.connection import (
    LOCK_CLASS,
    Connection,
    StatementStopped,
    WarehouseBusy,
    connect,
    locked,
    transaction,
)
from clickstream_dagster.warehouse.reader import READER_ROLE


@pytest.fixture
def plain(stack: Stack) -> Iterator[Connection]:
    """A session of the role with nothing of ours around it, as psql would open one."""
    with stack.warehouse():
        pass
    connection = psycopg2.connect(replace(stack.server, user=READER_ROLE, password="").dsn)
    connection.autocommit = True
    yield connection
    connection.close()


def ask(connection: Connection, statement: str) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


@pytest.mark.parametrize(
    "statement",
    [
        f"select pg_advisory_lock({LOCK_CLASS}, hashtext('clickstream_events'))",
        "select pg_try_advisory_lock(1)",
        f"select pg_advisory_xact_lock_shared({LOCK_CLASS}, 1)",
        "select lo_from_bytea(0, 'abc')",
        "select lo_create(0)",
        "create temporary table mine (a int)",
        "select pg_notify('them', 'x')",
        "select pg_logical_emit_message(false, 'a', 'b')",
        "select pg_terminate_backend(1)",
        "insert into shop_settings default values",
        "create table mine (a int)",
        "set temp_file_limit = -1",
    ],
)
def test_what_it_may_not(plain: Connection, statement: str) -> None:
    ask(plain, "set default_transaction_read_only = off")  # it may, and it helps nothing
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        ask(plain, statement)


def test_limits_that_it_has_lifted_are_put_back(stack: Stack, plain: Connection) -> None:
    ask(plain, "set default_transaction_read_only = off")
    ask(plain, f"alter role {READER_ROLE} set statement_timeout = 0")
    ask(plain, f"alter role {READER_ROLE} set default_transaction_read_only = off")
    with stack.warehouse() as connection:
        reader.hold(connection)
    again = psycopg2.connect(replace(stack.server, user=READER_ROLE, password="").dsn)
    assert ask(again, "show statement_timeout") == [(f"{QUERY_TIMEOUT_SECONDS}s",)]
    assert ask(again, "show default_transaction_read_only") == [("on",)]
    again.close()


def test_a_transaction_that_is_far_too_old_is_ended(
    stack: Stack, plain: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "READER_SECONDS", 0)
    ask(plain, "set statement_timeout = 0")
    ended: list[Exception] = []

    def sleep() -> None:
        try:
            ask(plain, "select pg_sleep(60)")
        except psycopg2.OperationalError as error:
            ended.append(error)

    sleeping = threading.Thread(target=sleep)
    sleeping.start()
    with stack.warehouse() as connection:
        for _ in range(100):
            reader.hold(connection)
            sleeping.join(0.1)
            if not sleeping.is_alive():
                break
    assert ended


def test_our_own_reading_connection_brings_its_limits(stack: Stack) -> None:
    with stack.reading() as connection:
        assert ask(connection, "show statement_timeout") == [(f"{QUERY_TIMEOUT_SECONDS}s",)]
        assert ask(connection, "show transaction_read_only") == [("on",)]


def test_who_waits_too_long_is_told_who_holds_the_lock(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connecting, "_OPTIONS", f"{connecting._OPTIONS} -c lock_timeout=200ms")
    with stack.warehouse() as one, stack.warehouse() as other, locked(one, "fact_orders"):
        sentence = r"Process \d+ \(clickstream, .*holds it; if it hangs.*run it again"
        with pytest.raises(WarehouseBusy, match=sentence), locked(other, "agg_daily_revenue", "fact_orders"):
            pass
        # What it had got before it gave up is free again.
        with stack.warehouse() as third, locked(third, "agg_daily_revenue"):
            pass


def test_a_statement_that_takes_too_long_is_one_sentence(stack: Stack) -> None:
    connection = connect(stack.server, statement_seconds=1)
    started = time.monotonic()
    with (
        pytest.raises(StatementStopped, match="CLICKSTREAM_STATEMENT_SECONDS"),
        transaction(connection) as cursor,
    ):
        cursor.execute("select pg_sleep(30)")
    assert time.monotonic() - started < 20
    connection.close()

"""Connections to the warehouse, and the locks that keep runs apart which overlap."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import ISOLATION_LEVEL_REPEATABLE_READ
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from clickstream_dagster.settings import Postgres

#: First half of every advisory lock of ours; the second is a hash of what is locked.
LOCK_CLASS = 1_668_049_267

#: An hour touches a few rows of large tables: on a solid-state disk the index is the way to them, which the planner's
#: defaults, made for spinning disks, do not believe; and its plans are short, so compiling them costs more than it saves.
#: A process that is frozen in mid-transaction is cut off after ten minutes, and with it the locks that others wait for.
_OPTIONS = (
    "-c timezone=UTC -c random_page_cost=1.1 -c jit=off -c work_mem=64MB -c idle_in_transaction_session_timeout=10min"
)

__all__ = [
    "Connection",
    "Cursor",
    "WarehouseUnreachable",
    "analyze_if_grown",
    "connect",
    "create_database",
    "locked",
    "owning",
    "transaction",
]


class WarehouseUnreachable(RuntimeError):
    """No connection; the message says where to and what to do."""


def connect(server: Postgres, *, application: str = "clickstream") -> Connection:
    """A new connection. Raises `WarehouseUnreachable`."""
    try:
        connection = psycopg2.connect(server.dsn, application_name=application, connect_timeout=10, options=_OPTIONS)
    except psycopg2.OperationalError as error:
        # libpq's first line, without the address that our own sentence names; its second one asks a question.
        reason = str(error).strip().splitlines()[0].rpartition("failed: ")[2].rstrip(".")
        raise WarehouseUnreachable(
            f"Cannot connect to PostgreSQL at {server.host}:{server.port}, database {server.database!r} as "
            f"{server.user!r}: {reason}. Check the DW_PG_* variables, and that the server runs and lets this host in."
        ) from error
    return connection


def create_database(server: Postgres, name: str) -> None:
    """Create a database beside the one of `server`, unless it is there."""
    connection = connect(server)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute("select 1 from pg_database where datname = %s", (name,))
            if not cursor.fetchone():
                cursor.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    except (psycopg2.errors.DuplicateDatabase, psycopg2.errors.UniqueViolation):
        pass  # another process was faster
    except psycopg2.errors.InsufficientPrivilege as error:
        raise WarehouseUnreachable(
            f"There is no database {name!r}, and {server.user!r} may not create it. Have an administrator run: "
            f"create database {name} owner {server.user}"
        ) from error
    finally:
        connection.close()


@contextmanager
def transaction(connection: Connection) -> Iterator[Cursor]:
    """A cursor in one transaction: committed at the end, rolled back when anything raises."""
    with connection, connection.cursor() as cursor:
        yield cursor


@contextmanager
def locked(connection: Connection, *names: str) -> Iterator[Cursor]:
    """One transaction on one snapshot, while nobody else holds any of the locks `names`.

    The locks are taken before the transaction begins, because a snapshot taken while waiting would be a stale one; and in
    the order of their names, so that nobody waits in a circle.
    """
    try:
        _statement(connection, "select pg_advisory_lock(%s, hashtext(name)) from unnest(%s) as name", sorted(names))
        connection.set_isolation_level(ISOLATION_LEVEL_REPEATABLE_READ)
        with transaction(connection) as cursor:
            yield cursor
    finally:
        if not connection.closed:
            connection.rollback()
            connection.set_isolation_level(None)
            _statement(
                connection, "select pg_advisory_unlock(%s, hashtext(name)) from unnest(%s) as name", sorted(names)
            )


@contextmanager
def owning(cursor: Cursor) -> Iterator[None]:
    """Take the place of the database's owner, inside one transaction.

    Only for a login that is a member of the owner and not the owner itself, as on the warehouse's own machine, where what
    loads may not touch a table of the models. Everywhere else the login owns the warehouse, and this changes nothing.
    """
    cursor.execute("""
        select pg_get_userbyid(datdba), current_setting('role')
        from pg_database
        cross join (select rolsuper from pg_roles where rolname = current_user) as login
        where datname = current_database() and not login.rolsuper
            and datdba <> current_user::regrole and pg_has_role(current_user, datdba, 'member')
        """)
    found = cursor.fetchone()
    if not found:
        yield
        return
    owner, before = found
    cursor.execute(sql.SQL("set local role {}").format(sql.Identifier(owner)))
    yield
    # Not after an error: the transaction is over then, and with it the role.
    cursor.execute(sql.SQL("set local role {}").format(sql.SQL("none") if before == "none" else sql.Identifier(before)))


def analyze_if_grown(cursor: Cursor, table: str, added: int) -> None:
    """Refresh the planner's statistics when a table has grown by a fifth since the last time. Autovacuum would come a
    minute too late: until then the planner takes a table that was just filled for an empty one."""
    cursor.execute("select reltuples from pg_class where oid = %s::regclass", (table,))
    if added * 5 > cursor.fetchone()[0]:  # type: ignore[index]
        with owning(cursor):
            cursor.execute(sql.SQL("analyze {}").format(sql.Identifier(table)))


def _statement(connection: Connection, sql: str, names: list[str]) -> None:
    with transaction(connection) as cursor:
        cursor.execute(sql, (LOCK_CLASS, names))

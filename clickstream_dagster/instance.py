"""The Dagster instance that all of ours share: storage in PostgreSQL, next to the warehouse, in a database of its own."""

from __future__ import annotations

import os
from dataclasses import replace
from importlib.resources import files
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from clickstream_dagster.settings import Postgres
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.connection import create_database

if TYPE_CHECKING:
    from dagster import DagsterInstance

#: Dagster writes one event for each partition of a range; in batches that takes less than half the time.
EVENT_BATCH_SIZE = "200"
#: A Lambda sleeps for an hour between two ticks: what it held before may be gone.
POOL_RECYCLE_SECONDS = 60
STATEMENT_TIMEOUT_MS = 300_000
#: Connections besides the one that is kept, for questions that are asked while another is answered.
MAX_OVERFLOW = 10


def prepare(stack: Stack) -> dict[str, str]:
    """Make the instance usable, and return the environment that Dagster's own commands need for it.

    A DAGSTER_HOME that is already set (a server's, a Lambda's) is left alone, and so is the database of a login of
    Dagster's own: whoever gave it the login has made the database.
    """
    server = replace(stack.server, database=stack.settings.dagster_database)
    if stack.settings.dagster_login:
        user, password = stack.settings.dagster_login
        server = replace(server, user=user, password=password)
    else:
        create_database(stack.server, server.database)
    environment = {
        "CLICKSTREAM_DAGSTER_URL": url(server),
        "CLICKSTREAM_HOME": str(stack.settings.home),
        "DAGSTER_HOME": os.environ.get("DAGSTER_HOME") or str(stack.settings.home / "dagster"),
        "DAGSTER_EVENT_BATCH_SIZE": os.environ.get("DAGSTER_EVENT_BATCH_SIZE") or EVENT_BATCH_SIZE,
    }
    if not os.environ.get("DAGSTER_HOME"):
        home = stack.settings.home / "dagster"
        home.mkdir(parents=True, exist_ok=True)
        (home / "dagster.yaml").write_text(files("clickstream_dagster").joinpath("dagster.yaml").read_text())
    os.environ.update(environment)
    return environment


def open_instance() -> DagsterInstance:
    """The instance of DAGSTER_HOME, for a process that runs the job in itself: it keeps its connections for a minute.

    Dagster's own way opens one for each question, some seven hundred for an hour, each with its handshake. This is what
    its webserver does.
    """
    from dagster import DagsterInstance

    opened = DagsterInstance.get()
    opened.optimize_for_webserver(
        statement_timeout=STATEMENT_TIMEOUT_MS, pool_recycle=POOL_RECYCLE_SECONDS, max_overflow=MAX_OVERFLOW
    )
    return opened


def url(server: Postgres) -> str:
    """The SQLAlchemy URL of a login. A Unix socket goes into the query, where libpq looks for it."""
    options = {"sslmode": "require"} if server.ssl else {}
    is_socket = server.host.startswith("/")
    if is_socket:
        options |= {"host": server.host, "port": str(server.port)}
    place = "" if is_socket else f"{server.host}:{server.port}"
    login = quote(server.user, safe="") + (f":{quote(server.password, safe='')}" if server.password else "")
    return f"postgresql+psycopg2://{login}@{place}/{server.database}" + (f"?{urlencode(options)}" if options else "")

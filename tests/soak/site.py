"""What a soak runs on: an S3 server, the collector, PostgreSQL and loaders, on a home of its own."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from subprocess import Popen

import boto3
import psutil

from clickstream_dagster.local.embedded import start_postgres
from clickstream_dagster.settings import load_settings
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.connection import create_database
from ingest_lambda.settings import open_store
from soak.processes import COMMAND, Kept, start
from support.aws import KEYS, REGION
from support.servers import free_port

BUCKET = "raw"
_PYTHON = [sys.executable, "-W", "ignore", "-m"]


class Site:
    """`home` is an empty folder, and holds the logs of all processes afterwards."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.bucket_port, self.collector_port = free_port(), free_port()
        os.environ |= {
            **KEYS,
            "AWS_REGION": REGION,
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.bucket_port}",
            "RAW_BUCKET_NAME": BUCKET,
            "CLICKSTREAM_HOME": str(home / "home"),
            "CLICKSTREAM_FIRST_HOUR": f"{datetime.now(UTC):%Y-%m-%dT%H:00Z}",
        }
        moto = [*_PYTHON, "moto.server", "-H", "127.0.0.1", "-p", str(self.bucket_port)]
        self._bucket = start(moto, {}, home / "bucket.log")
        wait_for(self.bucket_port)
        place = {"LocationConstraint": REGION}
        s3 = boto3.client("s3", endpoint_url=os.environ["AWS_ENDPOINT_URL"], region_name=REGION)
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=place)
        self.store = open_store(BUCKET, is_patient=True)  # tens of thousands of objects to count
        # This process uses PostgreSQL from the beginning to the end, so that it is not stopped when a loader ends.
        self._server = start_postgres(home / "home")

    def collector(self, store_port: int) -> Kept:
        """The gateway, with its store behind this port."""
        command = [*COMMAND, "gateway", "--port", str(self.collector_port)]
        return Kept(command, _behind(store_port), self.home / "gateway.log")

    def loader(self, store_port: int, on_line: Callable[[str], None]) -> Kept:
        """The one that loads every few moments."""
        return Kept([*_PYTHON, "soak.loader"], _behind(store_port), self.home / "loader.log", on_line)

    def materialize(self, store_port: int) -> Popen[str]:
        """The command, once."""
        return start([*COMMAND, "materialize"], _behind(store_port), self.home / "materialize.log")

    def warehouse(self, database: str = "clickstream_dw") -> Stack:
        """The warehouse of the soak, or another one beside it."""
        create_database(self._server, database)
        return Stack(replace(load_settings(), postgres=replace(self._server, database=database)))

    def kill_postgres(self) -> None:
        """The server's first process; its others notice and end. Whoever needs it next starts it again."""
        with suppress(FileNotFoundError, IndexError, psutil.NoSuchProcess):
            postmaster = psutil.Process(int((self.home / "home/postgres/postmaster.pid").read_text().split()[0]))
            if postmaster.name() == "postgres":  # and not somebody else who has got its number
                postmaster.kill()

    def close(self) -> None:
        self._bucket.kill()
        self._bucket.wait()


def wait_for(port: int, seconds: float = 60) -> None:
    """Until something listens there."""
    import socket

    until = time.monotonic() + seconds
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


def _behind(port: int) -> dict[str, str]:
    return {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"}

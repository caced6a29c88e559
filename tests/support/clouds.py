"""What the tick's Lambda meets in the cloud: S3 and Parameter Store (moto), PostgreSQL on TCP with a password for each role,
and a Dagster instance whose tables the server has made."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from clickstream_dagster.settings import Postgres, load_settings
from clickstream_dagster.stack import Stack
from support.aws import KEYS, REGION, client, moto_server
from support.servers import DAGSTER, LOADER, as_loader, tcp_postgres

PARAMETERS = "/clickstream/test/warehouse/"
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Cloud:
    """Where everything is."""

    aws: str
    administrator: Postgres
    bucket: str

    def client(self, service: str) -> Any:
        return client(self.aws, service)

    @property
    def environ(self) -> dict[str, str]:
        """The tick's, as the template gives it; not one secret in it."""
        return {
            **KEYS,
            "AWS_ENDPOINT_URL": self.aws,
            "RAW_BUCKET_NAME": self.bucket,
            "DW_PG_HOST": "127.0.0.1",
            "DW_PG_PORT": str(self.administrator.port),
            "DW_PG_USER": LOADER[0],
            "DW_PG_DATABASE": "clickstream_dw",
            "DAGSTER_PG_USER": DAGSTER[0],
            "DAGSTER_PG_DATABASE": "dagster",
            "DAGSTER_HOME": "/var/task/instance",
            "CLICKSTREAM_HOME": "/tmp/clickstream",
            "CLICKSTREAM_FIRST_HOUR": "2025-12-01T00:00Z",
            "CLICKSTREAM_PARAMETERS": PARAMETERS,
        }

    @property
    def stack(self) -> Stack:
        """The same warehouse for the test itself, as the loader."""
        environ = {"CLICKSTREAM_HOME": "/nonexistent", "CLICKSTREAM_FIRST_HOUR": "2025-12-01T00:00Z"}
        return Stack(replace(load_settings(environ), postgres=as_loader(self.administrator)))

    @property
    def dagster_url(self) -> str:
        user, password = (quote(part, safe="") for part in DAGSTER)
        return f"postgresql+psycopg2://{user}:{password}@127.0.0.1:{self.administrator.port}/dagster"


@contextmanager
def cloud() -> Iterator[Cloud]:
    """Everything there is before the first tick."""
    with moto_server() as url, tcp_postgres() as administrator:
        # Servers of one test process share what they hold.
        made = Cloud(url, administrator, f"raw-{uuid4()}")
        made.client("s3").create_bucket(Bucket=made.bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        for name, (_, password) in {"loader_password": LOADER, "dagster_password": DAGSTER}.items():
            made.client("ssm").put_parameter(
                Name=PARAMETERS + name, Value=password, Type="SecureString", Overwrite=True
            )
        _make_dagster_tables(made)
        yield made


def _make_dagster_tables(made: Cloud) -> None:
    """As the server does at its first start; the Lambda's own file says that it may not."""
    code = "import dagster as dg; dg.DagsterInstance.get().get_runs()"
    with tempfile.TemporaryDirectory() as home:
        shutil.copy(ROOT / "infra_cfn" / "instance" / "dagster" / "dagster.yaml", home)
        environ = {"DAGSTER_HOME": home, "CLICKSTREAM_DAGSTER_URL": made.dagster_url}
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", code], env={**os.environ, **environ}, check=True, timeout=120
        )

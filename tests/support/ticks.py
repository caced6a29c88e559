"""Ticks, each process of them as a Lambda that stays warm, on a warehouse, a raw folder and a Dagster instance of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from clickstream_dagster.settings import Postgres, load_settings
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.connection import Connection, create_database
from ingest_lambda import contract, landing
from ingest_lambda.contract import Event, Order
from support.tables import dump

# Ticks one after another in one process, as a warm Lambda has them; then, where it is asked for, every run that the Dagster
# instance knows.
_PROCESS = """
import json, sys
from clickstream_dagster import lambda_entrypoint
answers = []
for event in json.loads(sys.argv[1]):
    try:
        answers.append(lambda_entrypoint.handler(event))
    except Exception as error:
        answers.append({"error": type(error).__name__, "message": str(error)})
is_dagster_here = "dagster" in sys.modules
runs = [
    {"id": run.run_id, "job": run.job_name, "status": run.status.value, **run.tags}
    for run in (lambda_entrypoint._dagster().get_runs() if sys.argv[2] else ())
]
print(json.dumps([answers, runs, is_dagster_here]))
"""


@dataclass(frozen=True)
class Site:
    """A warehouse, a raw folder and a Dagster instance of this file's own."""

    stack: Stack
    environ: dict[str, str]

    def tick(self, *events: Any, **environ: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """The answers to the events, and the runs of the Dagster instance."""
        answers, runs, _ = self._process("runs", *events, **environ)
        return answers, runs

    def light(self, *events: Any) -> list[dict[str, Any]]:
        """The answers to events for which Dagster is not needed, and so must not have been imported."""
        answers, _, is_dagster_here = self._process("", *events)
        assert not is_dagster_here
        return answers

    def _process(
        self, runs_too: str, *events: Any, **environ: str
    ) -> tuple[list[dict[str, Any]], list[dict[str, Any]], bool]:
        done = subprocess.run(
            [sys.executable, "-c", _PROCESS, json.dumps(events), runs_too],
            env={**os.environ, **self.environ, **environ},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        answers, runs, is_dagster_here = json.loads(done.stdout.splitlines()[-1])
        return answers, runs, is_dagster_here

    def put(self, hour: datetime, visitor: str, *more: bytes) -> None:
        """One raw object with one purchase, and whatever more lines."""
        happened = hour + timedelta(minutes=7)
        event = Event(uuid4(), "purchase", happened, happened, client_id=visitor, order=Order(id=visitor))
        self.stack.store.put(landing.event_key(hour, uuid4()), b"\n".join([contract.encode(event), *more]))

    @contextmanager
    def warehouse(self) -> Iterator[Connection]:
        with self.stack.warehouse() as connection:
            yield connection

    def dump(self) -> dict[str, str]:
        with self.warehouse() as connection:
            return dump(connection)


def make_site(postgres: Postgres, name: str, home: Path, **environ: str) -> Site:
    """A new one; further environment variables hold for each of its ticks."""
    login = replace(postgres, database=name)
    create_database(postgres, login.database)
    environ = {
        "CLICKSTREAM_HOME": str(home),
        "CLICKSTREAM_FIRST_HOUR": "2025-12-01T00:00Z",
        "DW_PG_HOST": login.host,
        "DW_PG_PORT": str(login.port),
        "DW_PG_DATABASE": login.database,
        "DAGSTER_PG_DATABASE": f"{name}_dagster",
        "DAGSTER_HOME": "",
        **environ,
    }
    return Site(Stack(load_settings(environ)), environ)

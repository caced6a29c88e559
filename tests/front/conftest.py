"""One warehouse with a little traffic, the three servers on it, and a browser for which strangers' names lead here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cli_command import Command
from playwright.sync_api import Browser, sync_playwright

from clickstream_dagster.local.traffic.generate import requests
from clickstream_dagster.local.traffic.sending import send
from clickstream_dagster.partitions import floor_hour
from clickstream_dagster.settings import Postgres, load_settings
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.connection import create_database
from support.browsers import launch
from three_servers import Three, three_servers


@pytest.fixture(scope="session")
def three(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Three]:
    """The servers, with a day of traffic loaded by one run of Dagster."""
    folder = tmp_path_factory.mktemp("front")
    login = replace(postgres, database="front")
    create_database(postgres, login.database)
    until = floor_hour(datetime.now(UTC))
    command = Command(
        folder / "home",
        {"DW_PG_HOST": login.host, "DW_PG_PORT": str(login.port), "DW_PG_DATABASE": login.database}
        | {"DAGSTER_PG_DATABASE": "dagster_front", "CLICKSTREAM_FIRST_HOUR": (until - timedelta(days=2)).isoformat()},
    )
    send(
        requests(3, 1, until, visitors_per_day=20), Stack(load_settings({"CLICKSTREAM_HOME": str(command.home)})).store
    )
    loaded = command("materialize")
    assert loaded.code == 0, loaded.err
    with three_servers(command, folder) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium. Names under .test lead to this machine, as a stranger's DNS can make his own do."""
    with sync_playwright() as playwright:
        started = launch(playwright, "chromium", "--host-resolver-rules=MAP *.test 127.0.0.1")
        yield started
        started.close()

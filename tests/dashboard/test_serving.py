"""`clickstream dashboard`, as its users start it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from clickstream_dagster.settings import DASHBOARD_PATH
from dashboard_site import Site, wait_for


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_the_command_serves_it_and_ends_when_told(site: Site, page: Page, tmp_path: Path) -> None:
    port, server = free_port(), site.stack.server
    environ = {"DW_PG_HOST": server.host, "DW_PG_PORT": str(server.port), "DW_PG_DATABASE": server.database}
    process = subprocess.Popen(
        [str(Path(sys.executable).with_name("clickstream")), "dashboard", "--port", str(port)],
        env={**os.environ, **environ, "CLICKSTREAM_HOME": str(tmp_path), "CLICKSTREAM_TIMEZONE": "Europe/Berlin"},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        wait_for(f"http://127.0.0.1:{port}/healthz", process)
        page.goto(f"http://127.0.0.1:{port}/")
        expect(page.locator("[id='overview_period-period_sessions']")).to_be_visible()
        assert page.url.startswith(f"http://127.0.0.1:{port}{DASHBOARD_PATH}")
        page.goto("about:blank")
    finally:
        process.terminate()
        out, _ = process.communicate(timeout=20)
    assert f"Dashboard: http://127.0.0.1:{port}{DASHBOARD_PATH}" in out


@pytest.mark.parametrize("path", ["app.py", "queries.py", "_brand.yml", "../setup.py", "lib/dashboard-1/app.py"])
def test_its_own_files_are_not_served(site: Site, page: Page, path: str) -> None:
    answer = page.request.get(site.url + path)
    assert answer.status == 404 or "import " not in answer.text()


def test_the_login_can_only_read(site: Site) -> None:
    import psycopg2

    from clickstream_dagster.cli.serving import reader_environment
    from queries import Warehouse, dsn

    login = dsn(reader_environment(site.stack))
    connection = psycopg2.connect(login)
    for statement in (
        "delete from fact_orders",
        "create table x (y int)",
        "set transaction read write; drop table fact_orders",
    ):
        with pytest.raises(psycopg2.Error):
            connection.cursor().execute(statement)
        connection.rollback()
    connection.close()
    assert Warehouse(login)

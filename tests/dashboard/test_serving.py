"""`clickstream dashboard`, as its users start it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from clickstream_dagster.settings import DASHBOARD_PATH
from dashboard_site import Site, free_port, serving, settled, wait_for


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


def test_processes_answer_for_each_other(site: Site, page: Page) -> None:
    """A tab's connection is with one of them; its files and downloads may come from any."""
    missing: list[str] = []
    page.on("response", lambda answer: missing.append(answer.url) if answer.status == 404 else None)
    with serving(site.stack, workers=2) as two:
        for name in ("overview", "products", "acquisition", "reliability"):
            page.goto(f"{two.url}?page={name}&period=7d")
            settled(page)
        page.goto(two.url)
        settled(page)
        for _ in range(6):
            with page.expect_download() as waiting:
                page.locator("[id='overview_trend-csv']").click()
            assert "Visitors" in Path(waiting.value.path()).read_text()
        page.goto("about:blank")
    assert not missing


def test_a_page_finds_its_server_again(site: Site, browser: Browser) -> None:
    page, port = browser.new_page(), free_port()
    with serving(site.stack, port=port) as first:
        page.goto(f"{first.url}?page=funnel&period=7d")
        settled(page)
    expect(page.locator("#connection-lost")).to_be_visible()
    expect(page.locator("#connection-lost")).to_have_text("Connection lost. Reconnecting…")
    with serving(site.stack, port=port):
        expect(page.locator("#connection-lost")).to_be_hidden()
        settled(page)
        assert page.url.endswith("?page=funnel&period=7d")
        expect(page.locator("#page .nav-link.active")).to_have_text("Funnel")
        expect(page.locator("#period")).to_have_value("7d")
        page.goto("about:blank")
    page.close()


def test_files_are_compressed_once_and_kept_for_ever(site: Site, page: Page) -> None:
    files: dict[str, dict[str, str]] = {}
    page.on("response", lambda answer: files.update({answer.url: answer.headers}) if "/lib/" in answer.url else None)
    page.goto(site.url)
    settled(page)
    page.goto("about:blank")
    assert len(files) > 10
    for address, headers in files.items():
        assert "immutable" in headers["cache-control"], address
        is_packed = headers.get("content-encoding") == "gzip" or address.endswith(
            ".woff2"
        )  # which is compressed itself
        assert is_packed or int(headers["content-length"]) < 1_000, address

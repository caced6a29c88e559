"""The dashboard as its users meet it: a server of its own, and a real browser that looks at it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Locator, Page, Playwright

from clickstream_dagster.cli.serving import DASHBOARD_SITE, reader_environment
from clickstream_dagster.settings import DASHBOARD_PATH
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.connection import transaction

#: In the order of the navigation bar.
PAGES = (
    *("overview", "now", "funnel", "own_funnel", "journeys", "products", "carts", "acquisition", "attribution"),
    *("customers", "experiments", "retention", "search", "reliability"),
)
SHINY = Path(__file__).resolve().parents[2] / "shiny"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
#: Lines of libraries that say nothing of ours; the last one is what a chart says when its page is left.
NOISE = ("DEPRECATED", "bootstrap-datepicker", "no comm channel defined")


@dataclass(frozen=True)
class Site:
    """A running dashboard on a warehouse."""

    url: str
    stack: Stack
    process: subprocess.Popen[bytes]

    def memory(self) -> float:
        """Resident memory of the server, in MB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    def cpu(self) -> float:
        """CPU seconds that the server has spent so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rows(self, query: str, **parameters: object) -> list[tuple[Any, ...]]:
        """Rows straight from the tables, to compare the page with."""
        with self.stack.warehouse() as connection, transaction(connection) as cursor:
            cursor.execute(query, parameters or None)
            return cursor.fetchall()


def free_port() -> int:
    """A port that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(
    stack: Stack,
    *,
    code: Path = SHINY,
    port: int | None = None,
    workers: int = 1,
    log: Path | None = None,
    **environ: str,
) -> Iterator[Site]:
    """Serve the dashboard for a warehouse until the block ends. Leave the page before: a browser that loses its server
    says so on its console. `log` gets what the server says."""
    with stack.warehouse():
        pass
    port = port or free_port()
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "uvicorn",
        "--app-dir",
        str(code),
        DASHBOARD_SITE,
        "--port",
        str(port),
    ]
    command += ["--workers", str(workers)] if workers > 1 else []
    said = log.open("wb") if log else None
    process = subprocess.Popen(
        [*command, "--log-level", "warning"],
        env={**os.environ, **reader_environment(stack), **environ},
        stderr=said,
    )
    try:
        wait_for(f"http://127.0.0.1:{port}/healthz", process)
        yield Site(f"http://127.0.0.1:{port}{DASHBOARD_PATH}", stack, process)
    finally:
        process.terminate()
        process.wait(20)


def wait_for(url: str, process: subprocess.Popen[bytes], seconds: float = 180) -> None:
    """Until a server answers."""
    for _ in range(int(seconds * 5)):
        assert process.poll() is None, "the server has ended"
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"{url} does not answer")


def launch(playwright: Playwright) -> Browser:
    """Debian's chromium where it is installed, else the one that Playwright has installed."""
    return playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)


def watched(page: Page) -> list[str]:
    """Everything that goes wrong on a page from now on: exceptions, errors on the console, server errors."""
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(f"exception: {error}") if str(error) not in NOISE else None)
    page.on("response", lambda answer: wrong.append(f"{answer.status} {answer.url}") if answer.status >= 500 else None)
    page.on(
        "console",
        lambda line: (
            wrong.append(f"console: {line.text}")
            if line.type == "error" and not any(word in line.text for word in (*NOISE, "404"))
            else None
        ),
    )
    return wrong


def blocked_by_policy(line: str) -> bool:
    """Does a line of the console tell of something that our own policy forbids to our own page?"""
    return "Content Security Policy" in line


def settled(page: Page) -> None:
    """Wait until every part of the shown page has its rows and nothing is being calculated."""
    page.wait_for_function(
        """() => {
            if (document.documentElement.classList.contains("shiny-busy")) return false;
            const shown = document.querySelector("main .tab-pane.active .parts, .tab-content > .tab-pane.active .parts");
            const parts = shown ? [...shown.querySelectorAll(".part")] : [];
            const visible = (e) => e.offsetParent !== null;
            return parts.length > 0
                && parts.every((e) => e.matches(".answered:not(.loading)"))
                && ![...shown.querySelectorAll(".recalculating, .box-row:empty")].some(visible);
        }""",
        timeout=60_000,
    )
    page.wait_for_timeout(300)


def shown_as_table(page: Page, card: str) -> Locator:
    """The table of a card, turned up where its chart lies above."""
    tab = page.locator(f"[id='{card}-face'] a[data-value=table]")
    if tab.count():
        tab.click()
    table = page.locator(f"[id='{card}-table']")
    table.locator("tbody td").first.wait_for()
    return table

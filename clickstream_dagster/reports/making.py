"""Make a report. The dashboard's own code makes it, in a process of its own, so that a number has one definition; Chromium
prints it where there is one."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from clickstream_dagster.dashboard import dashboard_folder, reader_environment
from clickstream_dagster.reports.periods import ReportPeriod
from clickstream_dagster.stack import Stack

MAKING_SECONDS = 300
PRINTING_SECONDS = 60
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


class NoReport(RuntimeError):
    """There is nothing to report, or it could not be made; the message says of which period, why, and what to do."""


class NoPdf(RuntimeError):
    """It could not be printed; the message says why, without a full stop."""


@dataclass(frozen=True)
class Report:
    """What is sent: HTML, the same as plain text, and a headline for the subject."""

    period: ReportPeriod
    headline: str
    html: str
    text: str


def make(stack: Stack, period: ReportPeriod, dashboard: str | None) -> Report:
    """The report of a period. Raises `NoReport`."""
    with stack.warehouse():
        pass
    command = [sys.executable, "-W", "ignore", str(Path(dashboard_folder()) / "report.py")]
    command += ["--from", str(period.start), "--to", str(period.end), "--title", period.title]
    command += ["--dashboard", dashboard] if dashboard else []
    environ = {**os.environ, **reader_environment(stack)}
    try:
        done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=MAKING_SECONDS, check=True)
    except subprocess.CalledProcessError as failed:
        said = failed.stderr.strip().splitlines()
        raise NoReport(
            f"No report of {period.name}: its program failed: {said[-1] if said else 'no reason given'}. Please report it."
        ) from None
    except subprocess.TimeoutExpired:
        raise NoReport(
            f"No report of {period.name}: not made within {MAKING_SECONDS} seconds. Try again when the server is less busy."
        ) from None
    made = json.loads(done.stdout)
    if "problem" in made:
        raise NoReport(f"No report of {period.name}: {made['problem']}")
    return Report(period, made["headline"], made["html"], made["text"])


def printed(html: str) -> bytes:
    """The page as PDF. Raises `NoPdf` where no Chromium is installed, or it does not print."""
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        raise NoPdf("no Chromium is installed")
    with tempfile.TemporaryDirectory(prefix="clickstream-report-", ignore_cleanup_errors=True) as folder:
        page, pdf = Path(folder) / "report.html", Path(folder) / "report.pdf"
        command = [
            browser,
            "--headless",
            "--disable-gpu",
            "--no-pdf-header-footer",
            f"--user-data-dir={folder}/profile",
        ]
        # Chromium's sandbox refuses to be root. The page has no script, and its policy lets it fetch nothing.
        command += ["--no-sandbox"] if os.geteuid() == 0 else []
        try:
            page.write_text(html, encoding="utf-8")
            _run_browser([*command, f"--print-to-pdf={pdf}", page.as_uri()])
            content = pdf.read_bytes() if pdf.exists() else b""
        except OSError as error:
            raise NoPdf(f"{browser} could not print: {error}") from None
        if not content.rstrip().endswith(b"%%EOF"):
            raise NoPdf(f"{browser} did not print the whole page; try it by hand")
        return content


def _run_browser(command: list[str]) -> None:
    """Run it in a session of its own, without a pipe: its children would hold the pipe, and outlive it. Raises `NoPdf`."""
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True) as browser:
        try:
            browser.wait(PRINTING_SECONDS)
        except subprocess.TimeoutExpired:
            raise NoPdf(f"{command[0]} did not print within {PRINTING_SECONDS} seconds") from None
        finally:
            if browser.poll() is None:
                os.killpg(browser.pid, signal.SIGKILL)

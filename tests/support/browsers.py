"""The browsers of this machine."""

from __future__ import annotations

import shutil
from pathlib import Path

from playwright.sync_api import Browser, Playwright

ENGINES = ("chromium", "firefox", "webkit")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def executable(playwright: Playwright, engine: str) -> str | None:
    """Where a browser lies: Debian's chromium where it is installed, else what Playwright has installed."""
    debian = shutil.which("chromium") if engine == "chromium" else None
    own = getattr(playwright, engine).executable_path
    return debian or (own if Path(own).exists() else None)


def launch(playwright: Playwright, engine: str, *flags: str, without: tuple[str, ...] = ()) -> Browser:
    """Start it."""
    args = [*FLAGS, *flags] if engine == "chromium" else []
    started: Browser = getattr(playwright, engine).launch(
        executable_path=executable(playwright, engine), args=args, ignore_default_args=list(without) or None
    )
    return started

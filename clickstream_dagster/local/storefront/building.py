"""The storefront's build: made once, and again when its sources have changed."""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Callable
from pathlib import Path

from clickstream_dagster.local.node import npm

ROOT = Path(__file__).resolve().parents[3]
STOREFRONT = ROOT / "storefront"
#: What a build makes, and what it does not read.
_NO_SOURCES = {"node_modules", ".next", "generated", "next-env.d.ts", "dev", "deploy", "README.md"}


class StorefrontMissing(RuntimeError):
    """The storefront's sources are not here; the message says where they are."""


def build(say: Callable[[str], None]) -> None:
    """Install what the storefront needs and build it, where that is not done. `say` is told what takes its time.
    Raises `StorefrontMissing`, or what `node` raises."""
    if not (STOREFRONT / "package-lock.json").exists():
        raise StorefrontMissing(
            "The storefront is not part of the Python package: run make shop in a checkout of the repository."
        )
    with (STOREFRONT / "package-lock.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # whoever comes second finds it built
        _build(say)


def _build(say: Callable[[str], None]) -> None:
    wanted = _digest([STOREFRONT / "package.json", STOREFRONT / "package-lock.json"])
    if _kept(STOREFRONT / "node_modules" / ".installed") != wanted:
        say("Installing the storefront's packages from the npm registry (once, half a minute) ...")
        npm(STOREFRONT, "ci", "--no-audit", "--no-fund", "--loglevel=error")
        (STOREFRONT / "node_modules" / ".installed").write_text(wanted)
    wanted = _digest(_sources())
    if _kept(STOREFRONT / ".next" / "sources") != wanted:
        say("Building the storefront (when its sources have changed, half a minute) ...")
        npm(STOREFRONT, "run", "build")
        (STOREFRONT / ".next" / "sources").write_text(wanted)


def _sources() -> list[Path]:
    own = [part for part in STOREFRONT.iterdir() if part.name not in _NO_SOURCES]
    folders = [*own, ROOT / "tracker" / "dist"]
    return sorted(
        file for part in folders for file in ([part] if part.is_file() else part.rglob("*")) if file.is_file()
    )


def _digest(files: list[Path]) -> str:
    found = hashlib.sha256()
    for file in files:
        found.update(f"{file.relative_to(ROOT)}\0".encode() + hashlib.sha256(file.read_bytes()).digest())
    return found.hexdigest()


def _kept(file: Path) -> str:
    return file.read_text() if file.exists() else ""

"""Programs of a test's own."""

from __future__ import annotations

from pathlib import Path


def script(path: Path, does: str) -> Path:
    """A shell script at that path, to be found on PATH in place of the real program."""
    path.write_text(f"#!/bin/sh\n{does}\n")
    path.chmod(0o755)
    return path

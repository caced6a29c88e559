"""The `clickstream` command as its users start it: a process of its own, seen by its exit code, stdout and stderr."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

COMMAND = Path(sys.executable).with_name("clickstream")
OURS = ("DW_", "CLICKSTREAM_", "DAGSTER_", "RAW_", "AWS_")


@dataclass(frozen=True)
class Ran:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def sentence(self) -> str:
        """The one line that a failed command says: never a traceback, never nothing."""
        assert self.code != 0, self.out
        [line] = self.err.splitlines()
        assert line.startswith("clickstream: ")
        return line.removeprefix("clickstream: ")


@dataclass(frozen=True)
class Command:
    """Runs `clickstream` in a home of its own; keyword arguments are environment variables."""

    home: Path
    environ: dict[str, str] = field(default_factory=dict)

    def __call__(self, *arguments: str | Path, **environ: str) -> Ran:
        done = subprocess.run(
            [str(COMMAND), *map(str, arguments)],
            env={**self.environment(), **environ},
            cwd=self.home.parent,
            capture_output=True,
            text=True,
            timeout=120,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def environment(self) -> dict[str, str]:
        """What it runs in: nothing of the machine's own settings."""
        own = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        return {**own, "CLICKSTREAM_HOME": str(self.home), **self.environ}

    def stored(self) -> list[str]:
        """The keys of every raw object of this home, without the notes of its imports."""
        raw = self.home / "raw"
        keys = (str(path.relative_to(raw)) for path in raw.rglob("*") if path.is_file())
        return sorted(key for key in keys if not key.startswith("imports/"))

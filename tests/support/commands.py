"""The commands of infra_cfn/, run as `make` runs them."""

from __future__ import annotations

import subprocess
import sys

from support.templates import FOLDER


def command(*words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    """Run one with these words; `typed` is what a person answers."""
    return subprocess.run(
        [sys.executable, "-m", f"infra_cfn.commands.{words[0]}", *words[1:]],
        input=typed, capture_output=True, text=True, cwd=FOLDER.parent, timeout=60,
    )  # fmt: skip

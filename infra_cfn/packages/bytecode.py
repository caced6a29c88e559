"""Compiled files for the runtime's Python. A Lambda's code is read-only, so what is not compiled here is compiled again at
every cold start: that is most of what importing Dagster takes.

Bytecode belongs to one minor version, so the Python that compiles must be the one that will run it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

#: Where the code lies in a Lambda; what a traceback shows.
TASK_ROOT = "/var/task"
_VARIABLE = "CLICKSTREAM_BUILD_PYTHON"


def compile_all(folder: Path, python: str, *only: str) -> None:
    """Compile the folder (or some folders in it). The files are never compared with their source again: nobody edits it.

    One process with a fixed seed, because the bytes depend on what was compiled before and on how sets are ordered.
    """
    places = [str(folder / name) for name in only] or [str(folder)]
    options = ["-q", "-s", str(folder), "-p", TASK_ROOT, "--invalidation-mode", "unchecked-hash"]
    environment = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
    # Exit code 1 means that some file is no Python of this version: libraries ship templates that are not.
    subprocess.run([interpreter(python), "-m", "compileall", *options, *places], env=environment, capture_output=True)


@cache
def interpreter(python: str) -> str:
    """A Python of this minor version on this machine."""
    named = os.environ.get(_VARIABLE)
    pyenv = sorted(Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser().glob(f"versions/{python}.*/bin/python"))
    for candidate in [named, shutil.which(f"python{python}"), *map(str, pyenv)]:
        if candidate and _version(candidate) == python:
            return candidate
    raise SystemExit(
        f"The packages are for Python {python}, and need one to compile their files. Install it (Amazon Linux, Fedora: "
        f"dnf install python{python}; Debian with pyenv: pyenv install {python}), or name one in {_VARIABLE}."
    )


def _version(command: str) -> str:
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run([command, "-c", code], capture_output=True, text=True, timeout=20)
    except OSError:
        return ""
    return done.stdout.strip() if re.fullmatch(r"\d+\.\d+\n", done.stdout) else ""

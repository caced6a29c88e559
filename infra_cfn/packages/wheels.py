"""Wheels: fetched by hash, unpacked without what a Lambda never reads; and our own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from infra_cfn.packages.archive import EPOCH, digest
from infra_cfn.packages.contents import ROOT
from infra_cfn.packages.targets import Target

#: Of a wheel, what only a compiler, a type checker or an installer reads; and the libraries' own tests.
_UNREAD = re.compile(
    r"(.*/)?(tests|__pycache__)/.*|.*\.(pyi|c|h|pyx|pxd)|[^/]+\.dist-info/(RECORD|licenses/.*|sboms/.*)"
)


def download(requirements: list[str], target: Target, folder: Path) -> None:
    """Fetch these wheels and nothing that they require."""
    if requirements:
        _pip("download", "--no-deps", "--dest", str(folder), *target.pip_options, *requirements)


def fetch(lock: Path, target: Target, cache: Path) -> list[Path]:
    """The wheels of a lock. pip is asked only when one of them is not in the cache, and refuses any other bytes."""
    cache.mkdir(parents=True, exist_ok=True)
    wanted = _hashes(lock)
    held = {digest(wheel): wheel for wheel in cache.glob("*.whl")}
    if any(hashes.isdisjoint(held) for hashes in wanted.values()):
        _pip("download", "--no-deps", "--require-hashes", "--dest", str(cache), *target.pip_options, "-r", str(lock))
        held = {digest(wheel): wheel for wheel in cache.glob("*.whl")}
    return [held[next(iter(hashes & set(held)))] for hashes in wanted.values()]


def unpack(wheels: list[Path], folder: Path) -> None:
    """Lay the wheels out as an installer would, for import only."""
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as held:
            for entry in held.infolist():
                place = re.sub(r"^[^/]+\.data/(purelib|platlib)/", "", entry.filename)
                if entry.is_dir() or re.match(r"[^/]+\.data/", place) or _UNREAD.fullmatch(place):
                    continue
                (folder / place).parent.mkdir(parents=True, exist_ok=True)
                (folder / place).write_bytes(held.read(entry))


def our_wheel(folder: Path) -> Path:
    """Our own wheel, the same bytes each time, from a copy: setuptools leaves its work in the folder that it builds."""
    with tempfile.TemporaryDirectory() as copied:
        source = Path(copied)
        for name in ("clickstream_dagster", "ingest_lambda", "dbt_like_sql", "shiny", "tracker/dist"):
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("setup.py", "pyproject.toml"):
            shutil.copy(ROOT / name, source / name)
        (source / "shiny" / "theme.css").write_text(_theme())
        environment = {"SOURCE_DATE_EPOCH": str(EPOCH)}
        _pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(source), **environment)
    [built] = folder.glob("clickstream-*.whl")
    return built


def our_version() -> str:
    """The version in setup.py."""
    [version] = re.findall(r'version="([^"]+)"', (ROOT / "setup.py").read_text())
    return str(version)


def _theme() -> str:
    """The dashboard's style sheet, made of _brand.yml."""
    from shiny import ui

    return str(ui.Theme.from_brand(ROOT / "shiny" / "_brand.yml").to_css())


def _hashes(lock: Path) -> dict[str, set[str]]:
    text = lock.read_text().replace("\\\n", " ")
    lines = [line.split() for line in text.splitlines() if not line.startswith("#")]
    return {name: {one.removeprefix("--hash=sha256:") for one in hashes} for name, *hashes in lines}


def _pip(*arguments: str, **environ: str) -> None:
    command = [sys.executable, "-m", "pip", *arguments, "--quiet", "--disable-pip-version-check"]
    done = subprocess.run(command, env={**os.environ, **environ}, capture_output=True, text=True)
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if not line.startswith("WARNING")]
        raise SystemExit("pip could not get what the package needs:\n" + "\n".join(errors))

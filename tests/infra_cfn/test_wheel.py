"""Our wheel: what travels in it, and that it works where the checkout is not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OURS = ("clickstream_dagster", "dbt_like_sql", "ingest_lambda")


def _run(command: list[str], cwd: Path, **environ: str) -> str:
    done = subprocess.run(command, cwd=cwd, env={**os.environ, **environ}, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package as it would be published, built from a copy so that nothing is left in the checkout."""
    source, built = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("built")
    for name in (*OURS, "shiny"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "tracker" / "dist", source / "tracker" / "dist")
    for name in ("setup.py", "pyproject.toml"):
        shutil.copy(ROOT / name, source / name)
    # Without the build backend that pyproject.toml asks for, pip fetches it.
    here = ["--no-build-isolation"] if int(version("setuptools").partition(".")[0]) >= 77 else []
    _run([sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", *here, "-w", str(built), str(source)], source)
    [found] = built.glob("*.whl")
    return found


def test_the_wheel_holds_every_file_that_the_code_reads(wheel: Path) -> None:
    held = set(zipfile.ZipFile(wheel).namelist())
    patterns = ("dbt_like_sql/**/*.sql", "dbt_like_sql/**/*.yml", "dbt_like_sql/*.json", "ingest_lambda/*.json")
    needed = {str(file.relative_to(ROOT)) for pattern in patterns for file in ROOT.glob(pattern)}
    code = {str(file.relative_to(ROOT)) for name in OURS for file in (ROOT / name).rglob("*.py")}
    assert len(needed) > 30
    assert needed | code | {"clickstream_dagster/dagster.yaml", "clickstream_dagster/workspace.yaml"} <= held
    kinds = ("*.py", "*.css", "*.js", "*.yml")
    shiny = {str(file.relative_to(ROOT / "shiny")) for kind in kinds for file in (ROOT / "shiny").rglob(kind)}
    assert {f"clickstream_shiny/{file}" for file in shiny} <= held
    assert {f"clickstream_tracker/{file.name}" for file in (ROOT / "tracker" / "dist").iterdir()} <= held
    assert not [name for name in held if name.startswith(("shiny/", "tracker/"))]
    assert not [name for name in held if name.startswith(("tests/", "bench/", "docs/"))]


def test_the_package_works_outside_the_checkout(wheel: Path, tmp_path: Path) -> None:
    target, elsewhere = tmp_path / "installed", tmp_path / "elsewhere"
    elsewhere.mkdir()
    _run([sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(target), str(wheel)], elsewhere)
    code = (
        "import clickstream_dagster, ingest_lambda.contract; from clickstream_dagster.warehouse import lineage, models;"
        "print(clickstream_dagster.__file__, len(models.all_models()), len(lineage.column_lineage()))"
    )
    place, models, lineage = _run([sys.executable, "-c", code], elsewhere, PYTHONPATH=str(target)).split()
    assert Path(place).is_relative_to(target)
    assert int(models) == int(lineage) == len(list((ROOT / "dbt_like_sql" / "models").glob("*/*.sql")))

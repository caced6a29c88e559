"""The part of plotly.js that the dashboard sends: built from its sources, and of the version whose figures Python writes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from plotly.offline import get_plotlyjs_version

from clickstream_dagster.local.node import npm

ROOT = Path(__file__).parents[2]
BUNDLE = ROOT / "plotly_bundle"
SERVED = ROOT / "shiny" / "www" / "plotly"


def test_it_is_of_the_version_whose_figures_python_writes() -> None:
    package = json.loads((BUNDLE / "package.json").read_text(encoding="utf-8"))
    assert package["dependencies"] == {"plotly.js": get_plotlyjs_version()}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plotly")
    shutil.copytree(BUNDLE, folder / "bundle", ignore=shutil.ignore_patterns("node_modules"))
    npm(folder / "bundle", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
    npm(folder / "bundle", "run", "build", "--", str(folder / "built"))
    return folder / "built"


@pytest.mark.parametrize("name", ["plotly.min.js", "licenses.txt"])
def test_what_is_served_is_what_its_sources_make(built: Path, name: str) -> None:
    assert (built / name).read_bytes() == (SERVED / name).read_bytes(), "run npm ci && npm run build in plotly_bundle/"

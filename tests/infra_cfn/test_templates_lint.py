"""cfn-lint and checkov find nothing, and every finding that is passed over has its reason beside the resource."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from support.templates import FOLDER, resources

ROOT = FOLDER.parent
#: checkov's pins fight ours, so it lives alone; git-ignored, made once.
VENV = ROOT / ".venv-checkov"
PINS = Path(__file__).with_name("checkov.txt")


def test_cfn_lint_finds_nothing() -> None:
    files = [str(file) for file in sorted(FOLDER.glob("*.yaml"))]
    program = Path(sys.executable).with_name("cfn-lint")
    done = subprocess.run([str(program), *files], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def checkov() -> Path:
    """The program. Made again when the pins change."""
    stamp = VENV / "pins.txt"
    if not stamp.exists() or stamp.read_text() != PINS.read_text():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=True)
        pip = [str(VENV / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        done = subprocess.run([*pip, "-r", str(PINS)], capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stderr
        stamp.write_text(PINS.read_text())
    return VENV / "bin" / "checkov"


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What checkov finds when every switch is on: it leaves out what a condition's default leaves out."""
    folder = tmp_path_factory.mktemp("templates")
    for file in FOLDER.glob("*.yaml"):
        (folder / file.name).write_text(re.sub(r"^    Condition: \w+\n", "", file.read_text(), flags=re.M))
    options = ["--framework", "cloudformation", "--output", "json", "--directory", str(folder)]
    done = subprocess.run([str(checkov()), *options], capture_output=True, text=True, timeout=300)
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def test_checkov_finds_nothing(found: dict[str, Any]) -> None:
    failed = [(one["file_path"], one["resource"], one["check_id"]) for one in found["results"]["failed_checks"]]
    assert failed == []
    assert found["summary"]["parsing_errors"] == 0
    assert found["summary"]["passed"] > 100


def test_what_is_passed_over_would_be_found_and_has_a_reason(found: dict[str, Any]) -> None:
    written = {
        (f"/{file}.yaml", f"{held['Type']}.{name}", skip["id"]): skip["comment"]
        for file, name, held in resources()
        for skip in held.get("Metadata", {}).get("checkov", {}).get("skip", [])
    }
    passed_over = {(one["file_path"], one["resource"], one["check_id"]) for one in found["results"]["skipped_checks"]}
    assert written.keys() == passed_over
    assert [one for one, reason in written.items() if len(reason) < 15] == []

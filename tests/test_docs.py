"""The documents: every link leads somewhere, every command and variable that they name is there, and none is missing."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from urllib.parse import unquote

import pytest

from clickstream_dagster.cli.main import COMMANDS

ROOT = Path(__file__).resolve().parent.parent
#: docs/costs.md is made of it, and has its links.
TEMPLATE = "infra_cfn/costs/template.md"
NAMES = subprocess.check_output(["git", "ls-files", "*.md"], cwd=ROOT, text=True).splitlines()
PAGES = [ROOT / name for name in NAMES if name != TEMPLATE]
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)


def anchors(page: Path) -> set[str]:
    """What a heading is called in a link, as GitHub makes it."""
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    heads = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", head).lower()).replace(" ", "-")
        for head in heads
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    dead = []
    for link in _LINK.findall(_CODE.sub("", page.read_text())):
        if "://" in link or link.startswith("mailto:"):
            continue
        place, _, anchor = unquote(link).partition("#")
        target = page.parent / place if place else page
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            dead.append(link)
    assert dead == []


def test_every_document_can_be_reached_from_the_readme() -> None:
    seen, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop().resolve()
        if page in seen or page.suffix != ".md" or not page.exists():
            continue
        seen.add(page)
        waiting += [
            page.parent / link.partition("#")[0] for link in _LINK.findall(page.read_text()) if "://" not in link
        ]
    assert sorted(set((ROOT / "docs").glob("*.md")) - seen) == []


def test_the_commands_that_are_named_exist() -> None:
    for page in PAGES:
        if page.name == "CHANGELOG.md":
            continue
        named = re.findall(r"(?:^\$ |`|&& |; )clickstream ([a-z][a-z-]*)", page.read_text(), re.MULTILINE)
        assert [name for name in named if name not in COMMANDS] == [], page


def test_every_variable_is_in_the_documents() -> None:
    code = (ROOT / "clickstream_dagster" / "settings.py").read_text()
    variables = set(re.findall(r"\"((?:CLICKSTREAM|DW_PG|SHOP_PG|DAGSTER_PG|RAW)_[A-Z_]+)\"", code))
    told = "".join(
        (ROOT / "docs" / name).read_text() for name in ("settings.md", "reports.md", "security.md", "deploy.md")
    )
    assert len(variables) > 40
    assert sorted(name for name in variables if name not in told) == []


def test_they_build_as_a_site() -> None:
    """Strictly: a page that is in no list, or a link that leads nowhere, fails."""
    done = subprocess.run(["make", "site"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Search" in (ROOT / "build" / "site" / "index.html").read_text()

"""What the packages are made from, as one number: so that no deployment brings today's templates and yesterday's code."""

from __future__ import annotations

import hashlib
from pathlib import Path

from infra_cfn.packages.archive import digest
from infra_cfn.packages.contents import ROOT

_FOLDERS = (
    "ingest_lambda",
    "clickstream_dagster",
    "dbt_like_sql",
    "shiny",
    "tracker/dist",
    "infra_cfn/instance",
    "infra_cfn/packages",
)
_FILES = ("setup.py", "constraints.txt")


def sources(root: Path = ROOT) -> str:
    """SHA-256 of every file of ours that goes into a package or says how it is made."""
    found = [file for folder in _FOLDERS for file in sorted((root / folder).rglob("*")) if file.is_file()]
    found += [root / name for name in _FILES if (root / name).exists()]
    whole = hashlib.sha256()
    for file in found:
        if file.suffix != ".pyc" and not file.name.startswith("."):
            whole.update(f"{file.relative_to(root)} {digest(file)}\n".encode())
    return whole.hexdigest()

"""What becomes of a file, without storing it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from clickstream_dagster.local.importer.document import Document, read_document
from clickstream_dagster.local.importer.source import surveyed
from ingest_lambda import contract
from ingest_lambda.contract import Event, Reject


def outcomes(
    folder: Path, text: str | bytes, mapping: str | Document | None = None, zone: str = "UTC", format: str | None = None
) -> list[Event | Reject]:
    """What each piece of a file is."""
    path = folder / "file"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    if isinstance(mapping, str):
        (folder / "mapping.yml").write_text(mapping)
        mapping = read_document(folder / "mapping.yml")
    found = surveyed(path, mapping, zone, format).records()
    return [one.outcome for _, one in found if isinstance(one.outcome, Event | Reject)]


def said(outcome: Event | Reject) -> dict[str, Any]:
    """An event as JSON has it; the code of a reject."""
    if isinstance(outcome, Reject):
        return {"reject": outcome.code}
    found: dict[str, Any] = json.loads(contract.encode(outcome))
    return found

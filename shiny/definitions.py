"""What each metric means, for the signs beside the numbers. definitions.json is written from the definitions of the tables."""

from __future__ import annotations

import json
from pathlib import Path

_DEFINITIONS: dict[str, str] = json.loads(Path(__file__).with_name("definitions.json").read_text(encoding="utf-8"))


def means(metric: str) -> str:
    """Its definition in a sentence or two."""
    return _DEFINITIONS[metric]

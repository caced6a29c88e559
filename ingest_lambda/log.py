"""One JSON line for each thing worth knowing. Never a payload, an id of a visitor, or an address."""

from __future__ import annotations

import sys
from typing import Any

import msgspec


def log(message: str, **fields: Any) -> None:
    """Write one line to the standard output, which Lambda sends to CloudWatch."""
    line = {"message": message, **{name: value for name, value in fields.items() if value is not None}}
    sys.stdout.write(msgspec.json.encode(line).decode() + "\n")
    sys.stdout.flush()

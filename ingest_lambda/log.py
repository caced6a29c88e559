"""One JSON line for each thing worth knowing. Never a payload, an id of a visitor, or an address.

A line may carry metrics: CloudWatch makes them of the log itself ("embedded metric format"), so that a function needs no way
to CloudWatch, and no request waits for it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import Any

import msgspec

from ingest_lambda import settings


def log(message: str, **fields: Any) -> None:
    """Write one line to the standard output, which Lambda sends to CloudWatch."""
    _write({"message": message, **fields})


def log_metrics(service: str, message: str, metrics: Mapping[str, float | None], **fields: Any) -> None:
    """The same line, and the numbers in it as metrics of a service. A number that is None is not known, and left out."""
    known = {name: value for name, value in metrics.items() if value is not None}
    if not known:
        return log(message, service=service, **fields)
    told = {
        "Namespace": settings.metrics_namespace(),
        "Dimensions": [["service"]],
        "Metrics": [{"Name": name, "Unit": _unit(name)} for name in known],
    }
    about = {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [told]}
    return _write({"message": message, "service": service, **fields, **known, "_aws": about})


def _unit(name: str) -> str:
    """By the end of its name. CloudWatch has no word for minutes and hours."""
    known = {"Seconds": "Seconds", "Percent": "Percent", "Minutes": "None", "Hours": "None"}
    return next((unit for end, unit in known.items() if name.endswith(end)), "Count")


def _write(fields: Mapping[str, Any]) -> None:
    line = {name: value for name, value in fields.items() if value is not None}
    sys.stdout.write(msgspec.json.encode(line).decode() + "\n")
    sys.stdout.flush()

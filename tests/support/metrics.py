"""What CloudWatch reads of a log line in its embedded metric format."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

UNITS = {"Count", "Seconds", "Percent", "None"}


def metrics_of(line: Mapping[str, Any], namespace: str = "Clickstream") -> tuple[str, dict[str, float]]:
    """The service and the numbers of a line, after a check of what the format asks for."""
    about = line["_aws"]
    assert abs(about["Timestamp"] / 1000 - time.time()) < 600, "CloudWatch drops what is old, and wants milliseconds"
    [told] = about["CloudWatchMetrics"]
    assert told["Namespace"] == namespace
    assert told["Dimensions"] == [["service"]]
    names = [metric["Name"] for metric in told["Metrics"]]
    assert 0 < len(names) == len(set(names)) <= 100
    assert {metric["Unit"] for metric in told["Metrics"]} <= UNITS
    assert all(isinstance(line[name], int | float) and not isinstance(line[name], bool) for name in names)
    return line["service"], {name: line[name] for name in names}

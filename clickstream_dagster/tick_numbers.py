"""What a tick tells CloudWatch, by a line in its log: how fresh the tables are, what was loaded, how full the disk is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from clickstream_dagster.warehouse.connection import Connection, transaction
from ingest_lambda.log import log_metrics

#: The machine writes hourly; a row that is older says nothing of now.
_DISK = "select disk_free_percent from machine_health where measured_at > now() - interval '3 hours' order by hour desc limit 1"


def tell(connection: Connection, answer: Mapping[str, Any], owed: int, complete_to: datetime | None) -> None:
    """Log the tick's answer with its numbers. `owed`: how many hours before its own the tick found to be owed a load."""
    runs: Sequence[Mapping[str, Any]] = answer["runs"]
    now = datetime.now(UTC)
    metrics = {
        "HoursLoaded": sum(run["hours"] for run in runs if run["success"]),
        "HoursOwed": owed,
        "EventsLoaded": sum(run["events"] for run in runs),
        "FreshnessMinutes": round((now - complete_to).total_seconds() / 60, 1) if complete_to else None,
        "TickSeconds": answer["seconds"],
        "DiskFreePercent": disk_free_percent(connection),
    }
    log_metrics("etl", "tick", metrics, **answer)


def disk_free_percent(connection: Connection) -> float | None:
    """Of the disk under the warehouse, as its machine has told; None where no machine does."""
    with transaction(connection) as cursor:
        cursor.execute("select to_regclass('machine_health') is not null")
        if cursor.fetchone() != (True,):
            return None
        cursor.execute(_DISK)
        found = cursor.fetchone()
    return float(found[0]) if found else None

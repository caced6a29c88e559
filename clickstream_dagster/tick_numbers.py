"""What a tick tells CloudWatch by a line in its log: freshness, what was loaded, test visits, and how the machine is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from obstore.store import ObjectStore

from clickstream_dagster.warehouse import canaries
from clickstream_dagster.warehouse.connection import Connection, transaction
from ingest_lambda.log import log_metrics

#: The machine writes hourly; a row that is older says nothing of now. A machine that has made no backup yet is as late with it
#: as it is old.
_MACHINE = """
    select disk_free_percent,
        round(extract(epoch from now() - coalesce(backed_up_at, (select min(hour) from machine_health))) / 3600, 1),
        round(memory_available_bytes / 1048576.0),
        cardinality(string_to_array(services_down, ' '))
    from machine_health
    where measured_at > now() - interval '3 hours'
    order by hour desc
    limit 1
"""
#: Its columns.
_MACHINE_NUMBERS = ("DiskFreePercent", "BackupAgeHours", "MemoryAvailableMB", "ServicesDown")


def tell(
    connection: Connection,
    store: ObjectStore,
    answer: Mapping[str, Any],
    did: Mapping[str, float],
    complete_to: datetime | None,
) -> None:
    """Log the tick's answer with its numbers: what it `did`, and how the warehouse stands after it."""
    now = datetime.now(UTC)
    visits = canaries.look(connection, store, now)
    metrics = {
        **did,
        "FreshnessMinutes": round((now - complete_to).total_seconds() / 60, 1) if complete_to else None,
        "TickSeconds": answer["seconds"],
        "CanariesLost": canaries.lost_lately(visits, now),
        **machine_numbers(connection),
    }
    log_metrics("etl", "tick", metrics, **answer, canaries=canaries.sentence(visits) or None)


def runs_numbers(runs: Sequence[Mapping[str, Any]], owed: int, unusual: int) -> dict[str, float]:
    """What runs have loaded. `owed`: how many hours before its own the tick found to be owed a load; `unusual`: how much is
    out of the ordinary and goes on."""
    return {
        "Anomalies": unusual,
        "HoursLoaded": sum(run["hours"] for run in runs if run["success"]),
        "HoursOwed": owed,
        "EventsLoaded": sum(run["events"] for run in runs),
    }


def machine_numbers(connection: Connection) -> dict[str, float]:
    """Of the disk under the warehouse, its backup, its memory and its services, as the machine has told; nothing where no
    machine does, and nothing of what an older release of it does not tell."""
    with transaction(connection) as cursor:
        cursor.execute("select to_regclass('machine_health') is not null")
        if cursor.fetchone() != (True,):
            return {}
        cursor.execute(_MACHINE)
        found = cursor.fetchone()
    told = zip(_MACHINE_NUMBERS, found or (None,) * len(_MACHINE_NUMBERS), strict=True)
    return {name: float(number) for name, number in told if number is not None}

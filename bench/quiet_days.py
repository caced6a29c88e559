"""How often does `anomalies` tell of something on days on which nothing happens, and how small an outage does it find?

Run: python bench/quiet_days.py [--visits 200 3000] [--seeds 1 2 3]. The demo's traffic without its faults, 125 days of it,
counted into the tables that the view reads. Then the clock goes through the last 60 days: whatever is told is a false alarm.
After that, the checkout events of desktop Chrome are taken out of two hours, on every third day, and the clock stops at the end
of the second.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from psycopg2.extras import execute_values

from clickstream_dagster.local.embedded import start_postgres
from clickstream_dagster.local.traffic.generate import _Shop
from clickstream_dagster.settings import load_settings
from clickstream_dagster.warehouse.connection import Connection, connect
from clickstream_dagster.warehouse.migrate import migrate

UNTIL = datetime(2026, 11, 2, tzinfo=UTC)
DAYS, QUIET_DAYS = 125, 60
OUTAGE = ("checkout", "desktop", "Chrome")
HOUR = timedelta(hours=1)
Counts = Counter[tuple[Any, ...]]


def counted(seed: int, visits: int) -> tuple[Counts, Counts, dict[str, tuple[Any, ...]]]:
    """Events by hour, name, device and browser; visits by hour; orders by their id."""
    shop = _Shop(random.Random(seed), UNTIL, visits)
    first = UNTIL - timedelta(days=DAYS)
    events: Counts = Counter()
    sessions: Counts = Counter()
    orders: dict[str, tuple[Any, ...]] = {}
    for number in range(DAYS):
        for visit in shop._visits(first + timedelta(days=number), number, first):
            if visit.is_bot or not visit.hits:
                continue
            device = visit.visitor.device
            sessions[_hour(min(hit.at for hit in visit.hits))] += 1
            for hit in visit.hits:
                events[_hour(hit.at), hit.event["event_name"], device["type"], device["browser"]] += 1
            for order in visit.orders:
                value = sum(item["price"] * item["quantity"] for item in order["items"])
                orders[order["id"]] = (_hour(visit.hits[-1].at), order.get("currency") or "USD", value)
    return events, sessions, orders


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def fill(connection: Connection, seed: int, visits: int) -> None:
    """Put the counts where the view looks for them."""
    events, sessions, orders = counted(seed, visits)
    days: Counter[Any] = Counter()
    for hour, count in sessions.items():
        days[hour.date()] += count
    rows: dict[str, list[tuple[Any, ...]]] = {
        "agg_hourly_events": [(at, at.date(), *what, False, n, n) for (at, *what), n in events.items()],
        "agg_hourly_traffic": [
            (at, at.date(), at.hour, "direct", "desktop", "US", False, n, 0, 0, 0, n) for at, n in sessions.items()
        ],
        "agg_hourly_orders": [
            (at, at.date(), "direct", "desktop", "US", currency, False, 1, value, 1)
            for at, currency, value in orders.values()
        ],
        "agg_daily_traffic": [(day, False, n, n, 0, n, *[0] * 7, n) for day, n in days.items()],
        "loaded_hours": [(UNTIL - number * HOUR, True) for number in range(1, 24 * DAYS + 1)],
    }
    with connection.cursor() as cursor:
        cursor.execute("set jit = off")
        cursor.execute(f"truncate {', '.join(rows)}")
        for table, of_table in rows.items():
            columns = "(partition_hour, is_closed)" if table == "loaded_hours" else ""
            execute_values(cursor, f"insert into {table} {columns} values %s", of_table, page_size=5_000)
            cursor.execute(f"analyze {table}")
    connection.commit()


def told(connection: Connection, now: datetime) -> list[tuple[Any, ...]]:
    """What the view says when everything before `now` is loaded."""
    with connection.cursor() as cursor:
        cursor.execute("update loaded_hours set is_closed = partition_hour < %(now)s", {"now": now})
        cursor.execute("select metric, event_name, device_type, browser, started_at, usual, sentence from anomalies")
        return cursor.fetchall()


def false_alarms(connection: Connection) -> set[tuple[Any, ...]]:
    """Of the last 60 days. One look a day sees all windows, since each stays for a day."""
    looks = (told(connection, UNTIL - timedelta(days=number)) for number in range(QUIET_DAYS))
    return {row[:5] for look in looks for row in look}


def outages(connection: Connection) -> Iterator[tuple[float, bool, int]]:
    """What was usual in each two hours without checkouts of one browser, whether it was told, and how much else was."""
    for number in range(1, QUIET_DAYS, 3):
        for hour in (10, 14, 18, 20):
            start = UNTIL - timedelta(days=number) + hour * HOUR
            with connection.cursor() as cursor:
                cursor.execute("savepoint whole")
                cursor.execute(
                    """
                    delete from agg_hourly_events where event_name = %s and device_type = %s and browser = %s
                    and hour_at >= %s and hour_at < %s returning events
                    """,
                    (*OUTAGE, start, start + 2 * HOUR),
                )
                lost = sum(events for (events,) in cursor.fetchall())
                found = told(connection, start + 2 * HOUR)
                cursor.execute("rollback to whole")
            is_found = [row for row in found if row[:4] == ("events", *OUTAGE)]
            yield float(is_found[0][5]) if is_found else lost, bool(is_found), len(found) - len(is_found)


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    began = time.perf_counter()
    return work(), time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--visits", type=int, nargs="+", default=[200, 3_000])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        settings = load_settings({"CLICKSTREAM_HOME": home})
        connection = connect(start_postgres(Path(home)))
        migrate(connection, settings)
        for visits in asked.visits:
            for seed in asked.seeds:
                fill(connection, seed, visits)
                quiet, seconds = _timed(lambda: false_alarms(connection))
                print(f"{visits:,} visits a day, seed {seed}: {len(quiet)} false alarms in {QUIET_DAYS} days", end=", ")
                print(f"{1000 * seconds / QUIET_DAYS:.0f} ms for a look", flush=True)
                tried = list(outages(connection))
                for low, high in ((0, 12), (12, 14), (14, 16), (16, 20), (20, 1e9)):
                    some = [one for one in tried if low <= one[0] < high]
                    found = sum(is_found for _, is_found, _ in some)
                    beside = sum(others for _, _, others in some)
                    print(
                        f"  {low} to {high:.0f} expected or lost: {found} of {len(some)} outages told, {beside} other lines"
                    )


if __name__ == "__main__":
    main()

"""Shops by the hour: the sums that `anomalies` reads, filled by hand."""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

from psycopg2.extras import execute_values

from clickstream_dagster.partitions import HOUR
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.connection import transaction

END = datetime(2026, 11, 2, 21, tzinfo=UTC)  # a Monday
START = END - timedelta(days=9 * 7 + 1)
_ORDERS = re.compile(r"orders (\d+) of (\d+)")
_RECEIVED = re.compile(r"received (\d+), of these rejected (\d+), warned (\d+)")
_TABLES = (
    "agg_hourly_events",
    "agg_hourly_orders",
    "agg_hourly_traffic",
    "agg_daily_traffic",
    "etl_ledger",
    "loaded_hours",
)


class Hours:
    """What happens in each hour, by lines such as `sessions 40` or `checkout Safari mobile 8`."""

    def __init__(self) -> None:
        self._tables: dict[str, dict[Any, tuple[Any, ...]]] = defaultdict(dict)
        self._sessions: dict[datetime, int] = {}

    def set(self, start: datetime, end: datetime, line: str) -> None:
        """Say what every hour of a time has; the last word counts."""
        hour = start
        while hour < end:
            self._set(hour, line)
            hour += HOUR

    def _set(self, hour: datetime, line: str) -> None:
        when = {"hour_at": hour, "local_date": hour.date()}
        if found := _ORDERS.fullmatch(line):
            count, each = map(int, found.groups())
            grain = (*when.values(), "direct", "desktop", "US", "USD", False)
            self._tables["agg_hourly_orders"][hour] = (*grain, count, count * each, count)
        elif found := _RECEIVED.fullmatch(line):
            received, rejected, warned = map(int, found.groups())
            books = (1, received, received - rejected, 0, rejected, "{}", 0, 0, warned, "{}")
            self._tables["etl_ledger"][hour] = (hour, *books)
        elif line.startswith("sessions "):
            self._sessions[hour] = int(line.split(" ")[1])
        else:
            name, browser, device, count = line.split(" ")
            row = (*when.values(), name, device, browser, False, int(count), int(count))
            self._tables["agg_hourly_events"][hour, name, device, browser] = row

    def write(self, stack: Stack) -> None:
        """Put them into the tables, all hours whole."""
        days: dict[Any, int] = defaultdict(int)
        for hour, sessions in self._sessions.items():
            days[hour.date()] += sessions
            row = (hour, hour.date(), hour.hour, "direct", "desktop", "US", False, sessions, 0, 0, 0, sessions)
            self._tables["agg_hourly_traffic"][hour] = row
        with stack.warehouse() as connection, transaction(connection) as cursor:
            cursor.execute(f"truncate {', '.join(_TABLES)}")
            for table, kept in self._tables.items():
                execute_values(cursor, f"insert into {table} values %s", list(kept.values()), page_size=5_000)
            zeros = ", 0" * 11
            for day, sessions in days.items():
                values = f"%(day)s, false{zeros}, 1"
                cursor.execute(f"insert into agg_daily_traffic values ({values})", {"day": day})
                cursor.execute("update agg_daily_traffic set sessions = %s where local_date = %s", (sessions, day))
            cursor.execute(
                "insert into loaded_hours (partition_hour, is_closed) select generate_series(%s, %s, interval '1 hour'), true",
                (START, END - HOUR),
            )

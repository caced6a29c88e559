"""The hour in progress, loaded without a Dagster run: its run comes when it has ended.

A run writes two hundred rows into Dagster's tables whatever it loads, and importing Dagster takes longer than the load. So what
comes every few minutes calls the functions that the assets call, and nothing of Dagster's.
"""

from __future__ import annotations

from datetime import datetime

from clickstream_dagster.partitions import HOUR
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.connection import Connection, transaction
from clickstream_dagster.warehouse.load import load_hours
from clickstream_dagster.warehouse.merge import Loaded
from clickstream_dagster.warehouse.rebuild import rebuild_all


def load_open_hour(connection: Connection, stack: Stack, hour: datetime) -> Loaded:
    """Load an hour in progress, and what came late into the one before it, and bring every table up to date.

    It closes no hour, even one that ends meanwhile: a closed hour is one that a run has loaded.
    """
    first = max(hour - HOUR, stack.settings.first_hour)
    loaded = load_hours(connection, stack.store, first, hour + HOUR, is_closing=False)
    rebuild_all(connection)
    return loaded


def is_closed(connection: Connection, hour: datetime) -> bool:
    """Has the hour been loaded whole, by `clickstream materialize` or by a run that has come to its end?"""
    with transaction(connection) as cursor:
        cursor.execute("select from loaded_hours where partition_hour = %s and is_closed and not is_run_owed", (hour,))
        return bool(cursor.rowcount)

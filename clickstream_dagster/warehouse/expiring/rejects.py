"""Rejected events that are older than the policy leave the table. No fact is made of them: all else that changes is the books."""

from __future__ import annotations

from datetime import datetime

from clickstream_dagster.settings import EXPIRED_LINES
from clickstream_dagster.warehouse import changes
from clickstream_dagster.warehouse.connection import Connection, Cursor, held, take_lock, transaction
from clickstream_dagster.warehouse.replay import REPLAY


def remove_old(connection: Connection, horizon: datetime) -> int:
    """Remove the rejects that were received before `horizon`, so many in a transaction; how many they were. The notes of test
    visits go with them: what arrived of these was a reject."""
    total = 0
    with held(connection, REPLAY):
        while rejects := _remove_some(connection, horizon):
            total += rejects
    with transaction(connection) as cursor:
        cursor.execute("delete from canary_notes where sent_at < %s", (horizon,))
    return total


def _remove_some(connection: Connection, horizon: datetime) -> int:
    with transaction(connection) as cursor:
        take_lock(cursor, "clickstream_events")
        return _remove(cursor, horizon)


def _remove(cursor: Cursor, horizon: datetime) -> int:
    cursor.execute(
        """
        create temporary table expired_rejects on commit drop as
        with gone as (
            delete from rejected_events where ctid = any(array(
                select ctid from rejected_events where partition_hour < %s order by partition_hour limit %s
            ))
            returning partition_hour, object_key, content_hash
        )
        select partition_hour, object_key, content_hash, count(*)::integer as lines
        from gone group by partition_hour, object_key, content_hash
        """,
        (horizon, EXPIRED_LINES),
    )
    cursor.execute("""
        update raw_objects set expired_count = expired_count + expired_rejects.lines from expired_rejects
        where raw_objects.object_key = expired_rejects.object_key and raw_objects.content_hash = expired_rejects.content_hash
        """)
    changes.owe_keys(cursor, "etl_ledger", "select distinct partition_hour from expired_rejects")
    cursor.execute("select coalesce(sum(lines), 0) from expired_rejects")
    [(rejects,)] = cursor.fetchall()
    return int(rejects)

"""When each table was last changed, and by how much (table `model_runs`)."""

from __future__ import annotations

from clickstream_dagster.warehouse.connection import Cursor


def record(cursor: Cursor, model: str, keys: int, removed: int, added: int) -> None:
    """Enter what this transaction did to a table, in place of what the one before it did."""
    cursor.execute(
        """
        insert into model_runs (model, finished_at, keys, removed, added)
        values (%s, clock_timestamp(), %s, %s, %s)
        on conflict (model) do update set finished_at = excluded.finished_at, keys = excluded.keys,
            removed = excluded.removed, added = excluded.added
        """,
        (model, keys, removed, added),
    )

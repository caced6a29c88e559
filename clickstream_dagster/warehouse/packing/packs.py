"""Which packs of the raw store hold nothing but what is in the manifest."""

from __future__ import annotations

from datetime import datetime

from clickstream_dagster.raw.packs.listing import Known
from clickstream_dagster.warehouse.connection import Connection, transaction


def known(connection: Connection) -> Known:
    """Tells of packs which ones need not be opened."""

    def among(packs: list[str]) -> set[str]:
        with transaction(connection) as cursor:
            cursor.execute("select pack_key from raw_packs where pack_key = any(%s)", (packs,))
            return {key for (key,) in cursor.fetchall()}

    return among


def enter(connection: Connection, packs: dict[str, datetime]) -> None:
    """Enter packs, with their hours, all of whose members are in the manifest. Only while nobody can take one out of it
    (`load.LISTED`)."""
    if packs:
        with transaction(connection) as cursor:
            cursor.execute(
                """
                insert into raw_packs (pack_key, partition_hour)
                select * from unnest(%s::text[], %s::timestamptz[]) on conflict do nothing
                """,
                (list(packs), list(packs.values())),
            )

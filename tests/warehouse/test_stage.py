"""Should the contract ever let through what a column cannot hold, it costs only itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from clickstream_dagster.raw.decode import Decoded
from clickstream_dagster.raw.objects import RawObject
from clickstream_dagster.raw.prepare import groups
from clickstream_dagster.settings import Postgres, load_settings
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.connection import create_database, transaction
from clickstream_dagster.warehouse.load import load_batch
from ingest_lambda.contract import Event

HOUR = datetime(2026, 3, 14, 15, tzinfo=UTC)


def _part(name: str, quantities: list[int]) -> Decoded:
    events = [
        (number, Event(uuid4(), "page_view", HOUR, HOUR, client_id="c-1", quantity=quantity))
        for number, quantity in enumerate(quantities, 1)
    ]
    return Decoded(RawObject(f"events/2026/03/14/15/{name}", "etag", 7, HOUR), uuid4(), len(events), events)


def test_poison_is_found_and_rejected_wherever_it_lies(
    postgres: Postgres, tmp_path_factory: pytest.TempPathFactory
) -> None:
    create_database(postgres, "stage_poison")
    home = load_settings({"CLICKSTREAM_HOME": str(tmp_path_factory.mktemp("home"))})
    poison = 2**40  # no integer column holds it
    parts = [_part("a", [1, poison, 2, 3]), _part("b", [4]), _part("c", [poison, 5, poison])]
    with Stack(replace(home, postgres=replace(postgres, database="stage_poison"))).warehouse() as connection:
        loaded = load_batch(connection, groups(parts))
        assert (loaded.received, loaded.loaded, loaded.rejected) == (8, 5, 3)
        with transaction(connection) as cursor:
            cursor.execute("select object_key, line_number, code from rejected_events order by 1, 2")
            rejected = [(key[-1], line, code) for key, line, code in cursor.fetchall()]
            cursor.execute("select array_agg(quantity order by quantity) from clickstream_events")
            [(quantities,)] = cursor.fetchall()
    assert rejected == [("a", 2, "unloadable"), ("c", 1, "unloadable"), ("c", 3, "unloadable")]
    assert quantities == [1, 2, 3, 4, 5]

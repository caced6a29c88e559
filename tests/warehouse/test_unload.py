"""What is taken back leaves the same bytes as if it had never been, in whatever order it was loaded."""

from __future__ import annotations

from collections.abc import Iterator

import obstore
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from obstore.store import MemoryStore

from clickstream_dagster.partitions import HOUR
from clickstream_dagster.settings import Postgres
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.load import load_hours
from clickstream_dagster.warehouse.rebuild import rebuild_all
from clickstream_dagster.warehouse.unload import unload
from ingest_lambda import landing
from support.histories import HOURS, START, RawFile, raw_files
from support.limits import low_limits
from support.tables import differences, dump, empty, unequal_sums
from support.thorough import examples

END = START + HOURS * HOUR
NAME = "0123456789ab"


@pytest.fixture(scope="module")
def stack(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """More than two purchases or refunds of an order are too many."""
    with low_limits(
        postgres, "unload", tmp_path_factory.mktemp("unload"), CLICKSTREAM_TIMEZONE="Europe/Berlin"
    ) as stack:
        yield stack


def as_imported(file: RawFile, part: int) -> RawFile:
    root = file.key.partition("/")[0]
    return RawFile(landing.imported_key(root, file.hour, NAME, part), file.data, file.hour)


def put(store: MemoryStore, files: list[RawFile]) -> None:
    for file in files:
        obstore.put(store, file.key, file.data)


@settings(
    max_examples=examples(12),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(files=raw_files(), data=st.data())
def test_what_is_taken_back_was_never_there(stack: Stack, files: list[RawFile], data: st.DataObject) -> None:
    is_taken = data.draw(st.lists(st.booleans(), min_size=len(files), max_size=len(files)))
    taken = [as_imported(file, part) for part, file in enumerate(files) if is_taken[part]]
    kept = [file for part, file in enumerate(files) if not is_taken[part]]
    with stack.warehouse() as connection:
        empty(connection)
        store = MemoryStore()
        put(store, kept)
        load_hours(connection, store, START, END)
        rebuild_all(connection)
        never = dump(connection)

        empty(connection)
        store = MemoryStore()
        put(store, kept + taken)
        for hour in data.draw(st.permutations(range(HOURS))):
            load_hours(connection, store, START + hour * HOUR, START + (hour + 1) * HOUR)
        if data.draw(st.booleans()):
            rebuild_all(connection)
        unload(connection, store, NAME, lambda: [obstore.delete(store, file.key) for file in taken])
        if data.draw(st.booleans()):
            rebuild_all(connection)
        load_hours(connection, store, START, END)
        rebuild_all(connection)
        assert differences(dump(connection), never) == {}
        assert unequal_sums(connection) == {}

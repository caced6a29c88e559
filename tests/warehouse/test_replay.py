"""After a rule is mended, a replay leaves the bytes that a load by the new rule does, whatever was loaded before it and how."""

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
from clickstream_dagster.warehouse.connection import Connection
from clickstream_dagster.warehouse.ledger import ledger
from clickstream_dagster.warehouse.load import load_hours
from clickstream_dagster.warehouse.rebuild import rebuild_all
from clickstream_dagster.warehouse.replay import Replayed, Wanted, replay
from support.histories import HOURS, START, RawFile
from support.limits import low_limits
from support.refusals import REASON, refused_files, yesterday
from support.tables import differences, dump, empty, unequal_sums
from support.thorough import examples

END = START + HOURS * HOUR


@pytest.fixture(scope="module")
def shop(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """More than two purchases or refunds of an order are too many."""
    with low_limits(postgres, "replayed", tmp_path_factory.mktemp("replayed")) as stack:
        yield stack


def put(store: MemoryStore, files: list[RawFile]) -> None:
    for file in files:
        obstore.put(store, file.key, file.data)


def load(connection: Connection, store: MemoryStore, hour: int) -> None:
    load_hours(connection, store, START + hour * HOUR, START + (hour + 1) * HOUR)


STEPS = st.lists(
    st.tuples(st.sampled_from(["hour", "replay", "reason", "rebuild"]), st.integers(0, HOURS - 1)), max_size=8
)


def take_step(connection: Connection, store: MemoryStore, kind: str, hour: int) -> None:
    first = START + hour * HOUR
    if kind == "hour":
        load(connection, store, hour)
    elif kind == "rebuild":
        rebuild_all(connection)
    elif kind == "replay":
        replay(connection, store, Wanted(start=first, end=first + HOUR))
    else:
        replay(connection, store, Wanted(reasons=(REASON,), start=first))


@settings(
    max_examples=examples(12),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(files=refused_files(), steps=STEPS, data=st.data())
def test_a_replay_is_a_load_by_the_new_rule(
    shop: Stack, files: list[RawFile], steps: list[tuple[str, int]], data: st.DataObject
) -> None:
    store = MemoryStore()
    put(store, files)
    with shop.warehouse() as connection:
        empty(connection)
        load_hours(connection, store, START, END)
        rebuild_all(connection)
        expected = dump(connection)

        empty(connection)
        with yesterday():
            for hour in data.draw(st.permutations(range(HOURS)))[: data.draw(st.integers(1, HOURS))]:
                load(connection, store, hour)
            rebuild_all(connection)
            stands = dump(connection)
            for kind, hour in steps:
                if kind != "hour":  # the rules are as they were
                    take_step(connection, store, kind, hour)
            rebuild_all(connection)
            assert differences(stands, dump(connection)) == {}
        for kind, hour in steps:
            take_step(connection, store, kind, hour)
            assert unequal_sums(connection) == {}
        load_hours(connection, store, START, END)
        replay(connection, store, Wanted())
        rebuild_all(connection)
        found = dump(connection)
        assert differences(expected, found) == {}
        assert unequal_sums(connection) == {}
        assert all(hour.difference == 0 for hour in ledger(connection))

        again = replay(connection, store, Wanted())
        assert (again.loaded, again.duplicate, again.lost) == (0, 0, 0)
        rebuild_all(connection)
        assert differences(found, dump(connection)) == {}
        assert again == Replayed(read=again.rejected, rejected=again.rejected)

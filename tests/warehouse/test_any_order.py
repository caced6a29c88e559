"""Promise 3: load the hours in any order, twice, in parallel, with late and duplicate events: the same bytes."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import obstore
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from obstore.store import MemoryStore

from clickstream_dagster.partitions import HOUR
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.ledger import ledger
from clickstream_dagster.warehouse.load import load_hours
from clickstream_dagster.warehouse.rebuild import rebuild_all
from support.histories import HOURS, START, RawFile, raw_files
from support.tables import differences, dump, empty, unequal_sums
from support.thorough import examples

END = START + HOURS * HOUR


@pytest.fixture(scope="module")
def pair(postgres: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stack, Stack]]:
    """Two warehouses: one is loaded at once, the other in pieces. Berlin's midnight is not the hour's, more than two
    purchases or refunds of an order are too many, and so are more than two touches, or one that is 90 minutes old, and more
    than six lines of carts; carts live an hour, of a name two events of a session are told, and of three variants of a visitor on
    none is read."""
    from dataclasses import replace

    from clickstream_dagster.settings import load_settings
    from clickstream_dagster.warehouse import shop_settings
    from clickstream_dagster.warehouse.connection import create_database

    stacks = []
    for name in ("at_once", "in_pieces"):
        create_database(postgres, name)  # type: ignore[arg-type]
        home = tmp_path_factory.mktemp(name)
        chosen = load_settings({"CLICKSTREAM_HOME": str(home), "CLICKSTREAM_TIMEZONE": "Europe/Berlin"})
        database = replace(postgres, database=name)  # type: ignore[type-var]
        stacks.append(Stack(replace(chosen, postgres=database, attribution_days=1 / 16)))  # type: ignore[arg-type]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shop_settings, "ORDER_EVENTS_LIMIT", 2)
        patch.setattr(shop_settings, "TOUCHES_LIMIT", 2)
        patch.setattr(shop_settings, "CART_LINES_LIMIT", 6)
        patch.setattr(shop_settings, "STEP_EVENTS_LIMIT", 2)
        patch.setattr(shop_settings, "VARIANTS_LIMIT", 3)
        patch.setattr(shop_settings, "EXPERIMENT_WINDOW", timedelta(hours=1))
        patch.setattr(shop_settings, "CART_LEFT_AFTER", timedelta(minutes=20))
        patch.setattr(shop_settings, "CART_LIFE", timedelta(hours=1))
        yield stacks[0], stacks[1]


def load_and_rebuild(stack: Stack, store: MemoryStore, start: datetime, end: datetime) -> None:
    with stack.warehouse() as connection:
        load_hours(connection, store, start, end)
        rebuild_all(connection)


def put(store: MemoryStore, files: list[RawFile]) -> None:
    for file in files:
        obstore.put(store, file.key, file.data)


def loaded_at_once(stack: Stack, files: list[RawFile]) -> dict[str, str]:
    store = MemoryStore()
    put(store, files)
    with stack.warehouse() as connection:
        empty(connection)
    load_and_rebuild(stack, store, START, END)
    with stack.warehouse() as connection:
        return dump(connection)


#: A step of a piecewise load: put the next objects, load an hour, load two hours in parallel, only load, only rebuild.
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["put", "hour", "hour", "both", "load", "rebuild"]),
        st.integers(0, HOURS - 1),
        st.integers(0, HOURS - 1),
    ),
    max_size=12,
)


def take_step(stack: Stack, store: MemoryStore, waiting: list[RawFile], step: tuple[str, int, int]) -> None:
    kind, one, other = step
    first, second = START + one * HOUR, START + other * HOUR
    if kind == "put":
        put(store, waiting[:3])
        del waiting[:3]
    elif kind == "hour":
        load_and_rebuild(stack, store, first, first + HOUR)
    elif kind == "both":
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda hour: load_and_rebuild(stack, store, hour, hour + HOUR), (first, second)))
    else:
        with stack.warehouse() as connection:
            if kind == "load":
                load_hours(connection, store, first, first + HOUR)
            else:
                rebuild_all(connection)


@settings(
    max_examples=examples(40),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(files=raw_files(), steps=STEPS, data=st.data())
def test_any_order_gives_the_same_bytes(
    pair: tuple[Stack, Stack], files: list[RawFile], steps: list[tuple[str, int, int]], data: st.DataObject
) -> None:
    expected = loaded_at_once(pair[0], files)
    store, waiting = MemoryStore(), data.draw(st.permutations(files))
    with pair[1].warehouse() as connection:
        empty(connection)
    for step in steps:
        take_step(pair[1], store, waiting, step)
        with pair[1].warehouse() as connection:
            assert unequal_sums(connection) == {}
    put(store, waiting)
    with pair[1].warehouse() as connection:
        for hour in data.draw(st.permutations(range(HOURS))):
            load_hours(connection, store, START + hour * HOUR, START + (hour + 1) * HOUR)
        rebuild_all(connection)
        found = dump(connection)
        assert unequal_sums(connection) == {}
    assert differences(expected, found) == {}
    assert expected["changed_spans"] == expected["changed_keys"] == "(0,)"
    with pair[1].warehouse() as connection:
        assert all(books.difference == 0 for books in ledger(connection))


def test_a_view_of_events_misses_none(pair: tuple[Stack, Stack]) -> None:
    """fact_events finds each event's session by time; each event must be found exactly once."""
    with pair[0].warehouse() as connection, connection.cursor() as cursor:
        cursor.execute("select (select count(*) from fact_events), (select count(*) from clickstream_events)")
        [(seen, stored)] = cursor.fetchall()
    assert seen == stored > 0

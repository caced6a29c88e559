"""Whatever expires, and whatever comes before, between and after: the sums stand still, the facts are those of what is kept, and
a warehouse that is made of the store anew is the same."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import obstore
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from obstore.store import MemoryStore

from clickstream_dagster.partitions import HOUR
from clickstream_dagster.raw.erased import USER, VISITOR
from clickstream_dagster.raw.objects import list_hours
from clickstream_dagster.raw.packs.changing import change
from clickstream_dagster.settings import Postgres
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse import from_raw
from clickstream_dagster.warehouse.connection import Connection, transaction
from clickstream_dagster.warehouse.erasing.erase import erase
from clickstream_dagster.warehouse.expiring import events, raw_objects, rejects
from clickstream_dagster.warehouse.expiring.policy import Policy
from clickstream_dagster.warehouse.ledger import ledger
from clickstream_dagster.warehouse.load import load_hours
from clickstream_dagster.warehouse.models import all_models
from clickstream_dagster.warehouse.packing.hours import pack_hours, packable_prefixes
from clickstream_dagster.warehouse.rebuild import rebuild_all
from clickstream_dagster.warehouse.unload import unload
from ingest_lambda import landing
from support.histories import HOURS, START, RawFile, raw_files
from support.limits import low_limits
from support.tables import SUMS, differences, dump, empty, unequal_sums
from support.thorough import examples

END = START + HOURS * HOUR
NAME = "0123456789ab"
FACTS = [
    model.name for model in all_models().values() if model.materialized in ("spans", "keys") and model.layer == "core"
]
#: What is loaded, and the labels of it. The manifest and the ledger tell of the past, too.
LOADED = ("clickstream_events", "duplicate_events", "rejected_events", "dim_source", "dim_user_agent", "shop_hosts")


@pytest.fixture(scope="module")
def stack(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A step takes the objects of three lines; more than two purchases or refunds of an order are too many."""
    with (
        pytest.MonkeyPatch.context() as patch,
        low_limits(
            postgres, "expire", tmp_path_factory.mktemp("expire"), CLICKSTREAM_TIMEZONE="Europe/Berlin"
        ) as stack,
    ):
        patch.setattr(events, "EXPIRED_LINES", 3)
        patch.setattr(rejects, "EXPIRED_LINES", 2)
        yield stack


def as_stored(file: RawFile, number: int, is_imported: bool) -> RawFile:
    if not is_imported:
        return file
    return RawFile(landing.imported_key(file.key.partition("/")[0], file.hour, NAME, number), file.data, file.hour)


def sums(connection: Connection) -> dict[str, str]:
    found = dump(connection)
    return {model.name: found[model.name] for model in SUMS}


def expire(stack: Stack, connection: Connection, store: MemoryStore, horizon: datetime, steps: int) -> None:
    """Some steps of it, or all. What is owed is paid first, since that moves the sums."""
    rebuild_all(connection)
    before = sums(connection)
    raw_objects.remove_old(connection, store, Policy(horizon, None, horizon))
    while steps and events.expire_some(stack.server, stack.settings, horizon):
        assert unequal_sums(connection) == {}
        steps -= 1
    assert differences(before, sums(connection)) == {}


STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["put", "put", "load", "load", "rebuild", "expire", "expire", "rejects", "erase", "forget", "pack"]
        ),
        st.integers(0, HOURS),
    ),
    max_size=14,
)


def take_step(
    stack: Stack, connection: Connection, store: MemoryStore, waiting: list[RawFile], kind: str, number: int
) -> None:
    hour = START + number * HOUR
    if kind == "put":
        for file in waiting[:3]:
            obstore.put(store, file.key, file.data)
        del waiting[:3]
    elif kind == "load":
        load_hours(connection, store, min(hour, END - HOUR), END)
    elif kind == "rebuild":
        rebuild_all(connection)
    elif kind == "expire":
        expire(stack, connection, store, hour, steps=-1 if number % 3 else 2)
    elif kind == "rejects":
        rejects.remove_old(connection, hour)
    elif kind == "erase":
        erase(connection, store, [(VISITOR, "ann")] if number % 2 else [(USER, "u1")])
    elif kind == "pack":
        pack_hours(connection, store, packable_prefixes(connection, store), timedelta(days=-1))
    else:
        keys = [raw.key for raw in list_hours(store, START, END) if landing.import_of(raw.key) == NAME]
        unload(connection, store, NAME, lambda: change(store, dict.fromkeys(keys)))


def load_everything(connection: Connection, store: MemoryStore) -> None:
    load_hours(connection, store, START, END)
    rebuild_all(connection)


def expired_objects(connection: Connection) -> set[str]:
    with transaction(connection) as cursor:
        cursor.execute("select object_key from raw_objects where has_expired(raw_objects)")
        return {key for (key,) in cursor.fetchall()}


def forget_the_past(connection: Connection) -> None:
    """An empty warehouse that knows which events and orders have expired, and nothing else of them."""
    known = {}
    with transaction(connection) as cursor:
        for table in ("expired_events", "expired_orders"):
            cursor.execute(f"select * from {table}")
            known[table] = cursor.fetchall()
    empty(connection)
    with transaction(connection) as cursor:
        for table, ids in known.items():
            cursor.executemany(f"insert into {table} values (%s)", ids)


@settings(
    max_examples=examples(25),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(files=raw_files(), steps=STEPS, data=st.data())
def test_what_expires_leaves_the_facts_and_not_the_sums(
    stack: Stack, files: list[RawFile], steps: list[tuple[str, int]], data: st.DataObject
) -> None:
    files = [as_stored(file, number, data.draw(st.booleans())) for number, file in enumerate(files)]
    store, waiting = MemoryStore(), data.draw(st.permutations(files))
    with stack.warehouse() as connection:
        empty(connection)
        with transaction(connection) as cursor:
            cursor.execute("truncate erased_ids, erasures")
        for kind, number in steps:
            take_step(stack, connection, store, waiting, kind, number)
            assert unequal_sums(connection) == {}
        for file in waiting:
            obstore.put(store, file.key, file.data)
        load_everything(connection, store)
        expire(stack, connection, store, START + data.draw(st.integers(0, HOURS)) * HOUR, steps=-1)
        assert all(books.difference == 0 for books in ledger(connection))
        rejects.remove_old(connection, START + HOURS * HOUR)
        rebuild_all(connection)
        assert all(books.difference == 0 for books in ledger(connection))
        found = dump(connection)

        from_raw.empty(connection)
        assert unequal_sums(connection) == {}
        load_everything(connection, store)
        rejects.remove_old(connection, START + HOURS * HOUR)
        rebuild_all(connection)
        assert unequal_sums(connection) == {}
        assert differences(found, dump(connection)) == {}

        expired = expired_objects(connection)
        change(store, {raw.key: None for raw in list_hours(store, START, END) if raw.key in expired})
        forget_the_past(connection)
        load_everything(connection, store)
        rejects.remove_old(connection, START + HOURS * HOUR)
        fresh = dump(connection)
        assert differences({name: found[name] for name in (*FACTS, *LOADED)}, fresh) == {}

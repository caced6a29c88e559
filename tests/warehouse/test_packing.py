"""Packing changes no table: whenever it is done, however often, cut off anywhere; and what is gone lies in a pack."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import obstore
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from obstore.store import MemoryStore, ObjectStore

from clickstream_dagster.partitions import HOUR
from clickstream_dagster.raw.objects import list_as_stored, list_hours
from clickstream_dagster.raw.packs import writing
from clickstream_dagster.raw.packs.changing import change
from clickstream_dagster.settings import Postgres, load_settings
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.connection import Connection, create_database, transaction, try_lock
from clickstream_dagster.warehouse.load import load_hours
from clickstream_dagster.warehouse.packing.hours import AlreadyPacking, Packed, pack_hours, packable_prefixes
from clickstream_dagster.warehouse.rebuild import rebuild_all
from clickstream_dagster.warehouse.unload import unload
from clickstream_dagster.warehouse.unseen import look_everywhere
from ingest_lambda import landing
from support.histories import HOURS, START, RawFile, raw_files
from support.tables import differences, dump, empty, unequal_sums
from support.thorough import examples

END = START + HOURS * HOUR
NAME = "0123456789ab"
#: How long small objects stay: not at all, since a pack of now is older than that, or as good as for ever.
LATER, NEVER = timedelta(days=-1), timedelta(days=999)
#: The first hour is said here: a folder in which `make demo` has run knows a later one.
SETTINGS = replace(load_settings({}), first_hour=START - HOUR)


@pytest.fixture(scope="module")
def shared(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    create_database(postgres, "packing")
    chosen = load_settings({"CLICKSTREAM_HOME": str(tmp_path_factory.mktemp("packing"))})
    with pytest.MonkeyPatch.context() as patch:  # many blocks, and more than one pack
        patch.setattr(writing, "PACK_BLOCK_BYTES", 900)
        patch.setattr(writing, "PACK_BYTES", 1_500)
        yield Stack(replace(chosen, postgres=replace(postgres, database="packing")))


def pack(connection: Connection, store: ObjectStore, grace: timedelta = LATER) -> Packed:
    return pack_hours(connection, store, packable_prefixes(connection, store), grace)


def as_stored(file: RawFile, number: int, kind: str) -> RawFile:
    """As the collector writes it, as an import does, or as one of the import that is to be taken back."""
    if kind == "event":
        return file
    key = landing.imported_key(file.key.partition("/")[0], file.hour, NAME if kind == "taken" else "f" * 12, number)
    return RawFile(key, gzip.compress(file.data, mtime=0), file.hour)


STEPS = st.lists(st.sampled_from(["put", "load", "rebuild", "pack", "pack", "tidy", "tidy", "copy"]), max_size=12)


def take_step(connection: Connection, store: MemoryStore, waiting: list[RawFile], step: str, hour: datetime) -> None:
    if step == "put":
        for file in waiting[:3]:
            obstore.put(store, file.key, file.data)
        del waiting[:3]
    elif step == "load":
        load_hours(connection, store, hour, END)
    elif step == "rebuild":
        rebuild_all(connection)
    elif step == "copy":  # gives every object another etag
        for raw in list_as_stored(store, START, END):
            obstore.put(store, raw.key, bytes(obstore.get(store, raw.key).bytes()))
    else:
        pack(connection, store, LATER if step == "tidy" else NEVER)


@settings(
    max_examples=examples(25),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(files=raw_files(), steps=STEPS, data=st.data())
def test_packing_at_any_moment_gives_the_same_bytes(
    shared: Stack, files: list[RawFile], steps: list[str], data: st.DataObject
) -> None:
    kinds = st.sampled_from(["event", "event", "import", "taken"])
    stored = [as_stored(file, number, data.draw(kinds)) for number, file in enumerate(files)]
    is_forgotten, waiting = data.draw(st.booleans()), data.draw(st.permutations(stored))
    with shared.warehouse() as connection:
        empty(connection)
        plain = MemoryStore()
        for file in stored:
            if not (is_forgotten and landing.import_of(file.key) == NAME):
                obstore.put(plain, file.key, file.data)
        load_hours(connection, plain, START, END)
        rebuild_all(connection)
        expected = dump(connection)

        empty(connection)
        store = MemoryStore()
        for step in steps:
            take_step(connection, store, waiting, step, START + data.draw(st.integers(0, HOURS - 1)) * HOUR)
        for file in waiting:
            obstore.put(store, file.key, file.data)
        load_hours(connection, store, START, END)
        if is_forgotten:
            keys = [raw.key for raw in list_hours(store, START, END) if landing.import_of(raw.key) == NAME]
            unload(connection, store, NAME, lambda: change(store, dict.fromkeys(keys)))
            load_hours(connection, store, START, END)
        rebuild_all(connection)
        assert differences(expected, dump(connection)) == {}
        assert unequal_sums(connection) == {}

        # An empty warehouse from what lies there now: packs, and whatever is in none.
        pack(connection, store, data.draw(st.sampled_from([LATER, NEVER])))
        assert not look_everywhere(connection, store, shared.settings).unseen
        empty(connection)
        for hour in data.draw(st.permutations(range(HOURS))):
            load_hours(connection, store, START + hour * HOUR, START + (hour + 1) * HOUR)
        rebuild_all(connection)
        assert differences(expected, dump(connection)) == {}


def event(number: int, at: datetime, name: str = "view_product") -> bytes:
    times = f'"event_timestamp": "{at.isoformat()}", "received_at": "{at.isoformat()}"'
    return f'{{"event_id": "{number:032x}", "event_name": "{name}", "client_id": "ann", {times}}}'.encode()


def put(store: ObjectStore, count: int, hour: datetime = START) -> list[str]:
    keys = [f"{landing.hour_prefix(hour)}event-{number}.json" for number in range(count)]
    for number, key in enumerate(keys):
        store.put(key, event(number, hour))
    return keys


def stored(store: ObjectStore) -> list[str]:
    return [raw.key for raw in list_as_stored(store, START, END)]


def test_small_objects_stay_until_the_pack_is_old_enough(warehouse: Connection) -> None:
    store = MemoryStore()
    keys = put(store, 3)
    load_hours(warehouse, store, START, END)
    done = pack(warehouse, store, NEVER)
    assert (done.packs, done.objects, done.deleted) == (1, 3, 0)
    assert {*keys} < {*stored(store)}
    assert pack(warehouse, store, NEVER) == Packed()
    assert pack(warehouse, store, LATER).deleted == 3
    assert not {*keys} & {*stored(store)}
    assert pack(warehouse, store, LATER) == Packed()


def test_a_dry_run_says_the_same_and_writes_nothing(warehouse: Connection) -> None:
    store = MemoryStore()
    put(store, 3)
    load_hours(warehouse, store, START, END)
    before = stored(store)
    would = pack_hours(warehouse, store, packable_prefixes(warehouse, store), LATER, is_dry_run=True)
    assert (would.objects, would.packs, would.deleted) == (3, 1, 0)
    assert stored(store) == before
    pack(warehouse, store, NEVER)
    would = pack_hours(warehouse, store, packable_prefixes(warehouse, store), LATER, is_dry_run=True)
    assert (would.objects, would.packs, would.deleted) == (0, 0, 3)
    assert len(stored(store)) == 5


def test_what_is_not_loaded_is_neither_packed_nor_deleted(warehouse: Connection) -> None:
    store = MemoryStore()
    keys = put(store, 3)
    assert packable_prefixes(warehouse, store) == []  # nor is the hour closed
    load_hours(warehouse, store, START, END)
    store.put(keys[0], event(0, START, "changed"))
    assert pack(warehouse, store, LATER).objects == 2
    assert set(stored(store)) & set(keys) == {keys[0]}
    assert load_hours(warehouse, store, START, END).objects == 1


def test_an_object_that_was_written_anew_after_packing_stays(warehouse: Connection) -> None:
    store = MemoryStore()
    keys = put(store, 3)
    load_hours(warehouse, store, START, END)
    pack(warehouse, store, NEVER)
    store.put(keys[1], event(9, START))
    assert load_hours(warehouse, store, START, END).loaded == 1
    assert pack(warehouse, store, LATER).deleted == 2
    assert set(stored(store)) & set(keys) == {keys[1]}


def test_one_late_object_stays_small_and_two_make_a_further_pack(warehouse: Connection) -> None:
    store = MemoryStore()
    put(store, 2)
    load_hours(warehouse, store, START, END)
    pack(warehouse, store, LATER)
    for number, packs in ((7, 0), (8, 1)):
        store.put(f"{landing.hour_prefix(START)}event-late-{number}.json", event(number, START))
        load_hours(warehouse, store, START, END)
        assert pack(warehouse, store, NEVER).packs == packs


def test_an_hour_that_is_not_over_long_enough_is_left_alone(warehouse: Connection) -> None:
    store, now = MemoryStore(), datetime.now(UTC)
    hours = [now.replace(minute=0, second=0, microsecond=0) - number * HOUR for number in range(4)]
    for hour in hours:
        put(store, 2, hour)
    load_hours(warehouse, store, hours[-1], hours[0] + HOUR)
    # Where the hour turns while this runs, one more has been over for an hour; the one in progress never is.
    assert (
        {landing.hour_prefix(hours[3])}
        <= {*packable_prefixes(warehouse, store)}
        <= {*map(landing.hour_prefix, hours[2:])}
    )
    assert packable_prefixes(warehouse, store, hours[0], hours[0] + HOUR) == []
    assert packable_prefixes(warehouse, store, hours[3], hours[2]) == [landing.hour_prefix(hours[3])]


def test_a_copy_in_a_pack_counts_again_when_the_import_before_it_is_taken_back(warehouse: Connection) -> None:
    """The pack was known: it must be opened again for what left the manifest."""
    store = MemoryStore()
    put(store, 3)
    taken = landing.imported_key("events", START - HOUR, NAME, 0)
    store.put(taken, event(1, START - HOUR))
    load_hours(warehouse, store, START - HOUR, END)
    pack(warehouse, store, LATER)
    load_hours(warehouse, store, START - HOUR, END)
    unload(warehouse, store, NAME, lambda: change(store, {taken: None}))
    assert look_everywhere(warehouse, store, SETTINGS).unseen.total() == 1
    load_hours(warehouse, store, START - HOUR, END)
    with transaction(warehouse) as cursor:
        cursor.execute("select count(*), count(distinct object_key) from clickstream_events")
        assert cursor.fetchone() == (3, 3)


def test_a_known_pack_is_not_opened(warehouse: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryStore()
    put(store, 3)
    load_hours(warehouse, store, START, END)
    pack(warehouse, store, LATER)
    read: list[str] = []
    real = obstore.get
    monkeypatch.setattr(obstore, "get", lambda store, key: read.append(key) or real(store, key))
    assert load_hours(warehouse, store, START, END).objects == 0
    assert not look_everywhere(warehouse, store, SETTINGS).unseen
    assert read == []
    with transaction(warehouse) as cursor:
        cursor.execute("truncate raw_objects")
    assert look_everywhere(warehouse, store, SETTINGS).unseen.total() == 3


def test_a_pack_that_is_broken_keeps_its_objects_and_stops_no_other_hour(warehouse: Connection) -> None:
    store = MemoryStore()
    keys, others = put(store, 2), put(store, 2, START + HOUR)
    load_hours(warehouse, store, START, END)
    pack(warehouse, store, NEVER)
    [first, _] = [key for key in stored(store) if landing.pack_of(key) == key]
    store.put(first, b"not what was written")
    done = pack(warehouse, store, LATER)
    assert done.deleted == len(others) and len(done.broken) == 1 and first in done.broken[0]
    assert {*keys} <= {*stored(store)}


def test_two_do_not_pack_at_a_time(stack: Stack) -> None:
    with (
        stack.warehouse() as one,
        stack.warehouse() as other,
        try_lock(one, "packing", 60),
        pytest.raises(AlreadyPacking, match="again"),
    ):
        pack(other, MemoryStore())


class Killed(BaseException):
    """The process is gone."""


def counted(real: Callable[..., Any], left: Iterator[None]) -> Callable[..., Any]:
    def call(*arguments: Any, **named: Any) -> Any:
        if next(left, "none") == "none":
            raise Killed
        return real(*arguments, **named)

    return call


def test_packing_that_is_killed_anywhere_is_done_by_doing_it_again(
    warehouse: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between any two things that it does to the store or to the manifest."""
    from clickstream_dagster.warehouse.packing import packs

    for at in range(99):
        store = MemoryStore()
        put(store, 3)
        empty(warehouse)
        load_hours(warehouse, store, START, END)
        expected, left = dump(warehouse), iter([None] * at)
        with monkeypatch.context() as patch:
            for module, name in ((obstore, "put"), (obstore, "delete"), (packs, "enter")):
                patch.setattr(module, name, counted(getattr(module, name), left))
            try:
                pack(warehouse, store, LATER)
                break
            except Killed:
                pass
        assert load_hours(warehouse, store, START, END).objects == 0
        pack(warehouse, store, LATER)
        assert len(stored(store)) == 2
        empty(warehouse)
        load_hours(warehouse, store, START, END)
        assert differences(expected, dump(warehouse)) == {}
    assert at == 4  # the index, the pack, its entry, the deletion

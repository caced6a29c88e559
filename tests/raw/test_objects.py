"""Which objects an hour has: each object in exactly one hour, whatever range is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from obstore.store import LocalStore, MemoryStore, ObjectStore

from clickstream_dagster.partitions import HOUR
from clickstream_dagster.raw.bodies import read
from clickstream_dagster.raw.objects import RawObject, batches, list_all, list_hours
from clickstream_dagster.settings import BATCH_BYTES, BATCH_OBJECTS, HELD_OBJECT_BYTES
from support.thorough import examples

START = datetime(2026, 2, 27, tzinfo=UTC)
HOURS = 5 * 24

LAYOUTS = {
    "events/%Y/%m/%d/%H/event-1.json": True,
    "events/%Y/%m/%d/%H/import-1.json.gz": True,
    "events/%Y/%m/%d/event-1.json": False,
    "events/year=%Y/month=%m/day=%d/hour=%H/part-0.ndjson": True,
    "events/year=%Y/month=%m/day=%d/part-0.ndjson.gz": False,
    "year=%Y/month=%m/day=%d/hour=%H/part-0.ndjson": True,
    "year=%Y/month=%m/day=%d/part-0.ndjson": False,
    "rejected/%Y/%m/%d/%H/rejected-1.json": True,
    "rejected/%Y/%m/%d/rejected-1.json": False,
}
STRANGERS = (
    "2026/02/27/05/no-root.json",
    "events/2026/02/27/05/deeper/event-1.json",
    "events/2026/02/event-1.json",
    "events/2026/02/30/05/no-such-day.json",
    "events/2026/02/27/24/no-such-hour.json",
    "events/2026/month=02/27/05/mixed.json",
    "rejected/year=2026/month=02/day=27/hour=05/no-such-layout.json",
    "other/2026/02/27/05/event-1.json",
    "index.html",
)
_moments = st.integers(0, HOURS - 1).map(lambda number: START + number * HOUR)
_keys = st.builds(lambda layout, moment: moment.strftime(layout), st.sampled_from(list(LAYOUTS)), _moments)


def _store(*keys: str) -> ObjectStore:
    store = MemoryStore()
    for key in keys:
        store.put(key, b"{}")
    return store


def _hours(start: datetime, end: datetime) -> Iterator[datetime]:
    while start < end:
        yield start
        start += HOUR


@pytest.mark.parametrize(("layout", "has_hour"), LAYOUTS.items())
@pytest.mark.parametrize("hour", [0, 5, 23])
def test_each_layout_is_found_in_its_hour_and_day_only_in_the_first(layout: str, has_hour: bool, hour: int) -> None:
    moment = START + hour * HOUR
    store = _store(moment.strftime(layout))
    expected = moment if has_hour else START
    assert [raw.hour for raw in list_hours(store, expected, expected + HOUR)] == [expected]
    assert list_hours(store, expected + HOUR, expected + 2 * HOUR) == []
    assert list_hours(store, START, START + timedelta(days=1)) == sorted(list_all(store))


@pytest.mark.parametrize("key", STRANGERS)
def test_a_key_of_no_known_layout_is_nobody_s(key: str) -> None:
    store = _store(key)
    assert sorted(list_all(store)) == []
    assert list_hours(store, START - timedelta(days=40), START + timedelta(days=40)) == []


@settings(max_examples=examples(40), deadline=None)
@given(keys=st.sets(_keys, max_size=12), first=st.integers(0, HOURS - 1), length=st.integers(1, 30))
def test_a_range_lists_what_its_hours_list_one_by_one(keys: set[str], first: int, length: int) -> None:
    store = _store(*keys, *STRANGERS)
    start = START + first * HOUR
    end = start + length * HOUR
    single = [raw for hour in _hours(start, end) for raw in list_hours(store, hour, hour + HOUR)]
    assert sorted(single) == list_hours(store, start, end)
    assert list_hours(store, start, end) == [raw for raw in sorted(list_all(store)) if start <= raw.hour < end]


@settings(max_examples=examples(60), deadline=None)
@given(keys=st.sets(_keys, max_size=12), cuts=st.sets(st.integers(1, HOURS - 1), max_size=4))
def test_however_time_is_cut_each_object_is_listed_exactly_once(keys: set[str], cuts: set[int]) -> None:
    store = _store(*keys)
    edges = [START + number * HOUR for number in (0, *sorted(cuts), HOURS)]
    listed = [raw.key for start, end in pairwise(edges) for raw in list_hours(store, start, end)]
    assert sorted(listed) == sorted(keys)


@pytest.mark.parametrize("name", ["a b.json", "a%20b.json", "ü.json", "a+b=c&d.json", "#1.json"])
def test_a_folder_gives_the_bytes_of_every_name_that_it_lists(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "events/2026/02/27/05"
    folder.mkdir(parents=True)
    (folder / name).write_bytes(b"here")
    store = LocalStore(tmp_path)
    [raw] = list_hours(store, START + 5 * HOUR, START + 6 * HOUR)
    assert [(body.raw, body.file.read()) for body in read(store, [raw])] == [(raw, b"here")]


def test_objects_are_read_in_the_order_given() -> None:
    keys = [f"events/2026/02/27/05/event-{number:03}.json" for number in range(100)]
    store = MemoryStore()
    for key in keys:
        store.put(key, key.encode())
    assert [body.file.read().decode() for body in read(store, sorted(list_all(store), reverse=True))] == keys[::-1]


@pytest.mark.parametrize("kind", ["memory", "folder"])
def test_an_object_that_vanished_since_the_listing_is_left_out(tmp_path: Path, kind: str) -> None:
    store: ObjectStore = MemoryStore() if kind == "memory" else LocalStore(tmp_path)
    for number in range(3):
        store.put(f"events/2026/02/27/05/event-{number}.json", b"{}")
    listed = sorted(list_all(store))
    store.delete(listed[1].key)
    assert [body.raw for body in read(store, listed)] == [listed[0], listed[2]]


@pytest.mark.parametrize("kind", ["memory", "folder"])
def test_the_content_hash_is_of_the_bytes_however_large(tmp_path: Path, kind: str) -> None:
    store: ObjectStore = MemoryStore() if kind == "memory" else LocalStore(tmp_path)
    contents = {number: bytes([number]) * size for number, size in enumerate([0, 9, HELD_OBJECT_BYTES, 3_000_000])}
    for number, data in contents.items():
        store.put(f"events/2026/02/27/05/event-{number}.json", data)
    found = [(body.content_hash, body.file.read()) for body in read(store, sorted(list_all(store)))]
    assert found == [(UUID(bytes=sha256(data).digest()[:16]), data) for data in contents.values()]


def test_an_object_that_was_written_anew_has_another_etag(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    store.put("events/2026/02/27/05/event-1.json", b"{}")
    [before] = sorted(list_all(store))
    store.put("events/2026/02/27/05/event-1.json", b'{"more": 1}')
    [after] = sorted(list_all(store))
    assert before.etag != after.etag


def test_an_empty_store_has_no_objects(tmp_path: Path) -> None:
    for store in (MemoryStore(), LocalStore(tmp_path)):
        assert sorted(list_all(store)) == list_hours(store, START, START + 48 * HOUR) == []


_sizes = st.lists(st.integers(0, BATCH_BYTES + 9) | st.just(BATCH_BYTES // 2), max_size=20)


@given(sizes=_sizes)
def test_a_batch_keeps_to_its_bytes_and_loses_no_object(sizes: list[int]) -> None:
    listed = [RawObject(f"events/{number}", "", size, START) for number, size in enumerate(sizes)]
    groups = list(batches(listed))
    assert [raw for group in groups for raw in group] == listed
    assert all(sum(raw.size for raw in group) <= BATCH_BYTES or len(group) == 1 for group in groups)
    assert all(groups)


def test_a_batch_keeps_to_its_number_of_objects() -> None:
    listed = [RawObject(f"events/{number}", "", 1, START) for number in range(2 * BATCH_OBJECTS + 1)]
    assert [len(group) for group in batches(listed)] == [BATCH_OBJECTS, BATCH_OBJECTS, 1]

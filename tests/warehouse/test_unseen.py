"""What is new is found wherever it was put, by listing no more than what can be new; what cannot be loaded is named."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import obstore
import pytest
from obstore.store import LocalStore, MemoryStore, ObjectStore

from clickstream_dagster.partitions import HOUR, floor_hour
from clickstream_dagster.raw import objects
from clickstream_dagster.settings import Settings
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse import unseen
from clickstream_dagster.warehouse.connection import Connection, transaction
from clickstream_dagster.warehouse.load import load_hours
from clickstream_dagster.warehouse.unseen import Look, enter_listed, look, look_everywhere, touch_hours
from ingest_lambda import landing

NOW = floor_hour(datetime.now(UTC))
OLD = NOW - timedelta(days=10)


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    """Both kinds: what is asked of a bucket, any store that lists by key can answer."""
    return MemoryStore() if request.param == "bucket" else LocalStore(tmp_path / "raw", mkdir=True)


@pytest.fixture
def settings(stack: Stack) -> Settings:
    return replace(stack.settings, first_hour=NOW - timedelta(days=20))


def _put(store: ObjectStore, hour: datetime, name: str = "event") -> str:
    key = f"{landing.hour_prefix(hour)}{name}-{uuid4()}.json"
    event = {"event_id": str(uuid4()), "event_name": "click", "client_id": "c", "event_timestamp": hour.isoformat()}
    store.put(key, json.dumps(event).encode())
    return key


def _load(connection: Connection, store: ObjectStore, settings: Settings) -> Look:
    """As `clickstream materialize` does."""
    found = look(connection, store, settings)
    for hour in found.unseen:
        load_hours(connection, store, hour, hour + HOUR)
    enter_listed(connection, found, settings)
    return found


@pytest.fixture(autouse=True)
def _fine_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a test need not wait until a folder is old enough to be believed."""
    monkeypatch.setattr(unseen, "_CLOCK_STEP", timedelta(milliseconds=20))


def _wait() -> None:
    time.sleep(0.1)


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The prefixes that were listed, None for the whole store."""
    seen: list[object] = []
    real = obstore.list

    def spy(store: ObjectStore, prefix: str | None = None, **options: object) -> object:
        seen.append(prefix)
        return real(store, prefix, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(objects.obstore, "list", spy)
    return seen


def test_what_was_loaded_is_not_listed_again(
    warehouse: Connection, store: ObjectStore, settings: Settings, listed: list[object]
) -> None:
    for hour in range(0, 240, 7):
        _put(store, OLD + hour * HOUR)
    _wait()
    assert _load(warehouse, store, settings).unseen.total() == 35
    _wait()
    listed.clear()
    new = _put(store, NOW)
    assert _load(warehouse, store, settings).unseen == Counter({NOW: 1})
    prefixes = {str(prefix) for prefix in listed}
    assert any(new.startswith(prefix) for prefix in prefixes)
    assert not any(landing.hour_prefix(OLD).startswith(prefix) for prefix in prefixes if prefix.count("/") > 1)
    assert "None" not in prefixes


def test_what_comes_late_into_the_look_back_is_found(
    warehouse: Connection, store: ObjectStore, settings: Settings
) -> None:
    _put(store, OLD)
    _wait()
    _load(warehouse, store, settings)
    _wait()
    late = NOW - 40 * HOUR
    _put(store, late)
    assert _load(warehouse, store, settings).unseen == Counter({late: 1})
    assert not look(warehouse, store, settings).unseen


def test_what_an_import_puts_into_an_old_hour_is_found(
    warehouse: Connection, store: ObjectStore, settings: Settings
) -> None:
    _put(store, OLD)
    _wait()
    _load(warehouse, store, settings)
    _wait()
    _put(store, OLD, "import")
    touch_hours(warehouse, [OLD])
    assert _load(warehouse, store, settings).unseen == Counter({OLD: 1})


def test_a_file_copied_by_hand_into_an_old_hour_of_a_folder_is_found(
    warehouse: Connection, tmp_path: Path, settings: Settings
) -> None:
    store = LocalStore(tmp_path / "raw", mkdir=True)
    key = _put(store, OLD)
    _wait()
    _load(warehouse, store, settings)
    _wait()
    assert OLD not in look(warehouse, store, settings).hours
    before = (tmp_path / "raw" / key).parent.stat()
    (tmp_path / "raw" / key).with_name("by-hand.json").write_text('{"event_name": "click", "client_id": "c"}')
    # As `cp -a` and `rsync -a` do: the folder's own time is set back.
    os.utime((tmp_path / "raw" / key).parent, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert _load(warehouse, store, settings).unseen == Counter({OLD: 1})


def test_what_somebody_copied_into_an_old_hour_of_a_bucket_is_found_by_looking_everywhere(
    warehouse: Connection, settings: Settings
) -> None:
    store = MemoryStore()
    _put(store, OLD)
    _load(warehouse, store, settings)
    _put(store, OLD, "copied")
    assert not look(warehouse, store, settings).unseen
    assert look_everywhere(warehouse, store, settings).unseen == Counter({OLD: 1})


def test_what_lies_outside_the_partitions_stops_nothing_and_is_told(
    warehouse: Connection, store: ObjectStore, settings: Settings
) -> None:
    ancient, coming = datetime(1999, 1, 1, tzinfo=UTC), NOW + 100 * HOUR
    for hour in (ancient, ancient, OLD, coming):
        _put(store, hour)
    for found in (_load(warehouse, store, settings), look(warehouse, store, settings)):
        assert found.outside == Counter({ancient: 2, coming: 1})
    assert not look(warehouse, store, settings).unseen
    assert look_everywhere(warehouse, store, settings).outside == Counter({ancient: 2, coming: 1})


def test_objects_in_no_known_place_are_told(warehouse: Connection, tmp_path: Path, settings: Settings) -> None:
    store = LocalStore(tmp_path / "raw", mkdir=True)
    key = _put(store, OLD)
    store.put("operations/2026/11/20/05/metrics.json", b"{}")
    strange = ["other/b.json", f"{landing.hour_prefix(OLD)}sub/c.json", "events/2026/02/30/05/no-such-day.json"]
    for one in strange:
        store.put(one, b"{}")
    shutil.copy(tmp_path / "raw" / key, tmp_path / "raw" / f"{key}#1")
    found = look_everywhere(warehouse, store, settings)
    assert found.strangers.count == 4
    assert {*found.strangers.examples} <= {*strange, f"{key}#1"}
    assert found.unseen == Counter({OLD: 1})


def test_a_store_that_was_copied_owes_nothing(
    warehouse: Connection, tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = LocalStore(tmp_path / "raw", mkdir=True)
    keys = [_put(store, OLD + hour * HOUR) for hour in range(9)]
    _load(warehouse, store, settings)
    shutil.copytree(tmp_path / "raw", tmp_path / "moved" / "raw", copy_function=shutil.copyfile)
    copied = LocalStore(tmp_path / "moved" / "raw")
    (tmp_path / "moved" / "raw" / keys[3]).write_bytes(b'{"event_name": "click", "client_id": "other"}')
    assert _load(warehouse, copied, settings).unseen == Counter({OLD + 3 * HOUR: 1})
    with transaction(warehouse) as cursor:
        cursor.execute("select count(*) from raw_objects")
        assert cursor.fetchall() == [(10,)]

    def read(*arguments: object) -> Iterator[object]:
        raise AssertionError("an object was read again")

    monkeypatch.setattr(unseen, "read", read)
    assert not look_everywhere(warehouse, copied, settings).unseen


def test_every_hour_is_complete_after_a_look(
    warehouse: Connection, store: ObjectStore, settings: Settings, make_stack: Callable[..., Stack]
) -> None:
    _put(store, OLD)
    _put(store, OLD + 5 * HOUR)
    before = floor_hour(datetime.now(UTC))
    _load(warehouse, store, settings)
    after = floor_hour(datetime.now(UTC))  # another one where the hour has just turned
    with transaction(warehouse) as cursor:
        cursor.execute("select complete_to from data_freshness")
        assert cursor.fetchall() in ([(before,)], [(after,)])
        cursor.execute("select min(partition_hour) from loaded_hours where is_closed")
        assert cursor.fetchall() == [(OLD,)]


def test_hours_found_empty_are_complete_once_an_older_history_lies_before_them(
    warehouse: Connection, store: ObjectStore, settings: Settings
) -> None:
    _put(store, OLD)
    _load(warehouse, store, settings)
    older = OLD - 30 * timedelta(days=1)
    _put(store, older)
    touch_hours(warehouse, [older])
    _wait()
    _load(warehouse, store, replace(settings, first_hour=older))
    with transaction(warehouse) as cursor:
        cursor.execute("select complete_to from data_freshness")
        assert cursor.fetchall()[0][0] >= NOW

"""Erasing meets whatever else goes on: an import that is taken back, another erasure, bytes that no load has taken, refused lines
that are read again, packs. Nobody else loses a line by it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from obstore.store import MemoryStore, ObjectStore

from clickstream_dagster.partitions import HOUR
from clickstream_dagster.raw import versions
from clickstream_dagster.raw.erased import VISITOR
from clickstream_dagster.raw.packs.changing import change
from clickstream_dagster.warehouse import from_raw
from clickstream_dagster.warehouse.connection import Connection, transaction
from clickstream_dagster.warehouse.erasing import erase as erasing
from clickstream_dagster.warehouse.erasing.erase import erase, sweep_again
from clickstream_dagster.warehouse.load import load_hours
from clickstream_dagster.warehouse.packing import steps
from clickstream_dagster.warehouse.packing.hours import pack_hours, packable_prefixes
from clickstream_dagster.warehouse.rebuild import rebuild_all
from clickstream_dagster.warehouse.replay import Wanted, replay
from clickstream_dagster.warehouse.unload import unload
from ingest_lambda import contract, landing
from ingest_lambda.contract import Event, Rejection
from ingest_lambda.folder import FolderStore
from support.tables import differences, dump

START = datetime(2026, 5, 1, 7, tzinfo=UTC)
END = START + 2 * HOUR
MALLORY = "mallory-4711"
WHO = [(VISITOR, MALLORY)]
NAME = "0123456789ab"
DAYS = timedelta(days=999)


def line(number: int, client: str, minute: int = 0) -> bytes:
    at = START + timedelta(minutes=minute or number)
    event = Event(
        event_id=UUID(int=number), event_name="page_view", event_timestamp=at, received_at=at, client_id=client
    )
    return contract.encode(event)


def put(store: ObjectStore, number: int, *lines: bytes) -> str:
    key = landing.event_key(START, UUID(int=number))
    store.put(key, b"\n".join(lines))
    return key


def load(connection: Connection, store: ObjectStore) -> None:
    load_hours(connection, store, START, END)
    rebuild_all(connection)


def visitors(connection: Connection) -> list[str]:
    with transaction(connection) as cursor:
        cursor.execute("select visitor_id from clickstream_events order by event_id")
        return [name for (name,) in cursor.fetchall()]


def balance(connection: Connection) -> None:
    with transaction(connection) as cursor:
        cursor.execute("select partition_hour from etl_ledger where difference <> 0 or received < 0")
        assert cursor.fetchall() == []


def between(monkeypatch: pytest.MonkeyPatch, act: Any) -> None:
    """Have something happen once an erasure has looked for what it is about to clean."""
    look = erasing.find

    def find(*given: Any) -> Any:
        found = look(*given)
        monkeypatch.setattr(erasing, "find", look)
        act()
        return found

    monkeypatch.setattr(erasing, "find", find)


def test_an_import_that_is_taken_back_meanwhile_costs_nobody_a_line(
    warehouse: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another copy of what was imported is then new to the next load, with all that its object holds."""
    store = MemoryStore()
    put(store, 1, line(1, "ann", 30), line(2, "bob"), line(3, MALLORY))
    imported = landing.imported_key("events", START, NAME, 0)
    store.put(imported, line(1, "ann"))
    load(warehouse, store)
    between(monkeypatch, lambda: unload(warehouse, store, NAME, lambda: change(store, {imported: None})))
    erase(warehouse, store, WHO)
    load(warehouse, store)
    assert visitors(warehouse) == ["ann", "bob"]
    sweep_again(warehouse, store)
    load(warehouse, store)
    assert visitors(warehouse) == ["ann", "bob"]
    assert MALLORY.encode() not in bytes(store.get(landing.event_key(START, UUID(int=1))).bytes())
    balance(warehouse)


def test_two_erasures_at_once_do_the_same(warehouse: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryStore()
    put(store, 1, line(1, MALLORY))
    put(store, 2, line(2, "bob"))
    load(warehouse, store)
    between(monkeypatch, lambda: erase(warehouse, store, WHO))
    assert erase(warehouse, store, WHO).lines == 1
    load(warehouse, store)
    assert visitors(warehouse) == ["bob"]
    balance(warehouse)


def test_bytes_that_no_load_has_taken_lose_only_her_lines(warehouse: Connection) -> None:
    """An object was written over in its place, with one line more, and is not loaded yet."""
    store = MemoryStore()
    put(store, 1, line(1, MALLORY))
    load(warehouse, store)
    put(store, 1, line(1, MALLORY), line(2, "bob"))
    erase(warehouse, store, WHO)
    load(warehouse, store)
    assert visitors(warehouse) == ["bob"]
    sweep_again(warehouse, store)
    load(warehouse, store)
    assert visitors(warehouse) == ["bob"]
    assert MALLORY.encode() not in bytes(store.get(landing.event_key(START, UUID(int=1))).bytes())
    balance(warehouse)


@pytest.mark.parametrize("others", [[], [(2, "bob"), (3, "ann")]])
def test_what_was_loaded_twice_is_not_loaded_a_third_time(warehouse: Connection, others: list[tuple[int, str]]) -> None:
    store = MemoryStore()
    for end in (b"", b"\n"):
        put(store, 1, line(1, MALLORY), line(4, MALLORY), *(line(*one) for one in others), end)
        load(warehouse, store)
    erase(warehouse, store, WHO)
    rebuild_all(warehouse)
    before = dump(warehouse)
    load(warehouse, store)
    assert differences(dump(warehouse), before) == {}
    assert visitors(warehouse) == [name for _, name in others]
    with transaction(warehouse) as cursor:
        cursor.execute("select sum(line_count), min(line_count), min(event_count) from raw_objects")
        assert cursor.fetchall() == [(2 * len(others), 0, 0) if others else (None, None, None)]
    balance(warehouse)


def refused(number: int, client: str) -> bytes:
    """An event that the rules of now take."""
    at = START + timedelta(minutes=number)
    said = {"event_name": "page_view", "client_id": client, "event_timestamp": at.isoformat()}
    return contract.encode(Rejection("internal_error", "said so", at, number, json.dumps(said)))


@pytest.mark.parametrize("is_packed", [False, True])
@pytest.mark.parametrize("is_replayed_first", [False, True])
def test_whatever_order_a_replay_and_an_erasure_come_in_a_store_alone_gives_the_same(
    warehouse: Connection, monkeypatch: pytest.MonkeyPatch, is_packed: bool, is_replayed_first: bool
) -> None:
    """Refused lines, packed, erased, packed again, read again; and a warehouse that is made of what is left."""
    store = MemoryStore()
    for number in range(1, 4):
        put(store, number, line(number, "bob"), line(10 + number, MALLORY))
        store.put(
            landing.rejected_key(START, UUID(int=number)),
            b"\n".join((refused(20 + number, "ann"), refused(30, MALLORY))),
        )
    with monkeypatch.context() as patch:  # as a version of ours did that could not read them
        patch.setattr("ingest_lambda.rereading.FINAL", {"internal_error"})
        load(warehouse, store)
    acts = [lambda: erase(warehouse, store, WHO), lambda: replay(warehouse, store, Wanted())]
    for act in reversed(acts) if is_replayed_first else acts:
        if is_packed:
            pack_hours(warehouse, store, packable_prefixes(warehouse, store), -DAYS)
        act()
        rebuild_all(warehouse)
        balance(warehouse)
    if is_packed:
        pack_hours(warehouse, store, packable_prefixes(warehouse, store), -DAYS)
    assert MALLORY not in visitors(warehouse) and visitors(warehouse).count("ann") == 3
    load(warehouse, store)
    before = dump(warehouse)
    from_raw.empty(warehouse)
    load(warehouse, store)
    assert differences(dump(warehouse), before) == {}
    balance(warehouse)


def test_a_pack_that_goes_while_it_is_read_costs_its_own_hour(
    warehouse: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = MemoryStore()
    for number in range(4):
        put(store, number, line(number, "bob" if number else MALLORY))
    load(warehouse, store)
    pack_hours(warehouse, store, packable_prefixes(warehouse, store), DAYS)
    verify = steps._verified

    def late(*given: Any) -> Any:
        monkeypatch.setattr(steps, "_verified", verify)
        erase(warehouse, store, WHO)
        return verify(*given)

    monkeypatch.setattr(steps, "_verified", late)
    done = pack_hours(warehouse, store, [landing.hour_prefix(START)], -DAYS)
    assert len(done.broken) == 1 and "Run this again" in done.broken[0]


def test_a_bucket_that_keeps_a_version_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its answer is a 200 whatever it refused."""

    class Client:
        def delete_objects(self, **given: Any) -> dict[str, Any]:
            return {"Errors": [{"Key": one["Key"], "Code": "AccessDenied"} for one in given["Delete"]["Objects"]]}

    with pytest.raises(versions.VersionsStay, match=r"AccessDenied.*s3:DeleteObjectVersion"):
        versions._delete(Client(), "raw", [{"Key": "events/a.json", "VersionId": "1"}])


def test_what_is_written_again_is_on_the_disk_and_the_owner_s_alone(tmp_path: Path) -> None:
    store = FolderStore(str(tmp_path / "raw"))
    key = put(store, 1, line(1, MALLORY), line(2, "bob"))
    change(store, {key: line(2, "bob")})
    written = tmp_path / "raw" / key
    assert written.read_bytes() == line(2, "bob")
    assert written.stat().st_mode & 0o077 == 0

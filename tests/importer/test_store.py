"""Imported records become raw objects in the hours of their own time, the same ones each time."""

from __future__ import annotations

import base64
import gzip
import hashlib
import itertools
import json
from collections.abc import Callable
from pathlib import Path
from uuid import uuid5

import pytest
from obstore.store import LocalStore, MemoryStore, ObjectStore

from clickstream_dagster.local.importer import store as importer
from clickstream_dagster.local.importer.source import surveyed
from clickstream_dagster.local.importer.store import Imported, store_source
from clickstream_dagster.local.importer.work import Done
from clickstream_dagster.raw.bodies import read
from clickstream_dagster.raw.objects import list_all
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.ledger import ledger
from clickstream_dagster.warehouse.load import load_hours
from clickstream_dagster.warehouse.rebuild import rebuild_all
from ingest_lambda.dialects.tables import EVENT_NAMESPACE


class PulledPlug(Exception):
    """The process ends in the middle."""


def _line(hour: int, number: int) -> bytes:
    return json.dumps(
        {"event_name": "page_view", "client_id": f"ç-{number}", "event_timestamp": f"2026-03-01T{hour:02}:00:00Z"},
        ensure_ascii=False,
    ).encode()


@pytest.fixture
def history(tmp_path: Path) -> Path:
    """Eight hours of five events, with a broken line first and in the middle."""
    path = tmp_path / "history.ndjson"
    lines = [_line(hour, number) for hour in range(8) for number in range(5)]
    path.write_bytes(b"\n".join([b"broken", *lines[:20], b'{"event_name": "\xff"}', *lines[20:]]))
    return path


def bring(store: ObjectStore, path: Path) -> Imported:
    return store_source(store, surveyed(path))


def events_of(store: ObjectStore) -> list[bytes]:
    bodies = [body.file.read() for body in read(store, sorted(list_all(store))) if body.raw.key.startswith("events/")]
    return [line for body in bodies for line in gzip.decompress(body).splitlines()]


def _keys(store: ObjectStore) -> list[str]:
    return [raw.key for raw in sorted(list_all(store))]


def test_each_event_lies_in_its_own_hour_and_a_broken_line_beside_the_good_one_before(history: Path) -> None:
    store = MemoryStore()
    done = bring(store, history)
    assert (done.events, done.objects, dict(done.rejected)) == (40, 10, {"invalid_json": 1, "invalid_utf8": 1})
    hours = [key.rpartition("/")[0] for key in _keys(store)]
    assert hours == [f"events/2026/03/01/{hour:02}" for hour in range(8)] + [
        f"rejected/2026/03/01/{hour:02}" for hour in (0, 3)
    ]


def test_a_broken_line_keeps_its_bytes(history: Path) -> None:
    store = MemoryStore()
    bring(store, history)
    bodies = [
        body.file.read()
        for body in read(store, sorted(list_all(store)))
        if body.raw.key.startswith("rejected/2026/03/01/03/")
    ]
    [rejection] = [json.loads(line) for body in bodies for line in gzip.decompress(body).splitlines()]
    assert rejection["body_encoding"] == "base64"
    assert base64.b64decode(rejection["body"]) == b'{"event_name": "\xff"}'


def test_importing_again_stores_nothing_new(history: Path) -> None:
    store = MemoryStore()
    bring(store, history)
    before = sorted(list_all(store))
    again = bring(store, history)
    assert (again.objects, again.known_objects) == (0, 10)
    assert sorted(list_all(store)) == before


def test_the_same_lines_under_another_name_are_the_same_objects(history: Path, tmp_path: Path) -> None:
    store = MemoryStore()
    bring(store, history)
    copy = history.rename(tmp_path / "copy.json")
    assert bring(store, copy).objects == 0


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_an_import_that_was_cut_off_is_finished_by_running_it_again(
    history: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    monkeypatch.setattr(importer, "HELD_LINES", 10)
    whole, cut = MemoryStore(), LocalStore(tmp_path / "raw", mkdir=True)
    bring(whole, history)
    chunks = itertools.count(1)

    def pull(_: Done) -> None:
        if next(chunks) == count:
            raise PulledPlug

    with pytest.raises(PulledPlug):
        store_source(cut, surveyed(history), pull)
    assert len(_keys(cut)) < len(_keys(whole))
    bring(cut, history)
    assert [(raw.key, raw.size) for raw in sorted(list_all(cut))] == [
        (raw.key, raw.size) for raw in sorted(list_all(whole))
    ]


def test_a_file_that_overlaps_another_brings_duplicates_and_no_event_twice(
    make_stack: Callable[..., Stack], tmp_path: Path
) -> None:
    stack = make_stack()
    lines = [
        json.dumps({**json.loads(_line(1, number)), "event_id": f"order-{number}"}).encode() for number in range(4)
    ]
    for name, part in (("march.ndjson", lines[:3]), ("spring.ndjson", lines)):
        (tmp_path / name).write_bytes(b"\n".join(part))
        done = bring(stack.store, tmp_path / name)
    assert done.first_hour
    with stack.warehouse() as connection:
        load_hours(connection, stack.store, done.first_hour, done.first_hour.replace(hour=2))
        rebuild_all(connection)
        [hour] = ledger(connection)
    assert (hour.received, hour.loaded, hour.duplicate, hour.difference) == (7, 4, 3, 0)


def test_equal_lines_without_an_id_stay_two_events_and_get_the_same_ids_again(tmp_path: Path) -> None:
    line = _line(1, 1)
    found = []
    for name, count in (("first", 2), ("again", 3)):
        store = MemoryStore()
        (tmp_path / name).write_bytes(b"\n".join([line] * count))
        bring(store, tmp_path / name)
        found.append([json.loads(event)["event_id"] for event in events_of(store)])
    first, again = found
    assert len(set(first)) == 2
    assert again[:2] == first
    assert len(set(again)) == 3


def test_the_ids_are_those_of_earlier_versions(tmp_path: Path) -> None:
    (tmp_path / "lines").write_bytes(b"\n".join([_line(1, 1)] * 2))
    store = MemoryStore()
    bring(store, tmp_path / "lines")
    digest = hashlib.sha256(_line(1, 1)).hexdigest()
    wanted = [str(uuid5(EVENT_NAMESPACE, f"{digest}#{number}")) for number in (1, 2)]
    assert [json.loads(event)["event_id"] for event in events_of(store)] == wanted

"""Imported records become raw objects in the hours of their own time, the same ones each time."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from obstore.store import LocalStore, MemoryStore, ObjectStore

from clickstream_dagster.local.importer import store as importer
from clickstream_dagster.local.importer.records import Record, read_json
from clickstream_dagster.local.importer.store import store_records
from clickstream_dagster.raw.bodies import read
from clickstream_dagster.raw.objects import list_all
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.ledger import ledger
from clickstream_dagster.warehouse.load import load_hours
from clickstream_dagster.warehouse.rebuild import rebuild_all


class PulledPlug(Exception):
    """The process ends in the middle."""


def _line(hour: int, number: int) -> bytes:
    return json.dumps(
        {"event_name": "page_view", "client_id": f"c-{number}", "event_timestamp": f"2026-03-01T{hour:02}:00:00Z"}
    ).encode()


@pytest.fixture
def history(tmp_path: Path) -> Path:
    """Eight hours of five events, with a broken line first and in the middle."""
    path = tmp_path / "history.ndjson"
    lines = [_line(hour, number) for hour in range(8) for number in range(5)]
    path.write_bytes(b"\n".join([b"broken", *lines[:20], b'{"event_name": "\xff"}', *lines[20:]]))
    return path


def _keys(store: ObjectStore) -> list[str]:
    return [raw.key for raw in sorted(list_all(store))]


def _cut_off_after(records: Iterator[Record], count: int) -> Iterator[Record]:
    for number, record in enumerate(records):
        if number == count:
            raise PulledPlug
        yield record


def test_each_event_lies_in_its_own_hour_and_a_broken_line_beside_the_good_one_before(history: Path) -> None:
    store = MemoryStore()
    done = store_records(store, history, read_json(history))
    assert (done.events, done.objects, dict(done.rejected)) == (40, 10, {"invalid_json": 1, "invalid_utf8": 1})
    hours = [key.rpartition("/")[0] for key in _keys(store)]
    assert hours == [f"events/2026/03/01/{hour:02}" for hour in range(8)] + [
        f"rejected/2026/03/01/{hour:02}" for hour in (0, 3)
    ]


def test_a_broken_line_keeps_its_bytes(history: Path) -> None:
    store = MemoryStore()
    store_records(store, history, read_json(history))
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
    store_records(store, history, read_json(history))
    before = sorted(list_all(store))
    again = store_records(store, history, read_json(history))
    assert (again.objects, again.known_objects) == (0, 10)
    assert sorted(list_all(store)) == before


def test_the_same_lines_under_another_name_are_the_same_objects(history: Path, tmp_path: Path) -> None:
    store = MemoryStore()
    store_records(store, history, read_json(history))
    copy = history.rename(tmp_path / "copy.json")
    assert store_records(store, copy, read_json(copy)).objects == 0


@pytest.mark.parametrize("count", [0, 1, 10, 11, 25, 41])
def test_an_import_that_was_cut_off_is_finished_by_running_it_again(
    history: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    monkeypatch.setattr(importer, "HELD_LINES", 10)
    whole, cut = MemoryStore(), LocalStore(tmp_path / "raw", mkdir=True)
    store_records(whole, history, read_json(history))
    with pytest.raises(PulledPlug):
        store_records(cut, history, _cut_off_after(read_json(history), count))
    assert len(_keys(cut)) < len(_keys(whole))
    store_records(cut, history, read_json(history))
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
        done = store_records(stack.store, tmp_path / name, read_json(tmp_path / name))
    assert done.first_hour
    with stack.warehouse() as connection:
        load_hours(connection, stack.store, done.first_hour, done.first_hour.replace(hour=2))
        rebuild_all(connection)
        [hour] = ledger(connection)
    assert (hour.received, hour.loaded, hour.duplicate, hour.difference) == (7, 4, 3, 0)

"""A pack is a container: its members are listed and read as if they still lay in its place, and what is broken is told."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import obstore
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from obstore.store import MemoryStore, ObjectStore

from clickstream_dagster.partitions import HOUR
from clickstream_dagster.raw.bodies import read
from clickstream_dagster.raw.decode import decode_object
from clickstream_dagster.raw.lines import unpacked
from clickstream_dagster.raw.objects import list_all, list_as_stored, list_folder, list_from, list_hours
from clickstream_dagster.raw.packs import writing
from clickstream_dagster.raw.packs.changing import change, rewrite, sweep
from clickstream_dagster.raw.packs.index import PackBroken, read_index
from clickstream_dagster.raw.packs.writing import Content, write_packs
from clickstream_dagster.settings import UNPACKED_OBJECT_BYTES
from ingest_lambda.folder import FolderStore
from support.thorough import examples

START = datetime(2026, 2, 27, 5, tzinfo=UTC)
PREFIX = "events/2026/02/27/05/"

#: What objects hold: lines, a document, an array, compressed or not, with or without a last line end, broken ones too.
BODIES = st.one_of(
    st.lists(st.sampled_from([b'{"event_name": "click"}', b"poison", b"", b"\xef\xbb\xbf{}"]), max_size=4).map(
        b"\n".join
    ),
    st.sampled_from([b'[{"a": 1},\n{"b": 2}]', b'{\n"a": 1}\n', b"\n", b"\x1f\x8b broken", b"", b"x" * 3000]),
)
STORED = BODIES.flatmap(
    lambda body: st.sampled_from(
        [body, gzip.compress(body, mtime=0), gzip.compress(body)[:-3], gzip.compress(gzip.compress(body))]
    )
)


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    return MemoryStore() if request.param == "bucket" else FolderStore(str(tmp_path / "raw"))


def packed(store: ObjectStore, prefix: str = PREFIX) -> list[str]:
    """Pack all that can be packed under a prefix, and take it away."""
    small = list_folder(store, prefix).small
    bodies = [(body.raw, body.content_hash, unpacked(body.file, UNPACKED_OBJECT_BYTES)) for body in read(store, small)]
    contents = [Content(raw, known, data) for raw, known, data in bodies if data is not None]
    packs = list(write_packs(store, prefix, contents))
    for content in contents:
        obstore.delete(store, content.raw.key)
    return packs


def decoded(store: ObjectStore) -> list[Any]:
    """What the store says: each part of each object."""
    listed = list_hours(store, START, START + HOUR)
    return [part for body in read(store, listed) for part in decode_object(body)]


@settings(max_examples=examples(60), deadline=None)
@given(
    stored=st.lists(STORED, max_size=9),
    block=st.sampled_from([1, 40, 2000, 10**6]),
    size=st.sampled_from([1, 90, 10**6]),
)
def test_what_is_packed_says_the_same_byte_for_byte(stored: list[bytes], block: int, size: int) -> None:
    store = MemoryStore()
    for number, data in enumerate(stored):
        store.put(f"{PREFIX}event-{number}.json", data)
    listed, before = list_hours(store, START, START + HOUR), decoded(store)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writing, "PACK_BLOCK_BYTES", block)
        patch.setattr(writing, "PACK_BYTES", size)
        packed(store)
    assert list_hours(store, START, START + HOUR) == listed
    assert decoded(store) == before
    assert sorted(list_all(store)) == listed
    assert sorted(list_from(store, "events/", None)) == listed


def put(store: ObjectStore, *bodies: bytes) -> list[str]:
    keys = [f"{PREFIX}event-{number}.json" for number in range(len(bodies))]
    for key, body in zip(keys, bodies, strict=True):
        store.put(key, body)
    return keys


def texts(store: ObjectStore) -> dict[str, bytes]:
    return {body.raw.key: body.file.read() for body in read(store, list_hours(store, START, START + HOUR))}


def test_a_pack_unpacks_to_the_lines_of_its_objects_in_order(store: ObjectStore) -> None:
    put(store, b"1", b"2\n", gzip.compress(b"3\n4"))
    [pack] = packed(store)
    assert gzip.decompress(bytes(obstore.get(store, pack).bytes())) == b"1\n2\n3\n4\n"


def test_a_pack_is_listed_with_the_objects_that_came_after_it(store: ObjectStore) -> None:
    put(store, b"1", b"2")
    packed(store)
    store.put(f"{PREFIX}a-late-one.json", b"3")
    assert list(texts(store).values()) == [b"3", b"1", b"2"]


def test_an_object_that_is_there_both_ways_counts_once_and_one_written_anew_counts_as_it_is_now(
    store: ObjectStore,
) -> None:
    keys = put(store, b"1", b"2")
    small = list_folder(store, PREFIX).small
    list(write_packs(store, PREFIX, [Content(b.raw, b.content_hash, b.file.read()) for b in read(store, small)]))
    assert [raw.packed is not None for raw in list_hours(store, START, START + HOUR)] == [True, True]
    store.put(keys[0], b"anew", mode="overwrite")
    assert texts(store) == {keys[0]: b"anew", keys[1]: b"2"}


@pytest.mark.parametrize("left", ["index", "pack"])
def test_half_a_pack_counts_for_nothing(store: ObjectStore, left: str) -> None:
    put(store, b"1", b"2")
    [pack] = packed(store)
    strangers: list[str] = []
    obstore.delete(store, pack if left == "index" else pack.replace(".ndjson", ".index.json"))
    assert sorted(list_all(store, strangers.append)) == list_hours(store, START, START + HOUR) == []
    assert strangers == ([] if left == "index" else [pack])


def test_an_index_that_was_changed_is_told_and_not_believed(store: ObjectStore) -> None:
    put(store, b"1", b"2")
    [pack] = packed(store)
    key = pack.replace(".ndjson", ".index.json")
    text = gzip.decompress(bytes(obstore.get(store, key).bytes()))
    for broken in (b"nothing", gzip.compress(b"{}"), gzip.compress(text.replace(b"event-1", b"event-7"))):
        store.put(key, broken, mode="overwrite")
        strangers: list[str] = []
        assert list(list_all(store, strangers.append)) == []
        assert strangers == [key]
        with pytest.raises(PackBroken, match="Restore it"):
            read_index(store, pack)


def test_a_pack_that_was_changed_is_an_error_in_words(store: ObjectStore) -> None:
    put(store, b"1", b"2")
    [pack] = packed(store)
    for broken in (b"nothing at all here, and long enough", gzip.compress(b"1\n3\n")):
        store.put(pack, broken, mode="overwrite")
        with pytest.raises(PackBroken, match="Restore the pack"):
            texts(store)


def test_one_object_is_read_by_its_block_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    store, asked = MemoryStore(), list[tuple[int, int]]()
    monkeypatch.setattr(writing, "PACK_BLOCK_BYTES", 1)
    put(store, *(bytes([65 + number]) * 99 for number in range(20)))
    packed(store)
    real = obstore.get_ranges

    def spy(store: Any, key: str, *, starts: Any, ends: Any) -> Any:
        asked.extend(zip(starts, ends, strict=True))
        return real(store, key, starts=starts, ends=ends)

    monkeypatch.setattr(obstore, "get_ranges", spy)
    [one] = [raw for raw in list_hours(store, START, START + HOUR) if raw.key.endswith("-7.json")]
    assert [body.file.read() for body in read(store, [one])] == [b"H" * 99]
    assert asked == [(one.packed.first, one.packed.end)] if one.packed else False


def test_what_is_changed_is_changed_in_the_pack_and_beside_it(store: ObjectStore) -> None:
    keys = [*put(store, b"1\nann", b"2"), f"{PREFIX}import-0123456789ab-0.json.gz", f"{PREFIX}later.json"]
    store.put(keys[2], gzip.compress(b"3\nann", mtime=0))
    [pack] = packed(store)
    store.put(keys[3], b"4\nann")
    done = change(store, {keys[0]: b"1", keys[2]: b"3", keys[3]: b"4", f"{PREFIX}nowhere.json": None})
    assert texts(store) == {keys[0]: b"1", keys[1]: b"2", keys[2]: b"3", keys[3]: b"4"}
    listed = {raw.key: raw for raw in list_hours(store, START, START + HOUR)}
    assert {key: done[key].size for key in done} == {key: listed[key].size for key in done}
    hashes = {body.raw.key: body.content_hash for body in read(store, list(listed.values()))}
    assert {key: done[key].content_hash for key in done} == {key: hashes[key] for key in done}
    assert pack not in [raw.key for raw in list_as_stored(store, START, START + HOUR)]
    stored = b"".join(bytes(obstore.get(store, raw.key).bytes()) for raw in list_as_stored(store, START, START + HOUR))
    assert b"ann" not in stored


def test_what_is_taken_out_is_gone_and_the_last_one_takes_the_pack_along(store: ObjectStore) -> None:
    keys = put(store, b"1", b"2", b"3")
    packed(store)
    change(store, {keys[1]: None})
    change(store, {keys[1]: None})
    assert texts(store) == {keys[0]: b"1", keys[2]: b"3"}
    change(store, dict.fromkeys(keys))
    assert list_as_stored(store, START, START + HOUR) == []


def test_lines_that_do_not_differ_write_no_pack(store: ObjectStore) -> None:
    keys = put(store, b"1", b"2")
    [pack] = packed(store)
    assert rewrite(store, pack, {keys[0]: b"1", "events/elsewhere.json": None}) == pack


def _killed(store: ObjectStore, at: int, monkeypatch: pytest.MonkeyPatch, work: Callable[[], object]) -> bool:
    """Do it, and have the write or the deletion number `at` not come to pass, nor anything after it."""

    class Killed(BaseException):
        pass

    left = iter([None] * at)

    def counted(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            try:
                next(left)
            except StopIteration:
                raise Killed from None
            return real(*arguments, **named)

        return call

    with monkeypatch.context() as patch:
        patch.setattr(obstore, "put", counted(obstore.put))
        patch.setattr(obstore, "delete", counted(obstore.delete))
        with suppress(Killed):
            work()
            return False
    return True


def test_a_change_that_is_killed_anywhere_is_done_by_doing_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    at, seen = 0, set[str]()
    while True:
        store = MemoryStore()
        keys = put(store, b"1", b"2", b"3")
        packed(store)
        changes = {keys[0]: b"one", keys[2]: None}
        was_killed = _killed(store, at, monkeypatch, lambda store=store, changes=changes: change(store, changes))
        found = texts(store)
        seen.add(repr(found))
        assert found in ({keys[0]: b"1", keys[1]: b"2", keys[2]: b"3"}, {keys[0]: b"one", keys[1]: b"2"})
        change(store, changes)
        assert texts(store) == {keys[0]: b"one", keys[1]: b"2"}
        assert len(list_as_stored(store, START, START + HOUR)) == 2
        if not was_killed:
            break
        at += 1
    assert at >= 4 and len(seen) == 2


def test_a_replaced_pack_does_not_come_back_when_its_successor_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryStore()
    keys = put(store, b"ann", b"2")
    [first] = packed(store)
    kept = {key: bytes(obstore.get(store, key).bytes()) for key in (first, first.replace(".ndjson", ".index.json"))}
    second = rewrite(store, first, {keys[0]: b"1"})
    assert second and second != first
    third = rewrite(store, second, {keys[1]: b"two"})
    for key, data in kept.items():  # a deletion that never came to pass
        store.put(key, data)
    assert texts(store) == {keys[0]: b"1", keys[1]: b"two"}
    assert sweep(store, list_folder(store, PREFIX)) == [third]
    assert len(list_as_stored(store, START, START + HOUR)) == 2


@pytest.mark.parametrize(
    "stored",
    [
        b"",
        gzip.compress(b""),
        gzip.compress(gzip.compress(b"{}")),
        gzip.compress(b"{}" * 99)[:-4],
        b"\x1f\x8b",
        b"x" * 101,
    ],
)
def test_what_would_not_say_the_same_unpacked_is_not_packed(stored: bytes, tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(stored)
    with (tmp_path / "one").open("rb") as file:
        assert unpacked(file, 100) is None


def test_members_by_the_thousand_are_read_once_each(monkeypatch: pytest.MonkeyPatch) -> None:
    store, opened = MemoryStore(), list[int]()
    monkeypatch.setattr(writing, "PACK_BLOCK_BYTES", 2_000)
    put(store, *(b"%d" % number * 20 for number in range(1_000)))
    packed(store)
    real = zlib.decompress
    monkeypatch.setattr(zlib, "decompress", lambda data, wbits=15: opened.append(len(data)) or real(data, wbits=wbits))
    listed = list_hours(store, START, START + HOUR)
    assert len(list(read(store, listed))) == 1_000
    assert len(opened) == len({raw.packed.first for raw in listed if raw.packed})

"""Who is erased was never there: in the store, in the tables, and in whatever is loaded later."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import obstore
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from obstore.store import MemoryStore

from clickstream_dagster.partitions import HOUR
from clickstream_dagster.raw.bodies import read
from clickstream_dagster.raw.erased import USER, VISITOR
from clickstream_dagster.raw.objects import list_hours
from clickstream_dagster.settings import Postgres
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.connection import Connection, transaction
from clickstream_dagster.warehouse.erasing.erase import erase, sweep
from clickstream_dagster.warehouse.load import load_hours
from clickstream_dagster.warehouse.packing.hours import pack_hours, packable_prefixes
from clickstream_dagster.warehouse.rebuild import rebuild_all
from ingest_lambda import contract, landing
from ingest_lambda.contract import Rejection
from support.histories import HOURS, START, RawFile, raw_files
from support.limits import low_limits
from support.tables import differences, dump, empty, unequal_sums
from support.thorough import examples

#: How long small objects stay beside their pack: not at all, or as good as for ever.
GRACE = (timedelta(days=-1), timedelta(days=999))
END = START + HOURS * HOUR
#: Who is erased: a browser, a user, and a person who is both.
WHO = ([(VISITOR, "ann")], [(USER, "u1")], [(VISITOR, "bob"), (USER, "u1")])
#: Lines that no event is made of, each with the id that it names.
REFUSED = (
    ("ann", b'{"client_id": "ann", "event_name": 1}'),
    ("bob", b'{"anonymousId": "b\\u006fb", "broken'),
    ("u1", b"v=2&cid=zed&uid=u1&en="),
    (None, b'{"product_id": "ann", "price": "u1"}'),
)


@pytest.fixture(scope="module")
def stack(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """More than two purchases or refunds of an order are too many."""
    with low_limits(postgres, "erase", tmp_path_factory.mktemp("erase"), CLICKSTREAM_TIMEZONE="Europe/Berlin") as stack:
        yield stack


def with_refused(files: list[RawFile], data: st.DataObject) -> list[RawFile]:
    """The history, and lines that were refused: by the collector and by the loader."""
    for number, (_, line) in enumerate(REFUSED):
        hour = START + data.draw(st.integers(0, HOURS - 1)) * HOUR
        if data.draw(st.booleans()):
            body = contract.encode(Rejection("invalid_json", "said so", hour, 0, line.decode()))
            files = [*files, RawFile(landing.rejected_key(hour, UUID(int=100 + number)), body, hour)]
        else:
            files = [*files, RawFile(landing.event_key(hour, UUID(int=200 + number)), line, hour)]
    return files


def is_theirs(line: bytes, ids: list[tuple[str, str]]) -> bool:
    names = {name for _, name in ids}
    for named, refused in REFUSED:
        if line == refused or (b"said so" in line and json.loads(line)["body"].encode() == refused):
            return named in names
    said = json.loads(line)
    return (VISITOR, said.get("client_id")) in ids or (USER, said.get("user_id")) in ids


def without(files: list[RawFile], ids: list[tuple[str, str]]) -> list[RawFile]:
    """The history in which they never came, their lines empty."""
    kept = []
    for file in files:
        lines = [b"" if is_theirs(line, ids) else line for line in file.data.split(b"\n")]
        if any(lines):
            kept.append(RawFile(file.key, b"\n".join(lines), file.hour))
    return kept


def put(store: MemoryStore, files: list[RawFile]) -> None:
    for file in files:
        obstore.put(store, file.key, file.data)


def stored(store: MemoryStore) -> dict[str, bytes]:
    return {body.raw.key: body.file.read() for body in read(store, list_hours(store, START, END))}


def is_anywhere(store: MemoryStore, ids: list[tuple[str, str]]) -> bool:
    """Whether a line of theirs is left in any object, be it a pack."""
    keys = [
        meta["path"] for page in obstore.list(store) for meta in page if meta["path"].startswith(("events", "rejected"))
    ]
    held = [bytes(obstore.get(store, key).bytes()) for key in keys if not key.endswith(".index.json.gz")]
    texts = [gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data for data in held]
    return any(line and is_theirs(line, ids) for text in texts for line in text.split(b"\n"))


def forget_list(connection: Connection) -> None:
    with transaction(connection) as cursor:
        cursor.execute("truncate erased_ids, erasures")


def load_all(connection: Connection, store: MemoryStore) -> dict[str, str]:
    load_hours(connection, store, START, END)
    rebuild_all(connection)
    return dump(connection)


@settings(
    max_examples=examples(12),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(files=raw_files(), data=st.data())
def test_who_is_erased_never_came(stack: Stack, files: list[RawFile], data: st.DataObject) -> None:
    files = with_refused(files, data)
    ids = data.draw(st.sampled_from(WHO))
    never = without(files, ids)
    with stack.warehouse() as connection:
        empty(connection)
        forget_list(connection)
        store = MemoryStore()
        put(store, never)
        expected = load_all(connection, store)

        empty(connection)
        store = MemoryStore()
        put(store, files)
        order = data.draw(st.permutations(range(HOURS)))
        for hour in order[: data.draw(st.integers(0, HOURS))]:
            load_hours(connection, store, START + hour * HOUR, START + (hour + 1) * HOUR)
        if data.draw(st.booleans()):
            rebuild_all(connection)
        if data.draw(st.booleans()):
            pack_hours(connection, store, packable_prefixes(connection, store), data.draw(st.sampled_from(GRACE)))
        receipt = erase(connection, store, ids)
        if data.draw(st.booleans()):
            rebuild_all(connection)
        load_all(connection, store)  # what was not loaded yet
        sweep(connection, store, UUID(receipt.receipt_id))
        rebuild_all(connection)
        found = dump(connection)
        assert differences(found, expected) == {}
        assert unequal_sums(connection) == {}
        assert stored(store) == {file.key: file.data for file in never}
        assert not is_anywhere(store, ids)

        before = receipts(connection)
        assert before[0][1] == lines(files) - lines(never)
        again = erase(connection, store, ids)
        assert receipts(connection) == before and again.receipt_id == receipt.receipt_id
        assert differences(dump(connection), expected) == {}

        # A backfill into an empty warehouse, and one from an older copy of the bucket.
        empty(connection)
        forget_list(connection)
        assert differences(load_all(connection, store), expected) == {}
        put(store, files)
        empty(connection)
        restored = load_all(connection, store)
        # The hash of an object is that of the older copy, and so the books say; a line number is the same.
        assert set(differences(restored, expected)) <= {"raw_objects", "etl_ledger", "rejected_events"}
        sweep(connection, store, UUID(receipt.receipt_id))
        rebuild_all(connection)
        assert differences(dump(connection), expected) == {}
        assert stored(store) == {file.key: file.data for file in never}


def receipts(connection: Connection) -> list[tuple[object, ...]]:
    with transaction(connection) as cursor:
        cursor.execute(
            "select receipt_id, lines, events, duplicates, rejected, objects_rewritten, objects_removed, hours from erasures"
        )
        found = cursor.fetchall()
    assert all(row[1] >= sum(row[2:5]) for row in found)  # the rest lay in the store and was not loaded
    assert all(count >= 0 for row in found for count in row[1:])
    return found


def lines(files: list[RawFile]) -> int:
    return sum(1 for file in files for line in file.data.split(b"\n") if line)

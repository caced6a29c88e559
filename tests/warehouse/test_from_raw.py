"""A warehouse that is made of the store anew is the one that stood, whatever came late, was imported, taken back or replayed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import obstore
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from obstore.store import MemoryStore, S3Store

from clickstream_dagster.partitions import HOUR
from clickstream_dagster.settings import Postgres
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse import from_raw
from clickstream_dagster.warehouse.connection import Connection, transaction
from clickstream_dagster.warehouse.ledger import freshness, ledger
from clickstream_dagster.warehouse.load import load_hours
from clickstream_dagster.warehouse.rebuild import rebuild_all
from clickstream_dagster.warehouse.replay import Wanted, replay
from clickstream_dagster.warehouse.unload import unload
from ingest_lambda import contract, landing
from ingest_lambda.contract import Rejection
from support.aws import moto_bucket
from support.histories import HOURS, START, RawFile
from support.limits import low_limits
from support.refusals import MARK, REASON, refused_files, yesterday
from support.stories import event, tell
from support.tables import differences, dump, unequal_sums
from support.tables import empty as forget_everything
from support.thorough import examples

END = START + HOURS * HOUR
NAME, OTHER = "0123456789ab", "ba9876543210"


@pytest.fixture(scope="module")
def shop(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """More than two purchases or refunds of an order are too many. The first partition lies after everything."""
    with low_limits(
        postgres, "from_raw", tmp_path_factory.mktemp("from_raw"), CLICKSTREAM_FIRST_HOUR=END.isoformat()
    ) as stack:
        yield stack


def as_imported(file: RawFile, name: str, part: int) -> RawFile:
    root = file.key.partition("/")[0]
    return RawFile(landing.imported_key(root, file.hour, name, part), file.data, file.hour)


def put(store: MemoryStore, files: list[RawFile]) -> None:
    for file in files:
        obstore.put(store, file.key, file.data)


def tables(connection: Connection) -> dict[str, str]:
    """Without the ledger's hours that received nothing: they tell which hours somebody has listed."""
    with transaction(connection) as cursor:
        cursor.execute("delete from etl_ledger where received = 0 and difference = 0")
    return dump(connection)


@settings(
    max_examples=examples(15),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(files=refused_files(), data=st.data())
def test_what_is_made_anew_is_what_stood(shop: Stack, files: list[RawFile], data: st.DataObject) -> None:
    names = data.draw(st.lists(st.sampled_from([None, None, NAME, OTHER]), min_size=len(files), max_size=len(files)))
    files = [as_imported(file, name, part) if (name := names[part]) else file for part, file in enumerate(files)]
    late = data.draw(st.integers(0, len(files)))
    store = MemoryStore()
    with shop.warehouse() as connection:
        forget_everything(connection)
        put(store, files[late:])
        with yesterday():
            for hour in data.draw(st.permutations(range(HOURS))):
                load_hours(connection, store, START + hour * HOUR, START + (hour + 1) * HOUR)
            if data.draw(st.booleans()):
                rebuild_all(connection)
        put(store, files[:late])
        load_hours(connection, store, START, END)
        replay(connection, store, Wanted())
        if data.draw(st.booleans()):
            taken = [file.key for file in files if landing.import_of(file.key) == NAME]
            unload(connection, store, NAME, lambda: [obstore.delete(store, key) for key in taken])
            load_hours(connection, store, START, END)
        rebuild_all(connection)
        stood = tables(connection)

        from_raw.empty(connection)
        built = from_raw.build(connection, store, shop.settings)
        assert differences(stood, tables(connection)) == {}
        assert unequal_sums(connection) == {}
        books = ledger(connection)
        assert all(hour.difference == 0 for hour in books)
        with transaction(connection) as cursor:  # a load counts the lines of test visits, the books do not
            cursor.execute("select coalesce(sum(received + canary), 0) from etl_ledger")
            assert cursor.fetchall() == [(built.loaded.received,)]
        assert bool(built.loaded.objects) == (from_raw.standing(connection, store) is not None)


@pytest.fixture
def bucket() -> Iterator[S3Store]:
    """A bucket of an S3 server in this process."""
    with moto_bucket("raw-to-rebuild") as store:
        yield store


def test_a_bucket_gives_the_replayed_warehouse_back(stack: Stack, bucket: S3Store) -> None:
    body = json.dumps({"event_name": "page_view", "client_id": "ann", "page_title": MARK}).encode()
    refusal = Rejection(REASON, "unheard of", START, 0, body.decode())
    obstore.put(bucket, landing.event_key(START, UUID(int=1)), body)
    obstore.put(bucket, landing.rejected_key(START, UUID(int=2)), contract.encode(refusal))
    with stack.warehouse() as connection:
        with yesterday():
            load_hours(connection, bucket, START, START + HOUR)
        assert replay(connection, bucket, Wanted()).loaded == 2
        rebuild_all(connection)
        stood = tables(connection)
        assert from_raw.standing(connection, bucket) == from_raw.Standing(2, 0, 0)
        from_raw.empty(connection)
        assert from_raw.build(connection, bucket, stack.settings).loaded.loaded == 2
        assert differences(stood, tables(connection)) == {}


def test_an_empty_store_builds_an_empty_warehouse(stack: Stack) -> None:
    with stack.warehouse() as connection:
        assert from_raw.standing(connection, stack.store) is None
        assert from_raw.build(connection, stack.store, stack.settings).first_hour is None


def test_what_the_store_has_no_more_is_counted_before_it_is_lost(stack: Stack) -> None:
    tell(stack, event("1 10:00"), event("1 10:01"))
    tell(stack, event("1 11:00"))
    with stack.warehouse() as connection:
        assert from_raw.standing(connection, stack.store) == from_raw.Standing(3, 0, 0)
        [gone, _] = sorted(Path(stack.settings.home / "raw").rglob("event-*"), key=lambda file: -file.stat().st_size)
        gone.unlink()
        assert from_raw.standing(connection, stack.store) == from_raw.Standing(3, 2, 1)


def test_it_says_how_far_it_is_and_leaves_the_hours_closed(stack: Stack) -> None:
    tell(stack, event("1 10:00"))
    tell(stack, event("1 11:00"))
    told: list[tuple[str, int, int]] = []
    with stack.warehouse() as connection:
        from_raw.empty(connection)
        assert freshness(connection) is None
        from_raw.build(connection, stack.store, stack.settings, lambda *step: told.append(step))
        assert freshness(connection) is not None
    assert told[0] == ("objects", 2, 2)
    assert told[-1][1] == told[-1][2] == len(told) - 1

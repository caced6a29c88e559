"""The lake says what the tables say: every type, after every change, wherever a run was killed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import obstore
import pytest
from obstore.store import ObjectStore, S3Store

from clickstream_dagster.partitions import HOUR
from clickstream_dagster.raw.erased import VISITOR
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.connection import Connection, transaction
from clickstream_dagster.warehouse.erasing.erase import erase
from clickstream_dagster.warehouse.lake import hours, one_hour
from clickstream_dagster.warehouse.lake.column_types import NoSuchType
from clickstream_dagster.warehouse.lake.one_hour import CannotWrite, Written
from clickstream_dagster.warehouse.lake.verify import Verified, verify
from clickstream_dagster.warehouse.lake.write import AlreadyWriting, refresh, write
from clickstream_dagster.warehouse.load import load_hours
from clickstream_dagster.warehouse.models import InLake, all_models
from clickstream_dagster.warehouse.rebuild import rebuild_all
from ingest_lambda import landing
from support.aws import KEYS, REGION, moto_bucket
from support.tables import empty

START = datetime(2026, 5, 1, 7, tzinfo=UTC)
END = START + 3 * HOUR
AT = datetime(2026, 5, 1, 7, 30, 0, 123456, tzinfo=UTC)
HOSTILE = (
    *(
        "",
        " ",
        ",",
        '"',
        '""',
        "\\",
        "\\.",
        "\\N",
        "NULL",
        "null",
        "a\nb",
        "a\r\nb",
        "\r",
        "\t",
        "'",
        "\u2028",
        "\ufeffx",
    ),
    *("é", "e\u0301", "\U0001f600", "\u202eabc", "\x01\x1f\x7f", "1:a-", "-", "x" * 3_000_000, "🛒" * 1_000),
)


@pytest.fixture(scope="module")
def bucket() -> Iterator[S3Store]:
    with moto_bucket("lake-of-tables") as store:
        yield store


@pytest.fixture(params=["folder", "bucket"])
def store(
    request: pytest.FixtureRequest, stack: Stack, bucket: S3Store, monkeypatch: pytest.MonkeyPatch
) -> ObjectStore:
    """A store with no lake in it."""
    if request.param == "folder":
        return stack.store
    # boto3 removes older versions, and obstore has its own settings
    for name, value in {**KEYS, "AWS_ENDPOINT_URL": bucket.config["endpoint"], "AWS_DEFAULT_REGION": REGION}.items():
        monkeypatch.setenv(name, value)
    obstore.delete(bucket, [meta["path"] for page in obstore.list(bucket) for meta in page])
    return bucket


def line(number: int, client: str, at: datetime, **more: object) -> bytes:
    event = {
        "event_id": f"00000000-0000-0000-0000-{number:012}",
        "event_name": "page_view",
        "client_id": client,
        **more,
    }
    times = {"event_timestamp": at.isoformat(), "received_at": at.isoformat(), "page_url": "https://shop.example/"}
    return json.dumps({**event, **times}).encode() + b"\n"


def load(connection: Connection, store: ObjectStore, name: int, hour: datetime, *lines: bytes) -> None:
    """Store an object and load its hour."""
    store.put(f"{landing.hour_prefix(hour)}event-{name}.json", b"".join(lines))
    load_hours(connection, store, hour, hour + HOUR)
    rebuild_all(connection)


@pytest.fixture
def filled(warehouse: Connection, store: ObjectStore) -> Connection:
    """Two hours: Ann and Bob in both, an order, and a copy of an event."""
    order = {"event_name": "purchase", "order": {"id": "o1", "value": 12.5}}
    first = line(1, "ann", START), line(2, "bob", START), line(3, "ann", START + HOUR / 4, **order)
    load(warehouse, store, 1, START, *first, line(2, "bob", START + HOUR / 2))
    load(warehouse, store, 2, START + HOUR, line(4, "ann", START + HOUR), line(5, "bob", START + HOUR))
    return warehouse


def write_all(connection: Connection, store: ObjectStore) -> Written:
    return write(connection, store, lambda owed: hours.closed(connection, owed))


def verify_all(connection: Connection, store: ObjectStore) -> Verified:
    return verify(connection, store, lambda found: found)


def objects(store: ObjectStore) -> dict[str, bytes]:
    keys = [meta["path"] for page in obstore.list(store, prefix="lake/") for meta in page]
    return {key: bytes(obstore.get(store, key).bytes()) for key in keys}


def read(store: ObjectStore, folder: Path, select: str) -> list[tuple[Any, ...]]:
    """What DuckDB reads from the lake, as docs/lake.md says."""
    for key, data in objects(store).items():
        (folder / key).parent.mkdir(parents=True, exist_ok=True)
        (folder / key).write_bytes(data)
    connection = duckdb.connect(":memory:")
    try:
        connection.execute("set timezone = 'UTC'")
        return connection.execute(select.replace("lake/", f"{folder}/lake/")).fetchall()
    finally:
        connection.close()


EVENTS = (
    "read_parquet('lake/clickstream_events/**/*.parquet', hive_partitioning = true,"
    " hive_types = {'date': DATE, 'hour': BIGINT})"
)


def test_every_table_is_written_and_equal_and_writing_again_writes_nothing(
    filled: Connection, store: ObjectStore, tmp_path: Path
) -> None:
    done = write_all(filled, store)
    before = objects(store)
    assert (done.hours, done.rows, done.removed) == (6, 5 + 1 + 4 + 1, 0)
    assert {key.split("/")[1] for key in before} == {model.name for model in hours.lake_models()}
    assert all("/date=2026-05-01/hour=0" in key and key.endswith(".parquet") for key in before)
    assert write_all(filled, store) == Written()
    assert objects(store) == before
    found = verify_all(filled, store)
    assert (found.hours, found.rows, found.waiting, found.differences) == (done.hours, done.rows, 0, [])
    assert read(store, tmp_path, f"select date, hour, count(*) from {EVENTS} group by all order by all") == [
        (date(2026, 5, 1), 7, 3),
        (date(2026, 5, 1), 8, 2),
    ]
    assert read(store, tmp_path, f"select client_id from {EVENTS} where hour = 7") == [("ann",), ("ann",), ("bob",)]
    kinds = {name: kind for name, kind, *_ in read(store, tmp_path, f"describe select * from {EVENTS}")}
    assert (kinds["date"], kinds["hour"]) == ("DATE", "BIGINT")
    assert (kinds["event_id"], kinds["event_timestamp"]) == ("VARCHAR", "TIMESTAMP WITH TIME ZONE")
    assert (kinds["order_value"], kinds["is_gpc"], kinds["line_number"]) == ("DECIMAL(38,6)", "BOOLEAN", "INTEGER")


def test_the_manifest_and_the_ledger_add_up(filled: Connection, store: ObjectStore) -> None:
    write_all(filled, store)
    with transaction(filled) as cursor:
        cursor.execute("""
            select hour, sum(row_count) filter (where model = 'clickstream_events')::integer,
                coalesce(sum(row_count) filter (where model = 'duplicate_events'), 0)::integer
            from lake_hours group by hour order by hour
            """)
        manifest = cursor.fetchall()
        cursor.execute("select partition_hour, loaded, duplicate from etl_ledger order by partition_hour")
        assert cursor.fetchall() == manifest == [(START, 3, 1), (START + HOUR, 2, 0)]


def test_the_same_rows_in_another_warehouse_are_the_same_bytes(
    filled: Connection, store: ObjectStore, make_stack: Callable[..., Stack]
) -> None:
    write_all(filled, store)
    other = make_stack()
    with other.warehouse() as connection:
        load_hours(connection, store, START + HOUR, END)
        load_hours(connection, store, START, END)
        rebuild_all(connection)
        write_all(connection, other.store)
    assert objects(other.store) == objects(store)


def test_a_late_event_writes_its_hour_again_and_no_other(
    filled: Connection, store: ObjectStore, tmp_path: Path
) -> None:
    write_all(filled, store)
    before = objects(store)
    load(filled, store, 3, START + HOUR, line(6, "cleo", START + HOUR))
    assert verify_all(filled, store).waiting == 2  # events and sessions
    assert write_all(filled, store).removed == 2
    after = objects(store)
    assert {key.rpartition("/")[0] for key in before.keys() ^ after.keys()} == {
        "lake/clickstream_events/date=2026-05-01/hour=08",
        "lake/fact_sessions/date=2026-05-01/hour=08",
    }
    assert verify_all(filled, store).differences == []
    assert len(read(store, tmp_path, f"select * from {EVENTS} where client_id = 'cleo'")) == 1


def test_who_is_erased_leaves_the_lake(filled: Connection, store: ObjectStore, tmp_path: Path) -> None:
    write_all(filled, store)
    assert any(b"bob" in data for data in texts(store, tmp_path / "before"))
    erase(filled, store, [(VISITOR, "bob")])
    rebuild_all(filled)
    refresh(filled, store)
    assert not any(b"bob" in data for data in texts(store, tmp_path / "after"))
    assert any(b"ann" in data for data in texts(store, tmp_path / "after"))
    assert verify_all(filled, store).differences == []
    assert refresh(filled, store) == Written()


def texts(store: ObjectStore, folder: Path) -> Iterator[bytes]:
    """The rows of each object of the lake, as text."""
    for key in objects(store):
        yield str(read(store, folder, f"select * from read_parquet('{key}')")).encode()


def test_refreshing_writes_nothing_where_there_is_no_lake(filled: Connection, store: ObjectStore) -> None:
    assert refresh(filled, store) == Written()
    assert objects(store) == {}


def test_an_emptied_warehouse_empties_the_lake(filled: Connection, store: ObjectStore) -> None:
    write_all(filled, store)
    empty(filled)
    assert write_all(filled, store).removed == 6
    assert objects(store) == {}
    assert verify_all(filled, store).differences == []


def test_what_the_manifest_does_not_know_goes_and_what_is_lost_comes_back(
    filled: Connection, store: ObjectStore
) -> None:
    write_all(filled, store)
    before = objects(store)
    lost, cut = sorted(before)[:2]
    store.delete(lost)
    obstore.put(store, cut, before[cut][:-1])
    obstore.put(store, "lake/clickstream_events/date=2020-01-01/hour=00/part-of-another.parquet", b"bob")
    found = verify_all(filled, store)
    assert [one.hour.object_key for one in found.differences if one.broken] == [lost, cut]
    write_all(filled, store)
    assert objects(store) == before


@pytest.mark.parametrize("column", ["page_path", "order_value", "event_timestamp", "user_id"])
def test_verify_finds_a_row_that_differs(filled: Connection, store: ObjectStore, column: str, tmp_path: Path) -> None:
    write_all(filled, store)
    with transaction(filled) as cursor:  # as whoever goes around the triggers
        cursor.execute("alter table clickstream_events disable trigger user")
        values = {"order_value": "12.500001", "event_timestamp": "'2026-05-01T07:00:00.000001Z'"}
        cursor.execute(
            f"update clickstream_events set {column} = {values.get(column, repr('x'))}"
            " where event_id = '00000000-0000-0000-0000-000000000003'"
        )
    [found] = verify_all(filled, store).differences
    assert found.only_in_postgres == found.only_in_lake == ["00000000-0000-0000-0000-000000000003"]


@pytest.mark.parametrize("step", ["put", "delete", "after put", "after delete", "commit"])
def test_a_killed_run_is_finished_by_the_next(
    stack: Stack, filled: Connection, store: ObjectStore, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed in the hour that is written again after an event came late."""
    write_all(filled, store)
    load(filled, store, 3, START + HOUR, line(6, "cleo", START + HOUR))
    with monkeypatch.context() as patched:
        kill_at(step, patched)
        with pytest.raises(Killed):
            write_all(filled, store)
    if step != "put":
        load(filled, store, 4, START + HOUR, line(7, "dora", START + HOUR))
    write_all(filled, store)
    assert verify_all(filled, store).differences == []
    known = [hour.object_key for hour in hours.all_hours(filled, hours.tables(filled)) if hour.object_key]
    assert sorted(objects(store)) == sorted(known)
    assert write_all(filled, store) == Written()


class Killed(BaseException):
    """No handler of ours catches it."""


def kill_at(step: str, patched: pytest.MonkeyPatch) -> None:
    name = step.rpartition(" ")[2]
    if name == "commit":
        patched.setattr(one_hour, "_enter", killed)
        return
    real = getattr(one_hour, name)

    def call(store: ObjectStore, first: Any, *more: Any) -> None:
        if name == "delete" and not first:
            return
        if step.startswith("after"):
            real(store, first, *more)
        killed()

    patched.setattr(one_hour, name, call)


def killed(*_: object) -> None:
    raise Killed


def test_two_do_not_write_at_a_time(filled: Connection, stack: Stack) -> None:
    def choose(owed: list[hours.LakeHour]) -> list[hours.LakeHour]:
        with stack.warehouse() as other, pytest.raises(AlreadyWriting):
            write_all(other, stack.store)
        return owed

    assert write(filled, stack.store, choose).hours > 0


def test_a_change_while_an_hour_is_written_is_not_lost(filled: Connection, stack: Stack, store: ObjectStore) -> None:
    def then_load(done: Written) -> None:
        if done.hours == 1:
            with stack.warehouse() as other:
                load(other, store, 9, START, line(9, "late", START))

    write(filled, store, lambda owed: owed, then_load)
    assert verify_all(filled, store).waiting > 0
    write_all(filled, store)
    found = verify_all(filled, store)
    assert (found.waiting, found.differences) == (0, [])


@pytest.fixture
def every_type(warehouse: Connection, monkeypatch: pytest.MonkeyPatch) -> Connection:
    """A table with a column of every type that has a rule, and the lake has nothing else."""
    with transaction(warehouse) as cursor:
        cursor.execute("""
            create table every_type (
                id integer not null, at timestamptz not null, name text, flag boolean, large bigint, amount numeric, key uuid,
                nested jsonb, words text[], day date, "a ""quoted"" {} % name" text
            );
            call follow_in_lake('every_type', 'at')
            """)
    model = replace(all_models()["fact_sessions"], name="every_type", lake=InLake("at", ("name", "id")))
    monkeypatch.setattr(hours, "lake_models", lambda: [model])
    return warehouse


def insert(connection: Connection, **values: object) -> None:
    names, said = ", ".join(f'"{name}"' for name in values), ", ".join(["%s"] * len(values))
    with transaction(connection) as cursor:
        cursor.execute(f"insert into every_type ({names}) values ({said})", tuple(values.values()))


def test_every_type_comes_back_whatever_it_holds(every_type: Connection, store: ObjectStore, tmp_path: Path) -> None:
    for number, text in enumerate(HOSTILE):
        nested = json.dumps({"a": [text[:9], None, {"b": 1.50}], text[:9]: True})
        insert(every_type, id=number, at=AT, name=text, nested=nested, words=[text[:9], None, ""])
    largest = Decimal("99999999999999999999999999999999.999999")
    least = largest.copy_negate()
    whole = {"flag": True, "large": -(2**63), "amount": largest, "key": "0" * 31 + "1", "day": date(1, 1, 1)}
    insert(every_type, id=100, at=AT, **whole)
    insert(every_type, id=101, at=AT, flag=False, large=2**63 - 1, amount=least, day=date(9999, 12, 31))
    insert(every_type, id=102, at=AT, amount=Decimal("0.10"), words=[])
    insert(every_type, id=103, at=AT, amount=Decimal("0.1000000000"))
    insert(every_type, id=104, at=AT)
    write_all(every_type, store)
    found = verify_all(every_type, store)
    assert (found.rows, found.differences) == (len(HOSTILE) + 5, [])
    table = "read_parquet('lake/every_type/**/*.parquet')"
    assert dict(read(store, tmp_path, f"select id, name from {table} where id < 100")) == dict(enumerate(HOSTILE))
    typed = f'select "at", flag, large, amount, key, day from {table} where id in (100, 101) order by id'
    assert read(store, tmp_path, typed) == [
        (AT, True, -(2**63), largest, "00000000-0000-0000-0000-000000000001", date(1, 1, 1)),
        (AT, False, 2**63 - 1, least, None, date(9999, 12, 31)),
    ]
    assert read(store, tmp_path, f"select amount, words from {table} where id in (102, 103) order by id") == [
        (Decimal("0.100000"), "[]"),
        (Decimal("0.100000"), None),
    ]
    assert read(store, tmp_path, f"select nested->'a'->>0, words->>0 from {table} where id = 3") == [('"', '"')]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("amount", Decimal("0.1234567")),
        ("amount", Decimal("NaN")),
        ("amount", Decimal(10) ** 40),
        ("day", "infinity"),
        ("day", "-infinity"),
    ],
)
def test_what_has_no_place_in_parquet_stops_its_hour_in_words(
    every_type: Connection, store: ObjectStore, column: str, value: object
) -> None:
    insert(every_type, id=1, at=AT, **{column: value})
    with pytest.raises(CannotWrite, match=r"2026-05-01 07:00 of every_type is not written.*Correct the row"):
        write_all(every_type, store)
    assert objects(store) == {}


def test_a_type_without_a_rule_names_its_column(every_type: Connection) -> None:
    with transaction(every_type) as cursor:
        cursor.execute("alter table every_type add column span tstzrange")
    with pytest.raises(NoSuchType, match="column span of every_type has the type tstzrange"):
        hours.tables(every_type)


def test_other_columns_owe_every_hour(every_type: Connection, store: ObjectStore) -> None:
    insert(every_type, id=1, at=AT)
    write_all(every_type, store)
    with transaction(every_type) as cursor:
        cursor.execute("alter table every_type add column more text")
    assert write_all(every_type, store).hours == 1
    assert verify_all(every_type, store).differences == []


def test_an_hour_that_is_not_over_is_not_written(every_type: Connection, store: ObjectStore) -> None:
    insert(every_type, id=1, at=datetime.now(UTC))
    assert write_all(every_type, store) == Written()


def test_a_warehouse_without_a_lake_has_no_triggers(warehouse: Connection, store: ObjectStore) -> None:
    refresh(warehouse, store)
    assert not hours.has_begun(warehouse)
    with transaction(warehouse) as cursor:
        cursor.execute("select count(*) from pg_trigger where tgfoid = 'note_lake_hours'::regproc")
        assert cursor.fetchone() == (0,)


def test_triggers_follow_the_tables_that_the_yml_names(warehouse: Connection) -> None:
    hours.begin(warehouse)
    hours.begin(warehouse)
    assert hours.has_begun(warehouse)
    with transaction(warehouse) as cursor:
        cursor.execute("""
            select tgrelid::regclass::text, encode(tgargs, 'escape'), tgname::text from pg_trigger
            where tgfoid = 'note_lake_hours'::regproc order by tgname
            """)
        found = cursor.fetchall()
        for model in hours.lake_models():
            assert model.lake
            hour = f"{model.lake.hour}\\000"
            expected = [(hour, f"note_lake_hours_{event}") for event in ("delete", "insert", "truncate", "update")]
            assert [(args or hour, name) for table, args, name in found if table == model.name] == expected
            assert not {"date", "hour"} & set(model.column_names)  # Hive's own
            cursor.execute(
                "select attnotnull from pg_attribute where attrelid = %s::regclass and attname = %s",
                (model.name, model.lake.hour),
            )
            assert cursor.fetchone() == (True,)

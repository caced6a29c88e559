"""What goes into COPY comes out of a real PostgreSQL as it was, whatever it holds."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clickstream_dagster.raw import copy_format, rows
from clickstream_dagster.raw.bodies import Body
from clickstream_dagster.raw.decode import Decoded, decode_object, fingerprint
from clickstream_dagster.raw.objects import RawObject
from clickstream_dagster.settings import Postgres, load_settings
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.connection import Connection, create_database, transaction
from ingest_lambda.contract import Event, Order, OrderItem, Product, Rejection

HOUR = datetime(2026, 3, 14, 15, tzinfo=UTC)
RAW = RawObject("events/2026/03/14/15/event-1.json", "etag", 7, HOUR)
NASTY = [
    "a\tb",
    "a\\b",
    "a\nb\r\nc",
    "\\.",
    "\\N",
    "",
    " ",
    "😀",
    "\\t",
    "'\"",
    "\x7f\x1b",
    "ü\u2028é",
    "{\\",
    "a\\",
    "\\",
]


@pytest.fixture(scope="module")
def warehouse(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    """One for all tests here: none of them leaves a row behind."""
    create_database(postgres, "raw_rows")
    home = load_settings({"CLICKSTREAM_HOME": str(tmp_path_factory.mktemp("home"))})
    with Stack(replace(home, postgres=replace(postgres, database="raw_rows"))).warehouse() as connection:
        yield connection


def _event(**given: Any) -> Event:
    return Event(uuid4(), "page_view", HOUR, HOUR, client_id="c-1", **given)


def _through(connection: Connection, table: str, columns: tuple[str, ...], lines: list[bytes], ask: str) -> list[Any]:
    """COPY into a copy of the table, and read back."""
    with transaction(connection) as cursor:
        cursor.execute(f"create temporary table copied (like {table} including defaults) on commit drop")
        command = f"copy copied ({', '.join(columns)}) from stdin with ({copy_format.OPTIONS})"
        cursor.copy_expert(command, io.BytesIO(b"\n".join(lines)))
        cursor.execute(f"select {ask} from copied")
        return cursor.fetchall()


@pytest.mark.parametrize("text", NASTY)
def test_a_text_comes_back_as_it_was(warehouse: Connection, text: str) -> None:
    decoded = Decoded(RAW, uuid4(), 1, [(1, _event(page_title=text, props={text: [text]}))])
    lines = rows.event_rows(decoded, rows.Seen())
    found = _through(warehouse, "clickstream_events", rows.EVENT_COLUMNS, lines, "page_title, props")
    assert found == [(text, {text: [text]})]


@pytest.mark.parametrize("text", NASTY)
def test_a_rejected_body_comes_back_as_it_was(warehouse: Connection, text: str) -> None:
    decoded = Decoded(RAW, uuid4(), 1, [], [(1, Rejection("invalid_json", text, HOUR, 0, text))])
    lines = rows.reject_rows(decoded)
    assert _through(warehouse, "rejected_events", rows.REJECT_COLUMNS, lines, "message, body") == [(text, text)]


def test_money_flags_times_and_items_come_back_as_they_were(warehouse: Connection) -> None:
    price = Decimal("123456789.123456")
    order = Order("A-1", price, "EUR", items=[OrderItem("p-1", price=price, quantity=2)])
    event = _event(product=Product("p-1", price=price), order=order, is_gpc=True, is_dnt=False, sent_at=HOUR)
    ask = "product_price, order_value, order_items #>> '{0,price}', is_gpc, is_dnt, sent_at, is_first_visit"
    lines = rows.event_rows(Decoded(RAW, uuid4(), 1, [(1, event)]), rows.Seen())
    found = _through(warehouse, "clickstream_events", rows.EVENT_COLUMNS, lines, ask)
    assert found == [(price, price, str(price), True, False, HOUR, None)]


def test_the_columns_are_those_of_the_tables_in_their_order(warehouse: Connection) -> None:
    with transaction(warehouse) as cursor:
        for table, columns in (
            ("clickstream_events", rows.EVENT_COLUMNS),
            ("rejected_events", rows.REJECT_COLUMNS),
            ("raw_objects", rows.OBJECT_COLUMNS),
        ):
            cursor.execute(f"select * from {table} limit 0")
            names = {column.name for column in cursor.description or ()}
            # Of an object that is loaded, nothing has expired yet.
            assert names - set(columns) <= {"loaded_at", "expired_count"}
            assert len(set(columns)) == len(columns) == len(names & set(columns))


def test_the_manifest_line_counts_what_was_received(warehouse: Connection) -> None:
    lines = [rows.object_row(RAW, uuid4(), 2, 1, 1, 0)]
    ask = "line_count, event_count, rejected_count, partition_hour"
    assert _through(warehouse, "raw_objects", rows.OBJECT_COLUMNS, lines, ask) == [(2, 1, 1, HOUR)]


@pytest.mark.parametrize(
    ("name", "order", "key"),
    [
        ("purchase", Order("A-1"), "A-1"),
        ("refund", Order("A-1"), "A-1"),
        ("purchase", None, "event:"),
        ("purchase", Order(value=Decimal(1)), "event:"),
        ("refund", None, None),
        ("page_view", Order("A-1"), None),
    ],
)
def test_purchases_and_refunds_of_one_id_are_one_order(name: str, order: Order | None, key: str | None) -> None:
    event = msgspec.structs.replace(_event(order=order), event_name=name)
    expected = f"event:{event.event_id}" if key == "event:" else key
    assert rows.order_key(event) == expected


@pytest.mark.parametrize(
    ("given", "is_automated"),
    [
        ({}, False),
        ({"user_agent": "Googlebot/2.1"}, False),
        ({"props": {"webdriver": True}}, True),
        ({"props": {}}, False),
    ],
)
def test_a_driven_browser_says_so(warehouse: Connection, given: dict[str, Any], is_automated: bool) -> None:
    lines = rows.event_rows(Decoded(RAW, uuid4(), 1, [(1, _event(**given))]), rows.Seen())
    assert _through(warehouse, "clickstream_events", rows.EVENT_COLUMNS, lines, "is_automated") == [(is_automated,)]


def test_a_retry_has_the_same_fingerprint_and_a_conflict_has_not() -> None:
    event = _event(page_title="a")
    retried = msgspec.structs.replace(event, received_at=HOUR.replace(hour=16), sent_at=HOUR)
    assert fingerprint(event) == fingerprint(retried)
    assert fingerprint(event) != fingerprint(msgspec.structs.replace(event, page_title="b"))


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
_records = st.dictionaries(st.sampled_from(Event.__struct_fields__), _values, max_size=5)
_texts = st.dictionaries(
    st.sampled_from(["page_title", "page_url", "referrer", "search_query", "user_agent", "user_id", "session_id"]),
    st.text(max_size=30),
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(records=st.lists(st.builds(dict.__or__, _records, _texts), min_size=1, max_size=4), time=st.datetimes())
def test_postgresql_takes_every_event_and_reject_that_the_decoder_gives(
    warehouse: Connection, records: list[dict[str, Any]], time: datetime
) -> None:
    base = {"event_name": "page_view", "client_id": "c-1", "event_timestamp": time.isoformat()}
    data = b"\n".join(json.dumps({**base, **record}).encode() for record in records)
    [decoded] = decode_object(Body(RAW, io.BytesIO(data), uuid4()))
    for table, columns, lines in (
        ("clickstream_events", rows.EVENT_COLUMNS, rows.event_rows(decoded, rows.Seen())),
        ("rejected_events", rows.REJECT_COLUMNS, rows.reject_rows(decoded)),
    ):
        assert len(_through(warehouse, table, columns, lines, "1")) == len(lines)

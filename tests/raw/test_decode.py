"""One raw object: whatever its bytes are, every line of it is an event or a reject, and nothing raises."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clickstream_dagster.raw.bodies import Body
from clickstream_dagster.raw.decode import PART_BYTES, PART_LINES, Decoded, decode_object
from clickstream_dagster.raw.lines import MAX_LINE_BYTES
from clickstream_dagster.raw.objects import RawObject
from ingest_lambda import contract
from ingest_lambda.contract import Event, EventWarning, Product, Rejection

HOUR = datetime(2026, 3, 14, 15, tzinfo=UTC)
HOUR_END = datetime(2026, 3, 14, 15, 59, 59, 999999, tzinfo=UTC)
CONTENT_HASH = UUID(int=1)
KEY = "events/2026/03/14/15/event-1.json"
CANONICAL: dict[str, Any] = {
    "event_id": "3f2c8f0e-7c55-4d4e-8a3b-1f6f2a7d9e01",
    "event_name": "page_view",
    "event_timestamp": "2026-03-14T15:09:20Z",
    "received_at": "2026-03-14T15:09:26Z",
    "client_id": "c-1",
}
GOOD = json.dumps(CANONICAL).encode()
# What the older collectors stored: none says when it was received.
CAMEL = {"eventName": "view_product", "userId": "u-1", "sessionId": "s-1", "pageUrl": "/p", "product": {"id": "p"}}
V1 = {"event_id": CANONICAL["event_id"], "ts": "2026-03-14T15:00:00.789Z", "event_type": "view", "anonymous_id": "a-1"}
SNAKE = {"event_name": "page_view", "client_id": "c-1", "event_timestamp": "2026-03-14T15:00:00.789Z"}


def _decode(data: bytes, key: str = KEY) -> Decoded:
    first, *rest = _parts(data, key)
    for part in rest:
        first.line_count += part.line_count
        first.events += part.events
        first.rejects += part.rejects
    return first


def _parts(data: bytes, key: str = KEY) -> list[Decoded]:
    return list(decode_object(Body(RawObject(key, "etag", len(data), HOUR), io.BytesIO(data), CONTENT_HASH)))


def _line(**changed: Any) -> bytes:
    return json.dumps({**CANONICAL, **changed}).encode()


def _codes(decoded: Decoded) -> list[str]:
    assert decoded.line_count == len(decoded.events) + len(decoded.rejects)
    return [rejection.code for _, rejection in decoded.rejects]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty_object"),
        (b"\n \r\n", "empty_object"),
        (b"\xef\xbb\xbf", "empty_object"),
        (gzip.compress(b"", mtime=0), "empty_object"),
        (gzip.compress(GOOD, mtime=0)[:-9], "invalid_gzip"),
        (gzip.compress(GOOD, mtime=0)[:5], "invalid_gzip"),
        (b"\x1f\x8b garbage", "invalid_gzip"),
        (gzip.compress(GOOD, mtime=0) + b"garbage", "invalid_gzip"),
        (gzip.compress(GOOD, mtime=0) + gzip.compress(GOOD, mtime=0)[:-9], "invalid_gzip"),
    ],
)
def test_an_object_that_cannot_be_read_is_one_reject_with_a_next_step(data: bytes, code: str) -> None:
    decoded = _decode(data)
    assert (decoded.line_count, decoded.events, _codes(decoded)) == (1, [], [code])
    assert "under a new key" in decoded.rejects[0][1].message


@pytest.mark.parametrize(
    "data",
    [
        GOOD + b"\n" + GOOD,
        GOOD + b"\r\n" + GOOD + b"\r\n",
        b"\xef\xbb\xbf" + GOOD + b"\n\n" + GOOD + b"\n",
        b"[" + GOOD + b", " + GOOD + b"]",
        b"[\n  " + GOOD + b",\n  " + GOOD + b"\n]\n",
        gzip.compress(GOOD + b"\n" + GOOD, mtime=0),
        gzip.compress(GOOD + b"\n", mtime=0) + gzip.compress(GOOD + b"\n", mtime=0),
        gzip.compress(GOOD + b"\n" + GOOD, mtime=0) + b"\0" * 512,
    ],
)
def test_every_way_to_write_two_events_gives_two_events(data: bytes) -> None:
    decoded = _decode(data)
    assert _codes(decoded) == []
    assert [event.client_id for _, event in decoded.events] == ["c-1", "c-1"]


def test_one_event_over_several_lines_is_one_event() -> None:
    decoded = _decode(json.dumps(CANONICAL, indent=2).encode())
    assert (decoded.line_count, len(decoded.events), _codes(decoded)) == (1, 1, [])


@pytest.mark.parametrize(("record", "visitor"), [(CAMEL, "s-1"), (V1, "a-1"), (SNAKE, "c-1")])
def test_a_line_of_an_older_collector_was_received_at_the_end_of_its_hour(record: dict[str, Any], visitor: str) -> None:
    decoded = _decode(json.dumps(record).encode())
    assert _codes(decoded) == []
    [(number, event)] = decoded.events
    assert (number, event.visitor_id, event.received_at) == (1, visitor, HOUR_END)
    assert event.event_timestamp == (datetime(2026, 3, 14, 15, 0, 0, 789000, UTC) if record is not CAMEL else HOUR_END)


def test_a_line_without_an_id_gets_one_of_its_place_and_the_same_each_time() -> None:
    data = b"\n".join([json.dumps(CAMEL).encode()] * 2)
    first, again = _decode(data), _decode(data)
    ids = [event.event_id for _, event in first.events]
    assert len(set(ids)) == 2
    assert [event.event_id for _, event in again.events] == ids
    assert [event.event_id for _, event in _decode(data, KEY.replace("-1", "-2")).events] != ids


def test_a_poison_line_costs_itself_and_keeps_its_number() -> None:
    decoded = _decode(b"\n".join([GOOD, b"{broken", GOOD, b"17", GOOD]))
    assert [number for number, _ in decoded.events] == [1, 3, 5]
    assert [(number, rejection.code) for number, rejection in decoded.rejects] == [
        (2, "invalid_json"),
        (4, "invalid_event"),
    ]
    assert decoded.rejects[0][1].body == "{broken"


@pytest.mark.parametrize("line", [b'{"event_name": "\xff\xfe"}', b'{"a": "\x00', b"\x00\x01\x02"])
def test_a_line_that_no_text_column_holds_is_kept_as_base64(line: bytes) -> None:
    [(_, rejection)] = _decode(line).rejects
    assert rejection.body_encoding == "base64"
    assert base64.b64decode(rejection.body) == line


@pytest.mark.parametrize("where", ["page_title", "client_id", "props"])
def test_a_nul_escape_becomes_the_replacement_character(where: str) -> None:
    value = {"a\0b": ["\0"]} if where == "props" else "a\0b"
    [(_, event)] = _decode(_line(**{where: value})).events
    assert b"\\u0000" not in contract.encode(event)
    assert "\ufffd" in contract.encode(event).decode()


@pytest.mark.parametrize("price", ["NaN", "Infinity", "-Infinity"])
def test_a_price_that_is_no_json_is_rejected(price: str) -> None:
    line = GOOD[:-1] + b', "product": {"id": "p", "price": ' + price.encode() + b"}}"
    assert _codes(_decode(line)) == ["invalid_json"]


@pytest.mark.parametrize("price", ["1e400", "-1", "1000000000", '"NaN"', '"1e400"'])
def test_a_price_that_no_sum_can_hold_is_set_aside(price: str) -> None:
    line = GOOD[:-1] + b', "product": {"id": "p", "price": ' + price.encode() + b"}}"
    [(_, event)] = _decode(line).events
    assert event.product == Product(id="p")
    assert event.warnings == [EventWarning("invalid_price", "product.price")]
    assert event.props and "price" in event.props["product"]


def test_what_lies_beyond_the_sixth_decimal_is_rounded() -> None:
    [(_, event)] = _decode(GOOD[:-1] + b', "product": {"id": "p", "price": 8.403361344537815}}').events
    assert event.product == Product(id="p", price=Decimal("8.403361"))
    assert not event.warnings


@pytest.mark.parametrize("price", ["0", "19.99", "999999999.999999", '"12.50"', "1e2"])
def test_a_price_keeps_every_digit(price: str) -> None:
    line = GOOD[:-1] + b', "product": {"id": "p", "price": ' + price.encode() + b"}}"
    [(_, event)] = _decode(line).events
    assert event.product
    assert event.product.price == Decimal(price.strip('"'))


@pytest.mark.parametrize("record", [{**CANONICAL, "client_id": None}, {**CANONICAL, "event_id": "no uuid"}, {}, []])
def test_what_the_contract_refuses_is_a_reject(record: Any) -> None:
    decoded = _decode(json.dumps(record).encode() + b"\n" + GOOD)
    assert len(decoded.events) == 1
    assert len(_codes(decoded)) == 1


def test_what_is_personal_in_a_rejected_line_is_not_kept() -> None:
    [(_, rejection)] = _decode(b'{"email": "jane@example.com", broken').rejects
    assert "jane" not in rejection.body


def test_a_long_rejected_line_keeps_its_beginning_and_its_hash() -> None:
    line = b'{"a":"' + b"x" * 200_000
    old = Rejection("invalid_json", "said so", HOUR, 0, line.decode())
    for decoded in (_decode(line), _decode(contract.encode(old), "rejected/2026/03/14/15/rejected-1.json")):
        [(_, kept)] = decoded.rejects
        assert len(kept.body) <= 65_536
        assert (kept.body_bytes, kept.body_sha256) == (len(line), hashlib.sha256(line).hexdigest())


def test_lines_under_rejected_stay_rejects_with_the_reason_they_came_with() -> None:
    refused = Rejection("invalid_price", "price: expected a number", HOUR, 3, '{"price": -1}')
    decoded = _decode(contract.encode(refused) + b"\nbroken\n" + GOOD, "rejected/2026/03/14/15/rejected-1.json")
    assert decoded.events == []
    assert decoded.rejects[0] == (1, refused)
    assert _codes(decoded) == ["invalid_price", "corrupt_rejection", "corrupt_rejection"]


def test_a_large_object_comes_in_parts_that_are_bounded() -> None:
    lines = [_line(page_title="x" * 5_000) for _ in range(PART_LINES)] + [b'{"event_name": "click"}'] * (2 * PART_LINES)
    parts = _parts(b"\n".join(lines))
    assert all(part.line_count <= PART_LINES and part.size <= PART_BYTES + 6_000 for part in parts)
    assert [number for part in parts for number, _ in (*part.events, *part.rejects)] == list(range(1, len(lines) + 1))


def test_a_packed_object_that_breaks_at_its_end_gives_nothing_but_its_reason() -> None:
    data = gzip.compress(b"\n".join([GOOD] * 3 * PART_LINES))
    assert _codes(_decode(data[:-9])) == ["invalid_gzip"]


def test_members_of_a_packed_object_may_end_within_a_line() -> None:
    text = b"\n".join([GOOD] * 50)
    data = b"".join(gzip.compress(text[place : place + 777]) for place in range(0, len(text), 777))
    assert len(_decode(data).events) == 50


def test_a_line_too_long_to_be_held_costs_itself() -> None:
    long = b'{"event_name": "click", "x": "' + b"x" * MAX_LINE_BYTES + b'"}'
    decoded = _decode(b"\n".join([GOOD, long, GOOD]))
    assert _codes(decoded) == ["too_large"]
    assert [number for number, _ in decoded.events] == [1, 3]


def test_a_document_over_several_lines_that_is_too_long_is_one_reject() -> None:
    data = b"[\n" + b",\n".join([GOOD] * (MAX_LINE_BYTES // len(GOOD) + 1)) + b"\n]"
    assert _codes(_decode(data)) == ["too_large"]


_json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_fields = st.sampled_from([*Event.__struct_fields__, "eventName", "ts", "ecom", "page-url", "order_id"])
_records = st.dictionaries(_fields, _json_values, max_size=6)
_mutated = st.builds(lambda changed: {**CANONICAL, **changed}, _records)
_lines = st.one_of(
    st.just(GOOD),
    _records.map(lambda record: json.dumps(record).encode()),
    _mutated.map(lambda record: json.dumps(record).encode()),
    st.binary(max_size=40),
    st.sampled_from([b"", b"[", b"]", b"[" * 2_000, b'{"a":' * 2_000, b"\xef\xbb\xbf", b"NaN", b"1e999", b"1" * 5_000]),
)
_packs: list[Callable[[bytes], bytes]] = [bytes, gzip.compress, lambda data: gzip.compress(data)[:-3]]


def _books(decoded: Decoded) -> None:
    assert decoded.line_count == len(decoded.events) + len(decoded.rejects) >= 1
    numbers = [number for number, _ in (*decoded.events, *decoded.rejects)]
    assert len(set(numbers)) == len(numbers)
    assert all(event.visitor_id for _, event in decoded.events)


@settings(max_examples=300, deadline=None)
@given(data=st.binary(max_size=200), key=st.sampled_from([KEY, "rejected/2026/03/14/15/rejected-1.json"]))
def test_the_books_of_any_bytes_balance(data: bytes, key: str) -> None:
    for packed in (data, gzip.compress(data), b"\x1f\x8b\x08" + data):
        _books(_decode(packed, key))


@settings(max_examples=250, deadline=None)
@given(lines=st.lists(_lines, max_size=8), end=st.sampled_from([b"\n", b"\r\n"]), pack=st.sampled_from(_packs))
def test_the_books_of_any_mixture_of_lines_balance(
    lines: list[bytes], end: bytes, pack: Callable[[bytes], bytes]
) -> None:
    data = end.join(lines)
    decoded = _decode(pack(data))
    _books(decoded)
    if data[:2] == b"\x1f\x8b":  # what begins as gzip is gzip: one reject, or what it unpacks to
        return
    is_list = lines and b"".join(lines).lstrip().removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"["
    if pack is not _packs[2] and not is_list and not any(b"\n" in line or b"\xff" in line for line in lines):
        assert len(decoded.events) >= lines.count(GOOD)

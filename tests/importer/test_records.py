"""The records of a file: every line is an event or a reason, and no line costs another."""

from __future__ import annotations

import contextlib
import gzip
import json
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, cast
from uuid import NAMESPACE_URL, UUID, uuid5

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clickstream_dagster.local.importer.document import Document
from clickstream_dagster.local.importer.encodings import survey
from clickstream_dagster.local.importer.mapping import Field, Mapping, MappingError
from clickstream_dagster.local.importer.opening import ImportFailed
from clickstream_dagster.local.importer.source import Source, surveyed
from ingest_lambda.contract import Event, Reject
from ingest_lambda.dialects.tables import EVENT_NAMESPACE
from support.thorough import examples

FIELDS = Mapping(
    (
        Field("client_id", column="who"),
        Field("event_name", column="what"),
        Field("event_timestamp", column="at"),
        Field("page_title", column="title"),
    )
)
HEADER = b"who,what,at,title\n"
GOOD = b"c-1,page_view,2026-03-01T10:00:00Z,"
EVENT = {"event_name": "page_view", "client_id": "c-1", "event_timestamp": "2026-03-01T10:00:00Z"}
CANONICAL = {**EVENT, "event_id": "3f2c8f0e-7c55-4d4e-8a3b-1f6f2a7d9e01", "page_url": "https://shop.example/"}
CAMEL = {"eventName": "view", "clientId": "c-1", "eventTimestamp": 1772359200000, "product": {"id": "p-1"}}
V1 = {"event_type": "view", "anonymous_id": "c-1", "ts": "2026-03-01T10:00:00.789Z", "ecom": {"product_id": "p-1"}}


class Read(NamedTuple):
    line: bytes
    outcome: Event | Reject


def _csv(folder: Path, *rows: bytes, header: bytes = HEADER) -> list[Read]:
    path = folder / "shop.csv"
    path.write_bytes(header + b"".join(rows))
    return _read(path)


def _read(path: Path) -> list[Read]:
    """As UTF-8, whatever it looks like."""
    document = Document("shop.yml", "", replace(FIELDS, encoding="utf-8"))
    return _records(surveyed(path, document))


def _read_json(path: Path) -> list[Read]:
    return _records(replace(surveyed(path), encoding="utf-8"))


def _records(source: Source) -> list[Read]:
    reader = source.reader()
    pieces = [piece for chunk in source.chunks() for piece in chunk.pieces]
    assert all(isinstance(piece, bytes) for piece in pieces)
    found = [(piece, record.outcome) for piece in pieces for record in reader.read(piece)]
    return [Read(cast(bytes, piece), cast(Event | Reject, outcome)) for piece, outcome in found]


def _ndjson(folder: Path, *lines: bytes) -> list[Read]:
    path = folder / "shop.ndjson"
    path.write_bytes(b"\n".join(lines))
    return _read_json(path)


def _events(records: list[Read]) -> list[Event]:
    assert all(isinstance(record.outcome, Event) for record in records), records
    return [record.outcome for record in records if isinstance(record.outcome, Event)]


@pytest.mark.parametrize(("record", "name"), [(CANONICAL, "page_view"), (CAMEL, "view_product"), (V1, "view_product")])
def test_each_dialect_becomes_the_event_of_the_contract(tmp_path: Path, record: dict[str, object], name: str) -> None:
    [event] = _events(_ndjson(tmp_path, json.dumps(record).encode()))
    assert (event.event_name, event.visitor_id) == (name, "c-1")
    assert event.received_at == event.event_timestamp
    assert f"{event.event_timestamp:%Y-%m-%dT%H:%M:%S}" == "2026-03-01T10:00:00"


def test_an_id_that_is_no_uuid_becomes_the_same_uuid_each_time(tmp_path: Path) -> None:
    lines = [json.dumps({**EVENT, "event_id": name}).encode() for name in ("order-1", "order-2", "order-1")]
    ids = [event.event_id for event in _events(_ndjson(tmp_path, *lines))]
    assert ids == [uuid5(EVENT_NAMESPACE, name) for name in ("order-1", "order-2", "order-1")]


def test_a_uuid_stays_as_it_is(tmp_path: Path) -> None:
    [event] = _events(_ndjson(tmp_path, json.dumps(CANONICAL).encode()))
    assert event.event_id == UUID(str(CANONICAL["event_id"]))


def test_an_event_without_a_time_is_rejected_not_dated_today(tmp_path: Path) -> None:
    [record] = _ndjson(tmp_path, b'{"event_name": "page_view", "client_id": "c-1"}')
    assert isinstance(record.outcome, Reject)
    assert record.outcome.code == "missing_timestamp"


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_byte_order_mark_line_ends_and_gzip_change_nothing(
    tmp_path: Path, bom: bytes, end: bytes, pack: type
) -> None:
    line = json.dumps(EVENT).encode()
    (tmp_path / "a.ndjson").write_bytes(pack(bom + line + end + end + line + end))
    (tmp_path / "b.csv").write_bytes(pack(bom + (HEADER + GOOD + b"t\n").replace(b"\n", end)))
    assert len(_events(_read_json(tmp_path / "a.ndjson"))) == 2
    assert _events(_read(tmp_path / "b.csv"))[0].page_title == "t"


@pytest.mark.parametrize(
    ("cell", "title"),
    [
        (b'"two\nlines"', "two\nlines"),
        (b'"two\r\nlines, and ""more"""', 'two\r\nlines, and "more"'),
        (b'5" screen', '5" screen'),
        (b'"a" b', "a b"),
        (b'""', None),
        (b"", None),
    ],
)
def test_quotes_and_newlines_in_a_cell(tmp_path: Path, cell: bytes, title: str | None) -> None:
    events = _events(_csv(tmp_path, GOOD + cell + b"\n", GOOD + b"next\n"))
    assert [event.page_title for event in events] == [title, "next"]


@pytest.mark.parametrize(
    "broken",
    [b'c-1,page_view,2026-03-01T10:00:00Z,"never closed\n', b"too,few\n", b"a,b,c,d,e\n", b"\xff,page_view,x,y\n"],
)
def test_a_broken_row_costs_itself_and_no_other(tmp_path: Path, broken: bytes) -> None:
    good = GOOD + b'5" of it\n'
    records = _csv(tmp_path, good, broken, good, good)
    assert [isinstance(record.outcome, Event) for record in records] == [True, False, True, True]
    assert records[1].line == broken
    assert isinstance(records[1].outcome, Reject)
    assert records[1].outcome.code == "invalid_row"


def test_a_quote_that_nothing_closes_costs_one_row_of_a_long_file(tmp_path: Path) -> None:
    records = _csv(tmp_path, GOOD + b'"open\n', *[GOOD + b"t\n"] * 3_000)
    assert len(records) == 3_001
    assert [isinstance(record.outcome, Event) for record in records[:2]] == [False, True]


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (b"", "is empty"),
        (b"\n", "its columns are c-1"),
        (b'"who,what\n', "nothing closes"),
        (b"\xff\xfew\n", "its columns are w"),
    ],
)
def test_a_header_that_cannot_be_read_is_refused(tmp_path: Path, header: bytes, said: str) -> None:
    with pytest.raises((ImportFailed, MappingError), match=said):
        _csv(tmp_path, GOOD + b"t\n", header=header) if header else _csv(tmp_path, header=b"")


def test_a_whole_gzip_passes_the_check_and_a_cut_one_does_not(tmp_path: Path) -> None:
    path = tmp_path / "shop.ndjson.gz"
    packed = gzip.compress(b"x\n" * 50_000)
    path.write_bytes(packed + packed)
    survey(path)
    path.write_bytes(packed + packed[:-1])
    with pytest.raises(ImportFailed, match="Get the file again"):
        survey(path)


@settings(max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.sampled_from([GOOD + b"t\n", b"broken\n", GOOD + b'"open\n', GOOD + b'"a\nb"\n', b"\n"])))
def test_every_good_row_is_kept_whatever_stands_between(tmp_path: Path, rows: list[bytes]) -> None:
    records = _csv(tmp_path, *rows)
    titles = [record.outcome.page_title for record in records if isinstance(record.outcome, Event)]
    assert b"".join(record.line for record in records) == b"".join(row for row in rows if row.strip())
    assert titles.count("t") >= rows.count(GOOD + b"t\n") - 2 * rows.count(GOOD + b'"open\n')


@settings(max_examples=examples(100), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=300))
def test_no_bytes_make_a_file_raise_anything_but_our_own_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "any"
    path.write_bytes(content)
    for read in (_read_json, _read):
        with contextlib.suppress(ImportFailed, MappingError):
            assert all(isinstance(record.outcome, Event | Reject) for record in read(path))


def test_the_times_of_a_file_stay_and_the_wrong_one_is_named() -> None:
    future, past, plain, old = _read_json(Path(__file__).parent / "cases" / "received.ndjson")
    for read, said in ((future, "received_at: 2099-01-01"), (past, "received_at: 1999-01-01")):
        assert isinstance(read.outcome, Reject)
        assert read.outcome.message.startswith(said)
    [first, last] = _events([plain, old])
    assert f"{first.event_timestamp:%Y-%m-%d}" == "2026-11-20"
    assert (f"{last.event_timestamp:%Y-%m-%d}", f"{last.received_at:%Y-%m-%d}") == ("2023-11-20", "2026-11-20")
    assert last.time_source == "client"


def test_the_namespace_of_ids_is_not_a_public_one() -> None:
    assert EVENT_NAMESPACE != NAMESPACE_URL


TWO = [EVENT, {**EVENT, "client_id": "c-2"}]
JSON_FILES = {
    "one a line": "\n".join(map(json.dumps, TWO)),
    "an array": json.dumps(TWO),
    "an array over lines": json.dumps(TWO, indent=2),
    "objects over lines": "\n".join(json.dumps(event, indent=2) for event in TWO),
    "a line and an object over lines": json.dumps(TWO[0], indent=2) + "\n" + json.dumps(TWO[1]),
    "a list in an object": json.dumps({"sent_at": "2026-03-01T10:00:01Z", "events": TWO}),
    "a list in an object over lines": json.dumps({"events": TWO}, indent=2),
    "calls of a batch": json.dumps(
        {
            "batch": [
                {"type": "page", "anonymousId": event["client_id"], "timestamp": event["event_timestamp"]}
                for event in TWO
            ]
        }
    ),
}


@pytest.mark.parametrize("text", JSON_FILES.values(), ids=JSON_FILES.keys())
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_events_however_they_are_printed(tmp_path: Path, text: str, encoding: str) -> None:
    (tmp_path / "events.json").write_bytes(text.encode(encoding))
    found = _events(_records(surveyed(tmp_path / "events.json")))
    assert [(event.event_name, event.client_id) for event in found] == [("page_view", "c-1"), ("page_view", "c-2")]


def test_what_stands_beside_a_list_is_said_of_each_of_its_events(tmp_path: Path) -> None:
    views = [{"name": "page_view", "params": {"page_title": title}} for title in ("a", "b")]
    body = json.dumps({"client_id": "1.2", "timestamp_micros": 1772445600000000, "events": views})
    found = _events(_ndjson(tmp_path, body.encode(), json.dumps(EVENT).encode()))
    assert [(event.client_id, event.page_title) for event in found] == [("1.2", "a"), ("1.2", "b"), ("c-1", None)]


def test_lines_that_end_as_on_an_old_mac(tmp_path: Path) -> None:
    for encoding in ("utf-8", "utf-16", "cp1252"):
        (tmp_path / "shop.csv").write_bytes(
            f'{HEADER.decode()}{GOOD.decode()}"é"\n'.replace("\n", "\r").encode(encoding)
        )
        [read] = _records(surveyed(tmp_path / "shop.csv", Document("shop.yml", "", FIELDS)))
        assert _events([read])[0].page_title == "é"


@pytest.mark.parametrize("who", ["1.23457E+11", "1,23457E+11", "4E+12"])
def test_an_id_that_excel_has_rounded_is_refused(tmp_path: Path, who: str) -> None:
    row = GOOD.replace(b"c-1", f'"{who}"'.encode())
    good, broken = _csv(tmp_path, GOOD + b"4E+12\n", row + b"t\n")
    assert isinstance(good.outcome, Event)
    assert isinstance(broken.outcome, Reject)
    assert "what Excel makes of a long number" in broken.outcome.message

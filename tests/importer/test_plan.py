"""The short way of the importer, and its processes, against the long way in one process: the same bytes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from obstore.store import MemoryStore

from clickstream_dagster.local.importer import work
from clickstream_dagster.local.importer.csv_reader import CsvReader
from clickstream_dagster.local.importer.document import Document, read_document
from clickstream_dagster.local.importer.source import Source, surveyed
from clickstream_dagster.local.importer.status import LeftOut
from clickstream_dagster.local.importer.store import store_source
from clickstream_dagster.raw.bodies import read
from clickstream_dagster.raw.objects import list_all
from ingest_lambda import contract
from ingest_lambda.contract import Event, Reject
from support.thorough import examples

MAPPING = """
columns:
  event_name: {column: what, values: {view: view, Kauf: purchase}}
  event_timestamp: {column: at, format: ["%Y-%m-%d %H:%M:%S UTC", "%d.%m.%Y %H:%M"]}
  client_id: who
  user_id: user
  product.id: product
  product.name: title
  product.price: price
  quantity: pieces
  order.id: order
  order.value: total
  page_url: page
  is_first_visit: first
  geo.country: land
  props.note: note
  props.first_name: name
  props.telephone: phone
constants: {currency: EUR, props.origin: shop export}
time_zone: Europe/Berlin
leave_out: {state: void}
refund: {amount: back, when: {state: refunded}}
"""
#: What shops write into these columns, the odd among the usual.
CELLS = {
    "what": ["view", "page_view", "add_to_cart", "Kauf", "purchase", "refund", "Page View", ""],
    "at": ["2026-03-01 10:00:00 UTC", "2026-03-01 10:00:00.250 UTC", "29.03.2026 2:30", "25.10.2026 02:30", "soon", ""],
    "who": ["c-1", " c-1 ", "NULL", "ann@mail.example", "0", "", "79261234567", "192.0.2.7"],
    "user": ["u-1", "guest", "", "x" * 300],
    "product": ["p-1", "", "4111111111111111", "none"],
    "title": ["Mäuse & Männer", 'quoted ""name""', "call +49 30 1234567", "x" * 600, "\x00", "\u200b", ""],
    "price": ["9.99", "1,234.50", "-3", "€ 5", "8.403361344537815", "free", "0", ""],
    "pieces": ["1", "2.0", "1.5", "0", "-1", ""],
    "order": ["o-1", " o-1", "null", ""],
    "total": ["10", "-10", ""],
    "page": ["https://shop.example/p?email=ann@mail.example", "https://shop.example/?token=abcdefghijklmnop", "/p", ""],
    "first": ["yes", "0", "vielleicht", ""],
    "land": ["de", "Germany", ""],
    "note": ["192.0.2.7", "4111 1111 1111 1111", "two, words", "\\ud83d", ""],
    "name": ["Ann", ""],
    "phone": ["+49 30 1234567", "", "", ""],
    "state": ["paid", "refunded", "void", ""],
    "back": ["", "2.50", "all of it"],
}
ROW = st.tuples(*(st.sampled_from(cells) for cells in CELLS.values()))


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Document:
    path = tmp_path_factory.mktemp("mapping") / "shop.yml"
    path.write_text(MAPPING)
    return read_document(path)


def written(path: Path, rows: list[tuple[str, ...]]) -> Path:
    lines = [",".join(f'"{cell}"' if set(cell) & set(',"') else cell for cell in row) for row in rows]
    path.write_text("\n".join([",".join(CELLS), *lines]) + "\n", newline="")
    return path


def both(source: Source) -> list[tuple[bytes, bytes]]:
    """What comes out of each piece by the short way and by the long one."""
    assert source.document
    assert source.layout
    short = CsvReader(source.document.mapping, source.layout)
    long = CsvReader(source.document.mapping, source.layout, is_short=False)
    assert short.plan
    pieces = [piece for chunk in source.chunks() for piece in chunk.pieces]
    return [(told(short, piece), told(long, piece)) for piece in pieces]


def told(reader: CsvReader, piece: object) -> bytes:
    found = [_told(*record) for record in reader.read(piece)]  # type: ignore[arg-type]
    return b"\n".join(found)


def _told(outcome: Event | Reject | LeftOut, digest: bytes) -> bytes:
    if isinstance(outcome, Event):
        return contract.encode(outcome) + digest
    return (outcome.why if isinstance(outcome, LeftOut) else f"{outcome.code}: {outcome.message}").encode()


@settings(max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(ROW, min_size=1, max_size=20))
def test_the_short_way_makes_the_same_bytes(document: Document, tmp_path: Path, rows: list[tuple[str, ...]]) -> None:
    for short, long in both(surveyed(written(tmp_path / "shop.csv", rows), document)):
        assert short == long


def test_each_odd_cell_alone_makes_the_same_bytes(document: Document, tmp_path: Path) -> None:
    usual = [cells[0] for cells in CELLS.values()]
    rows = [
        tuple(cell if place == at else kept for at, kept in enumerate(usual))
        for place, cells in enumerate(CELLS.values())
        for cell in cells
    ]
    found = both(surveyed(written(tmp_path / "shop.csv", rows), document))
    assert [pair for pair in found if pair[0] != pair[1]] == []
    kinds = ('"event_name":"purchase"', '"event_name":"refund"', "invalid_", "state: void")
    assert [kind for kind in kinds if not any(kind.encode() in short for short, _ in found)] == []


def stored(source: Source) -> dict[str, bytes]:
    store = MemoryStore()
    store_source(store, source)
    return {body.raw.key: body.file.read() for body in read(store, sorted(list_all(store)))}


def test_processes_store_the_same_objects(document: Document, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = [cells[0] for cells in CELLS.values()]
    rows = [(*usual[:1], f"2026-03-{1 + number % 28:02} 10:00:00 UTC", *usual[2:]) for number in range(9_000)]
    rows[0] = (*usual[:1], "soon", *usual[2:])  # refused before there is an event
    rows[5_000] = (*usual[:1], "soon", *usual[2:])
    source = surveyed(written(tmp_path / "shop.csv", rows), document)
    monkeypatch.setattr(work, "LARGE_BYTES", 10**9)
    alone = stored(source)
    monkeypatch.setattr(work, "LARGE_BYTES", 1)
    monkeypatch.setattr(work.os, "cpu_count", lambda: 2)
    assert stored(source) == alone
    assert len(alone) == 28 + 2

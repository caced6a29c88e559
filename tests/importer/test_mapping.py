"""Mapping files: what they may say, and what each saying makes of a row."""

from __future__ import annotations

import contextlib
import re
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from clickstream_dagster.local.importer.cells import Cells
from clickstream_dagster.local.importer.csv_reader import make_record
from clickstream_dagster.local.importer.document import read_mapping
from clickstream_dagster.local.importer.mapping import Mapping, MappingError, check_columns
from clickstream_dagster.local.importer.times import read_time
from ingest_lambda.contract import Reject

BASE = "columns:\n  client_id: who\n  event_name: what\n  event_timestamp: at\n"
ROW = {"who": " c-1 ", "what": "cart", "at": "2026-03-01", "price": "", "note": "a: b"}

REFUSED = {
    "not text": (b"\xff\xfe", "Cannot read the mapping"),
    "a tab": (b"columns:\n\tclient_id: who\n", "Cannot read the mapping"),
    "a list": (b"- columns\n", "has no 'columns:'"),
    "columns that are a list": (b"columns: [client_id]\n", "has no 'columns:'"),
    "half a field": (b"  product: x\n", "product is no field"),
    "an unknown part": (b"  product.colour: x\n", "product.colour is no field"),
    "a list field": (b"  order.items: x\n", "order.items is no field"),
    "a field of the pipeline": (b"  time_source: x\n", "time_source is no field"),
    "a column and a value": (b"  currency: {column: x, value: EUR}\n", "currency takes"),
    "neither": (b"  currency: {}\n", "currency takes"),
    "an unknown word": (b"  currency: {column: x, colum: y}\n", "currency takes"),
    "nothing": (b"  currency:\n", "currency takes"),
    "an empty value": (b"  currency: {value: }\n", "currency takes"),
    "a list of values": (b"  currency: {column: x, values: [EUR]}\n", "currency takes"),
}


def apply(mapping: Mapping, row: dict[str, str]) -> dict[str, object]:
    places = {name: place for place, name in enumerate(row)}
    return make_record(Cells(mapping, ".", "UTC"), mapping.fields, places, list(row.values()))


def _mapping(folder: Path, more: str | bytes = "") -> Path:
    text = more if isinstance(more, bytes) else more.encode()
    path = folder / "mapping.yml"
    path.write_bytes(BASE.encode() + text if text.startswith(b"  ") else text or BASE.encode())
    return path


@pytest.mark.parametrize(("text", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_a_mapping_that_cannot_be_used_is_refused_in_one_line(tmp_path: Path, text: bytes, said: str) -> None:
    with pytest.raises(MappingError) as refused:
        read_mapping(_mapping(tmp_path, text))
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("missing", ["client_id", "event_name", "event_timestamp"])
def test_a_mapping_without_what_every_event_needs_is_refused(tmp_path: Path, missing: str) -> None:
    path = tmp_path / "mapping.yml"
    path.write_text("".join(line for line in BASE.splitlines(keepends=True) if missing not in line))
    with pytest.raises(MappingError, match=f"no column for {missing}.*every event needs it"):
        read_mapping(path)


@pytest.mark.parametrize(
    ("more", "path", "value"),
    [
        ("  user_id: note\n", ("user_id",), "a: b"),
        ("  currency: {value: EUR}\n", ("currency",), "EUR"),
        ("  quantity: {value: 2}\n", ("quantity",), "2"),
        ("  product.id: note\n", ("product", "id"), "a: b"),
        ("  order.id: {column: what, values: {cart: c}}\n", ("order", "id"), "c"),
        ("  order.id: {column: what, values: {view: v}}\n", ("order", "id"), "cart"),
        ("  sent_at: {column: at, format: '%Y-%m-%d'}\n", ("sent_at",), "2026-03-01T00:00:00+00:00"),
        ("  props.note: note\n", ("props", "note"), "a: b"),
        ("  props.a.b: note\n", ("props", "a.b"), "a: b"),
    ],
)
def test_each_way_to_fill_a_field(tmp_path: Path, more: str, path: tuple[str, ...], value: str) -> None:
    found = apply(read_mapping(_mapping(tmp_path, more)), ROW)
    for name in path:
        found = found[name]  # type: ignore[assignment, index]
    assert found == value


def test_an_empty_cell_is_an_absent_field(tmp_path: Path) -> None:
    fields = read_mapping(_mapping(tmp_path, "  product.price: price\n"))
    assert apply(fields, ROW) == {"client_id": "c-1", "event_name": "cart", "event_timestamp": "2026-03-01"}


def test_a_time_of_another_format_rejects_its_row(tmp_path: Path) -> None:
    fields = read_mapping(_mapping(tmp_path, "  sent_at: {column: at, format: '%d.%m.%Y'}\n"))
    with pytest.raises(Reject) as rejected:
        apply(fields, ROW)
    assert rejected.value.code == "invalid_timestamp"


def test_a_column_that_the_file_lacks_is_named_with_those_it_has(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match="has no column at, what; its columns are who, when"):
        check_columns(read_mapping(_mapping(tmp_path)), ["who", "when"], Path("shop.csv"))


FORMATS = (
    "%Y-%m-%d %H:%M:%S UTC",
    "%d.%m.%Y",
    "%m/%d/%Y %H:%M",
    "%Y%m%d%H%M%S",
    "%y-%m-%d",
    "%d %b %Y",
    "%Y-%m-%d %I:%M %p",
)


@pytest.mark.parametrize("one", FORMATS)
@pytest.mark.parametrize("moment", [datetime(2026, 3, 9, 4, 5, 6), datetime(1999, 12, 31, 23, 59, 59)])
def test_a_format_means_what_it_means_in_python(one: str, moment: datetime) -> None:
    text = moment.strftime(one)
    for said in (text, text.replace("03", "3").replace("09", "9"), text.replace(" ", "  ")):
        with contextlib.suppress(ValueError):
            wanted = datetime.strptime(said, one).replace(tzinfo=UTC).isoformat()
            assert read_time(said, "event_timestamp", (one,), ZoneInfo("UTC")) == wanted


@pytest.mark.parametrize("text", ["2026-02-30", "2026-13-01", "٢٠٢٦-01-01", "2026-1-1 ", "2026-01-01T", "26-01-01"])
def test_a_time_that_is_none_by_its_format_is_refused_as_python_does(text: str) -> None:
    try:
        wanted: str | None = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).isoformat()
    except ValueError:
        wanted = None
    try:
        assert read_time(text, "event_timestamp", ("%Y-%m-%d",), ZoneInfo("UTC")) == wanted
    except Reject:
        assert wanted is None


def test_the_mappings_of_the_documentation_can_be_used(tmp_path: Path) -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "imports.md").read_text()
    examples = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    orders = read_mapping(_mapping(tmp_path, examples[1]))
    assert len(examples) == 2
    assert {field.path: field.value for field in orders.fields if field.value} == {
        "event_name": "purchase",
        "order.currency": "EUR",
    }
    assert orders.leave_out
    assert orders.refund
    assert read_mapping(_mapping(tmp_path, examples[0])).columns >= {"event_type", "event_time", "user_id"}

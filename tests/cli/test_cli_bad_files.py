"""What `clickstream import` refuses: one sentence with the next step, a failing exit code, and nothing stored."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from cli_command import Command

EVENT = b'{"event_name": "page_view", "client_id": "c-1", "event_timestamp": "2026-03-01T10:00:00Z"}\n'
CSV = b"who,what,at\nc-1,page_view,2026-03-01T10:00:00Z\n"
MAP = "columns: {client_id: who, event_name: what, event_timestamp: at}\n"

BAD_FILES = {
    "not there": (None, "There is no file", "Check the path"),
    "empty": (b"", "holds no events", "Check that it is the file"),
    "blank lines": (b"\n \n\n", "holds no events", "Check that it is the file"),
    "no JSON": (b"hello\nworld\n", "None of the first 2 lines", "one JSON event on each line"),
    "an array over lines": (b"[\n1,\n2]\n", "None of the first 2 lines", "one JSON event on each line"),
    "gzip cut in its first line": (gzip.compress(EVENT)[:40], "not whole gzip", "Get the file again"),
    "gzip cut far behind": (gzip.compress(EVENT * 9_000, 0)[:-9], "not whole gzip", "Get the file again"),
    "gzip of nonsense": (b"\x1f\x8b" + b"\x08nonsense" * 9, "not whole gzip", "Get the file again"),
}
BAD_MAPPINGS = {
    "not there": (None, "No such file", "Give --map a YAML file"),
    "not YAML": ("columns: {a: [", "Cannot read the mapping", "Give --map a YAML file"),
    "no columns": ("fields: {}\n", "has no 'columns:'", "clickstream import -h"),
    "an unknown field": (MAP[:-2] + ", product.colour: what}", "product.colour is no field", "Use one of"),
    "no time": ("columns: {client_id: who, event_name: what}", "no column for event_timestamp", "every event needs it"),
    "an absent column": (MAP.replace("who", "whom"), "has no column whom", "its columns are who, what, at"),
    "a wrong time format": (
        MAP.replace("at}", "{column: at, format: '%d.%m.%Y'}}"),
        "None of the first",
        "another mapping",
    ),
}


@pytest.mark.parametrize(("content", "said", "step"), BAD_FILES.values(), ids=BAD_FILES.keys())
def test_a_file_that_cannot_be_imported_is_refused_whole(
    clickstream: Command, tmp_path: Path, content: bytes | None, said: str, step: str
) -> None:
    path = tmp_path / "events.ndjson"
    if content is not None:
        path.write_bytes(content)
    sentence = clickstream("import", path).sentence
    assert said in sentence
    assert step in sentence
    assert clickstream.stored() == []


@pytest.mark.parametrize(("mapping", "said", "step"), BAD_MAPPINGS.values(), ids=BAD_MAPPINGS.keys())
def test_a_mapping_that_cannot_be_used_is_refused_before_anything_is_stored(
    clickstream: Command, tmp_path: Path, mapping: str | None, said: str, step: str
) -> None:
    (tmp_path / "events.csv").write_bytes(CSV)
    if mapping is not None:
        (tmp_path / "mapping.yml").write_text(mapping)
    sentence = clickstream("import", "events.csv", "--map", "mapping.yml").sentence
    assert said in sentence
    assert step in sentence
    assert clickstream.stored() == []


def test_a_folder_is_refused_with_the_way_to_name_its_files(clickstream: Command, tmp_path: Path) -> None:
    (tmp_path / "events").mkdir()
    assert "events is a folder. Name the files in it, as in events/*.json." in clickstream("import", "events").sentence


@pytest.mark.parametrize("name", ["shop.csv", "shop.CSV", "shop.csv.gz"])
def test_a_csv_without_a_mapping_is_refused(clickstream: Command, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(gzip.compress(CSV) if name.endswith("gz") else CSV)
    assert "--map mapping.yml" in clickstream("import", name).sentence
    assert clickstream.stored() == []


def test_a_csv_whose_header_is_not_text_is_refused(clickstream: Command, tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_bytes(b"who,what,at\xff\n")
    (tmp_path / "mapping.yml").write_text(MAP + "encoding: utf-8\n")
    assert "CSV in UTF-8" in clickstream("import", "events.csv", "--map", "mapping.yml").sentence


def test_one_bad_file_among_good_ones_stops_the_import_before_the_good_ones(
    clickstream: Command, tmp_path: Path
) -> None:
    (tmp_path / "good.ndjson").write_bytes(EVENT)
    (tmp_path / "bad.ndjson").write_bytes(gzip.compress(EVENT)[:-4])
    assert "bad.ndjson is not whole gzip" in clickstream("import", "good.ndjson", "bad.ndjson").sentence
    assert clickstream.stored() == []


def test_a_broken_line_costs_itself_and_is_kept_with_its_reason(clickstream: Command, tmp_path: Path) -> None:
    (tmp_path / "events.ndjson").write_bytes(b'{"event_name": "page_view", broken\n' + EVENT + EVENT)
    done = clickstream("import", "events.ndjson", "--allow-refused")
    assert (done.code, done.err) == (0, "")
    assert "2 events" in done.out
    assert "1 rejected: invalid_json" in done.out
    [good, kept] = clickstream.stored()
    assert good.startswith("events/2026/03/01/10/import-")
    assert kept.startswith("rejected/2026/03/01/10/import-")
    rejection = json.loads(gzip.decompress((clickstream.home / "raw" / kept).read_bytes()))
    assert (rejection["code"], rejection["body"]) == ("invalid_json", '{"event_name": "page_view", broken')


@pytest.mark.parametrize("environ", [{"CLICKSTREAM_FIRST_HOUR": "2026-06-01T00:00Z"}, {"DW_PG_HOST": "db.invalid"}])
def test_where_the_first_hour_is_set_by_hand_the_import_says_what_to_set(
    clickstream: Command, tmp_path: Path, environ: dict[str, str]
) -> None:
    (tmp_path / "events.ndjson").write_bytes(EVENT.replace(b"2026-03", b"2025-03"))
    done = clickstream("import", "events.ndjson", **environ)
    assert done.code == 0
    assert "Set CLICKSTREAM_FIRST_HOUR=2025-03-01T10:00Z" in done.out
    assert not (clickstream.home / "first_hour").exists()

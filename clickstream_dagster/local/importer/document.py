"""A mapping as it is written: a YAML file, of the user or one of ours (`ready/`).

columns:
  event_name: {column: event_type, values: {view: view_product, cart: add_to_cart}}
  event_timestamp: {column: event_time, format: "%Y-%m-%d %H:%M:%S UTC"}
  client_id: user_id
  product.price: price
constants: {currency: EUR}
time_zone: Europe/Berlin
"""

from __future__ import annotations

import codecs
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from clickstream_dagster.local.importer.conditions import read_conditions
from clickstream_dagster.local.importer.mapping import LINE, PATHS, REQUIRED, VISITORS, Field, Mapping, MappingError
from ingest_lambda.fields import ITEM_FIELDS

READY = Path(__file__).with_name("ready")
_OPTIONS = {
    *("columns", "constants", "order_lines", "delimiter", "decimal", "encoding", "skip_lines", "time_zone"),
    *("time_formats", "booleans", "leave_out", "refund"),
}
_OF_A_REFUND = {"amount": "order.value", "time": "event_timestamp"}
_ENTRY = {"column", "value", "values", "format", "optional"}
_ZONE_NAME = re.compile(r"(?<!%)(?:%%)*%Z")
_NUMBER = re.compile(r"[0-9]{1,6}")
_DELIMITERS = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}


@dataclass(frozen=True)
class Document:
    """A mapping, what it is called, and its words without their layout, which say whether two are the same."""

    name: str
    content: str
    mapping: Mapping


def ready_names() -> list[str]:
    """The mappings that come with the package."""
    return sorted(file.stem for file in READY.glob("*.yml"))


def ready(name: str) -> Document:
    """One of them."""
    document = read_document(READY / f"{name}.yml")
    return Document(name, document.content, document.mapping)


def read_mapping(path: Path) -> Mapping:
    """The mapping in a file. Raises `MappingError`."""
    return read_document(path).mapping


def read_document(path: Path) -> Document:
    """The mapping in a file, with its name. Raises `MappingError`."""
    try:
        # Every word stays the text that it is: in YAML 1.1, NO would be false, and so Norway.
        document = yaml.load(path.read_text(encoding="utf-8-sig"), Loader=yaml.BaseLoader)  # noqa: S506 - makes texts only
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        said = " ".join(str(getattr(error, "strerror", None) or error).split())
        raise MappingError(f"Cannot read the mapping {path}: {said}. Give --map a YAML file in UTF-8.") from error
    content = json.dumps(document, sort_keys=True)
    columns = document.get("columns") if isinstance(document, dict) else None
    if not isinstance(columns, dict) or not columns:
        raise MappingError(f"{path} has no 'columns:'. See an example with: clickstream import -h")
    if unknown := sorted(set(document) - _OPTIONS):
        raise MappingError(f"{path}: {unknown[0]} is no word of a mapping. Use {', '.join(sorted(_OPTIONS))}.")
    return Document(path.name, content, _mapping(document, path))


def _mapping(document: dict[str, Any], file: Path) -> Mapping:
    fields = [_field(str(name), entry, file) for name, entry in document["columns"].items()]
    fields += [_constant(name, value, file) for name, value in _table(document, "constants", file).items()]
    lines = [_line(name, entry, file) for name, entry in _table(document, "order_lines", file).items()]
    known = {field.path for field in fields}
    missing = [name for name in REQUIRED if name not in known]
    if not known & set(VISITORS):
        missing.append(" or ".join(VISITORS))
    if lines and not any(field.path == "order.id" and field.column for field in fields):
        missing.append("order.id (order_lines are those of one order)")
    if missing:
        raise MappingError(
            f"{file} gives no column for {', '.join(missing)}; every event needs it. What is the same for all rows "
            "is a constant, as constants: {event_name: purchase}."
        )
    said: dict[str, Any] = {name: check(document[name], file) for name, check in _CHECKS.items() if name in document}
    refund = _table(document, "refund", file)
    return Mapping(
        tuple(fields),
        tuple(lines),
        booleans=_booleans(document, file),
        leave_out=read_conditions(document.get("leave_out"), "leave_out", file),
        refund=_refund(refund, file),
        refund_when=read_conditions(refund.get("when"), "refund: when", file),
        **said,
    )


def _table(document: dict[str, Any], name: str, file: Path) -> dict[str, Any]:
    table = document.get(name, {})
    if not isinstance(table, dict):
        raise MappingError(f"{file}: {name} takes names and what they mean, as {{name: …}}.")
    return table


def _booleans(document: dict[str, Any], file: Path) -> dict[str, bool] | None:
    words: dict[str, bool] = {}
    for name, said in _table(document, "booleans", file).items():
        if name not in ("true", "false"):
            raise MappingError(f"{file}: booleans takes {{true: [ja], false: [nein]}}.")
        words.update(dict.fromkeys(map(str.lower, [said] if isinstance(said, str) else said), name == "true"))
    return words or None


def _constant(path: str, value: Any, file: Path) -> Field:
    return _field(path, {"value": value}, file)


def _refund(said: dict[str, Any], file: Path) -> dict[str, Field]:
    if unknown := sorted(said.keys() - {*_OF_A_REFUND, "when"}):
        raise MappingError(f"{file}: {unknown[0]} is no part of a refund. Use amount, time or when.")
    return {name: _entry(path, said[name], file) for name, path in _OF_A_REFUND.items() if name in said}


def _line(name: str, entry: Any, file: Path) -> Field:
    if name not in ITEM_FIELDS:
        raise MappingError(
            f"{file}: {name} is no part of a line of an order. Use one of {', '.join(sorted(ITEM_FIELDS))}."
        )
    return _entry(LINE + name, entry, file)


def _field(path: str, entry: Any, file: Path) -> Field:
    if path not in PATHS and not path.startswith("props."):
        raise MappingError(
            f"{file}: {path} is no field of an event. Use one of {', '.join(sorted(PATHS - {'props'}))}, or props.… "
            "(docs/events.md lists them)."
        )
    return _entry(path, entry, file)


def _entry(path: str, entry: Any, file: Path) -> Field:
    if isinstance(entry, str) and entry:
        return Field(path, column=entry)
    if not isinstance(entry, dict) or not _is_entry(entry):
        raise MappingError(
            f"{file}: {path} takes a column name, or {{column: …, values: {{…}}, format: …}}, or {{value: …}}."
        )
    return Field(
        path,
        column=entry.get("column"),
        value=entry.get("value"),
        values=entry.get("values"),
        formats=_formats(entry.get("format", []), file),
        is_optional=entry.get("optional") == "true",
    )


def _is_entry(entry: dict[str, Any]) -> bool:
    texts = [entry[name] for name in ("column", "value") if name in entry]
    sources = [name for name in ("column", "value") if name in entry]
    words = entry.get("values", {})
    is_table = isinstance(words, dict) and all(isinstance(word, str) for word in words.values())
    is_plain = all(isinstance(text, str) and text for text in texts)
    return set(entry) <= _ENTRY and len(sources) == 1 and is_plain and is_table


def _formats(said: Any, file: Path) -> tuple[str, ...]:
    formats = tuple([said] if isinstance(said, str) else said)
    if named := [one for one in formats if _ZONE_NAME.search(one)]:
        raise MappingError(
            f"{file}: the %Z of {named[0]!r} is read differently on each machine, since EST is the name of several zones. "
            f"Write that name itself instead of %Z, and time_zone: America/New_York (or the zone that is meant) beside it; "
            "or %z where the file has offsets such as +0100."
        )
    return formats


def _delimiter(said: Any, file: Path) -> str:
    delimiter = _DELIMITERS.get(str(said).lower(), str(said))
    if len(delimiter) != 1 or delimiter in '"\r\n':
        raise MappingError(f"{file}: delimiter takes one character, as ';', or tab.")
    return delimiter


def _decimal(said: Any, file: Path) -> str:
    if said not in (".", ","):
        raise MappingError(f"{file}: decimal takes '.' or ',': the sign before the cents.")
    return str(said)


def _encoding(said: Any, file: Path) -> str:
    try:
        return codecs.lookup(str(said)).name
    except LookupError as error:
        raise MappingError(
            f"{file}: there is no encoding {said}. Use utf-8, windows-1252, utf-16 or another."
        ) from error


def _skip_lines(said: Any, file: Path) -> int:
    if not _NUMBER.fullmatch(str(said)):
        raise MappingError(f"{file}: skip_lines takes how many lines come before the header, as 6.")
    return int(said)


def _time_zone(said: Any, file: Path) -> str:
    try:
        return ZoneInfo(str(said)).key
    except (LookupError, ValueError, OSError) as error:
        raise MappingError(f"{file}: {said} is no time zone. Use a name such as Europe/Berlin or UTC.") from error


_CHECKS = {
    "delimiter": _delimiter,
    "decimal": _decimal,
    "encoding": _encoding,
    "skip_lines": _skip_lines,
    "time_zone": _time_zone,
    "time_formats": _formats,
}

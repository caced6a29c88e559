"""How the columns of a CSV become fields of an event: the mapping file.

    columns:
      event_name: {column: event_type, values: {view: view_product, cart: add_to_cart}}
      event_timestamp: {column: event_time, format: "%Y-%m-%d %H:%M:%S UTC"}
      client_id: user_id
      product.id: product_id
      currency: {value: EUR}

A field is the contract's name, nested with a dot (docs/events.md). `props.anything` keeps a column that has no field.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from ingest_lambda.contract import Reject
from ingest_lambda.fields import FIELDS

#: What a cell can fill: every field but a list, and but what the pipeline says of itself.
PATHS = frozenset(FIELDS) - {"order.items", "time_source", "client_timestamp"}
REQUIRED = ("event_name", "event_timestamp")
VISITORS = ("client_id", "session_id", "user_id")


class MappingError(ValueError):
    """The mapping file cannot be used; the message says what to write."""


@dataclass(frozen=True)
class Field:
    """Where the value of one field comes from."""

    path: str
    column: str | None = None
    value: str | None = None
    values: Mapping[str, str] | None = None
    format: str | None = None


def read_mapping(path: Path) -> list[Field]:
    """The fields of a mapping file. Raises `MappingError`."""
    try:
        document = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        said = " ".join(str(getattr(error, "strerror", None) or error).split())
        raise MappingError(f"Cannot read the mapping {path}: {said}. Give --map a YAML file in UTF-8.") from error
    columns = document.get("columns") if isinstance(document, dict) else None
    if not isinstance(columns, dict) or not columns:
        raise MappingError(f"{path} has no 'columns:'. See an example with: clickstream import -h")
    fields = [_field(str(name), entry, path) for name, entry in columns.items()]
    known = {field.path for field in fields}
    missing = [name for name in REQUIRED if name not in known]
    if not known & set(VISITORS):
        missing.append(" or ".join(VISITORS))
    if missing:
        raise MappingError(f"{path} gives no column for {', '.join(missing)}; every event needs it.")
    return fields


def check_columns(fields: list[Field], header: list[str], path: Path) -> None:
    """Raise `MappingError` when the mapping names a column that the file does not have."""
    absent = sorted({field.column for field in fields if field.column} - set(header))
    if absent:
        raise MappingError(f"{path} has no column {', '.join(absent)}; its columns are {', '.join(header)}.")


def apply(fields: list[Field], row: Mapping[str, str]) -> dict[str, Any]:
    """The event that a row means, in the contract's words. An empty cell is an absent field."""
    record: dict[str, Any] = {}
    for field in fields:
        text = field.value if field.column is None else row[field.column].strip()
        if not text:
            continue
        value = _time(field, text) if field.format else (field.values or {}).get(text, text)
        parent, _, name = field.path.partition(".")
        (record.setdefault(parent, {}) if name else record)[name or parent] = value
    return record


def _time(field: Field, text: str) -> str:
    try:
        moment = datetime.strptime(text, str(field.format))
    except ValueError as error:
        raise Reject("invalid_timestamp", f"{field.path}: the cell does not match {field.format!r}") from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).isoformat()


def _field(path: str, entry: Any, file: Path) -> Field:
    _check_path(path, file)
    if isinstance(entry, str):
        return Field(path, column=entry)
    if not _is_entry(entry):
        raise MappingError(
            f"{file}: {path} takes a column name, or {{column: …, values: {{…}}, format: …}}, or {{value: …}}."
        )
    values = {str(key): str(value) for key, value in (entry.get("values") or {}).items()} or None
    texts = {name: str(entry[name]) for name in ("column", "value", "format") if name in entry}
    return Field(path, values=values, **texts)


def _is_entry(entry: Any) -> bool:
    if not isinstance(entry, dict) or not set(entry) <= {"column", "value", "values", "format"}:
        return False
    texts = [entry[name] for name in ("column", "value", "format") if name in entry]
    is_one_of_both = ("column" in entry) != ("value" in entry)
    return is_one_of_both and None not in texts and isinstance(entry.get("values", {}), dict)


def _check_path(path: str, file: Path) -> None:
    if path not in PATHS and not path.startswith("props."):
        raise MappingError(
            f"{file}: {path} is no field of an event. Use one of {', '.join(sorted(PATHS - {'props'}))}, or props.… "
            "(docs/events.md lists them)."
        )

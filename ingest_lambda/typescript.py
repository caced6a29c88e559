"""The contract as TypeScript, for the tracker: `tracker/src/event.ts`, written by `python -m ingest_lambda.schema`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ingest_lambda import contract

_HEAD = "/** Generated from `ingest_lambda/contract.py` by `python -m ingest_lambda.schema`. Do not edit. */"
#: What JSON has for a format of the contract. Money may be text: a price then keeps all its digits.
_FORMATS = {"date-time": "string", "uuid": "string", "decimal": "number | string"}
_TYPES = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean"}


def event_types_text() -> str:
    """The event, its parts, and the names that the models know."""
    definitions: dict[str, dict[str, Any]] = contract.json_schema()["$defs"]
    names = " | ".join(f'"{name}"' for name in contract.KNOWN_EVENTS)
    order = sorted(definitions, key=lambda name: name == "Event")
    parts = [_HEAD, f"export type EventName = {names};", *(_interface(definitions[name]) for name in order)]
    return "\n\n".join(parts) + "\n"


def _interface(struct: dict[str, Any]) -> str:
    about = struct.get("description", "").split("\n\n")[0].replace("\n", " ")
    lines = [f"/** {about} */", f"export interface {struct['title']} {{", *_members(struct), "}"]
    return "\n".join(lines)


def _members(struct: dict[str, Any]) -> Iterator[str]:
    for name, given in struct["properties"].items():
        options = given.get("anyOf", [given])
        kind = next(option for option in options if option.get("type") != "null")
        about = str(given.get("description") or kind.get("description") or "")
        if about:
            yield f"  /** {about} */"
        mark = "" if name in struct.get("required", ()) else "?"
        yield f"  {name}{mark}: {_type(kind)};"


def _type(kind: dict[str, Any]) -> str:
    if "$ref" in kind:
        return str(kind["$ref"]).rsplit("/", 1)[-1]
    if "enum" in kind:
        return " | ".join(f'"{value}"' for value in kind["enum"])
    if kind["type"] == "array":
        return f"{_type(kind['items'])}[]"
    if kind["type"] == "object":
        return "Record<string, unknown>"
    return _FORMATS.get(kind.get("format", ""), _TYPES[kind["type"]])

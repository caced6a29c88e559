"""Writes what is generated from the contract: the JSON Schema, the data dictionary, the tracker's types and docs/openapi.json.

Run `python -m ingest_lambda.schema` after a change of `contract.py`; a test fails until all are current.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ingest_lambda import contract
from ingest_lambda.openapi import openapi_text
from ingest_lambda.typescript import event_types_text
from ingest_lambda.words import ALIASES

ROOT = Path(__file__).resolve().parent.parent
SCHEMA_PATH = ROOT / "ingest_lambda" / f"event.v{contract.VERSION}.schema.json"
DICTIONARY_PATH = ROOT / "docs" / "events.md"
OPENAPI_PATH = ROOT / "docs" / "openapi.json"
TYPES_PATH = ROOT / "tracker" / "src" / "event.ts"

_INTRODUCTION = """# Events

Generated from `ingest_lambda/contract.py` by `python -m ingest_lambda.schema`. Do not edit.

An event is one JSON object. Send one, a list of them, or `{"sent_at": …, "events": [...]}` by `POST /clickstream`.
Names may be written in camel case (`pageUrl`). A key that is not in this table is kept in `props`.
An event may name the version of this contract that it is written by, as `"clickstream_version": 1`; without, it is of that one.
One of a version that is not known yet is refused and kept: once the collector knows it, `clickstream replay` brings it in.

Names of events that the models know: %s. Any other lower-case name is kept as a custom event. `view` becomes
`view_product` where a product is present, else `page_view`.

An event that has an `experiment` and a `variant` says that this variant was shown: a page view, or an event of its own,
`experiment_viewed`. There, `experiment_id` or `experiment_name`, and `variation_id`, `variant_id` or their names, are read
too, as Segment and GrowthBook send them; in GA4's `experience_impression`, `exp_variant_string` is (`TOOL-EXPERIMENT-VARIANT`).
One event, one experiment: who is in two sends two.

Every event needs a name and one of `client_id`, `session_id`, `user_id`. The collector fills what is marked "always".
"""


def schema_text() -> str:
    """The event as JSON Schema."""
    return json.dumps(contract.json_schema(), indent=2, ensure_ascii=False) + "\n"


def dictionary_text() -> str:
    """The data dictionary: fields, other words for them, and the reasons for which an event is rejected."""
    names = ", ".join(f"`{name}`" for name in contract.KNOWN_EVENTS)
    parts = [
        _INTRODUCTION % names,
        "## Fields\n",
        *_table(("Field", "Type", "Limits", "Also read from"), _field_rows()),
        "\n## Reasons to reject\n",
        "A rejected event is kept under `rejected/` with its reason, and counted in the ledger.\n",
        *_table(("Code", "Meaning"), ((f"`{code}`", meaning) for code, meaning in contract.REASONS.items())),
        "\n## Warnings\n",
        "The event stands. What could not be kept as it was sent lies in its `props`, and its `warnings` say what it was; the",
        "collector's answer names them, and the ledger counts them.\n",
        *_table(("Code", "Meaning"), ((f"`{code}`", meaning) for code, meaning in contract.WARNINGS.items())),
        "\nNot stored, so not counted: 403 `origin_not_allowed` and `wrong_door`, 404 `not_found`, 405 `method_not_allowed`, 413",
        "`body_too_large`, `too_many_events` and `too_many_members`, 415 `unsupported_media_type`. 503 `storage_unavailable` and",
        "`secret_unavailable`: send again.",
    ]
    return "\n".join(parts) + "\n"


def _field_rows() -> Iterator[tuple[str, ...]]:
    definitions: dict[str, dict[str, Any]] = contract.json_schema()["$defs"]
    yield from _rows(definitions, "Event", "")


def _rows(definitions: dict[str, dict[str, Any]], name: str, prefix: str) -> Iterator[tuple[str, ...]]:
    struct = definitions[name]
    for field, given in struct["properties"].items():
        path = prefix + field
        options = given.get("anyOf", [given])
        kind = next(option for option in options if option.get("type") != "null")
        nested = _reference(kind) or _reference(kind.get("items", {}))
        always = " (always)" if field in struct.get("required", ()) else ""
        words = ", ".join(f"`{alias}`" for alias, meant in ALIASES.items() if meant == path)
        yield f"`{path}`", _type(kind) + always, _limits(kind), words
        if nested:
            yield from _rows(definitions, nested, f"{path}[]." if "items" in kind else f"{path}.")


def _reference(kind: dict[str, Any]) -> str | None:
    return str(kind["$ref"]).rsplit("/", 1)[-1] if "$ref" in kind else None


def _type(kind: dict[str, Any]) -> str:
    if "enum" in kind:
        return " or ".join(f"`{value}`" for value in kind["enum"])
    if "$ref" in kind:
        return "object"
    return str(kind.get("format") or kind.get("type"))


def _limits(kind: dict[str, Any]) -> str:
    words = {"maxLength": "at most {} characters", "minimum": "from {}", "maximum": "to {}", "maxItems": "at most {}"}
    limits = [text.format(kind[key]) for key, text in words.items() if key in kind]
    return ". ".join(filter(None, [kind.get("description", "").rstrip("."), ", ".join(limits)]))


def _table(heads: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> Iterator[str]:
    yield "| " + " | ".join(heads) + " |"
    yield "|" + " --- |" * len(heads)
    for row in rows:
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"


if __name__ == "__main__":
    SCHEMA_PATH.write_text(schema_text(), encoding="utf-8")
    DICTIONARY_PATH.parent.mkdir(exist_ok=True)
    DICTIONARY_PATH.write_text(dictionary_text(), encoding="utf-8")
    OPENAPI_PATH.write_text(openapi_text(), encoding="utf-8")
    TYPES_PATH.write_text(event_types_text(), encoding="utf-8")

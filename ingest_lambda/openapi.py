"""The collector in the words of OpenAPI, from the contract. `ingest_lambda.schema` writes it to docs/; the gateway serves it."""

from __future__ import annotations

import json
from typing import Any

from ingest_lambda import contract, settings
from ingest_lambda.request import ALLOW, PATHS, SIGNED_IN_PATHS

#: What the collector says of an event, whatever the sender says.
_OURS = ("received_at", "client_timestamp", "time_source", "warnings")
_IDS = ("client_id", "session_id", "user_id")
_INTRODUCTION = (
    "A 200 is sent when the events are stored. After a 408, a 429, a 5xx or no answer send the same events again, with the same "
    "event_id: copies count once. Any other answer is final. What an event may hold besides: docs/events.md."
)
_ANSWERS = {
    "200": "Stored. `rejected` of them were kept with a reason and count as no events.",
    "400": "Nothing in the body was an event. It is kept with its reason; sending it again does not help.",
    "403": "This site, or this way around the shop's own address, may not send. Nothing is stored.",
    "408": "The request took too long to arrive.",
    "413": f"At most {settings.MAX_BODY_BYTES:,} bytes and {settings.MAX_EVENTS} events. Send fewer at a time.",
    "415": "Send JSON as application/json or text/plain, plain or as gzip.",
    "429": "Too many requests. Send the same events again after `retry-after` seconds.",
    "500": "The collector failed. Send the same events again.",
    "503": "Nothing was stored. Send the same events again after `retry-after` seconds.",
}


def document() -> dict[str, Any]:
    """The description."""
    paths = {path: _path(path) for path in (*PATHS, *SIGNED_IN_PATHS)}
    token = {
        "type": "http",
        "scheme": "bearer",
        "description": "A token of the shop's user pool, which the API checks.",
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Clickstream collector",
            "version": str(contract.VERSION),
            "description": _INTRODUCTION,
        },
        "paths": paths,
        "components": {"schemas": _schemas(), "securitySchemes": {"token": token}},
    }


def openapi_text() -> str:
    """The same as JSON."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


def _path(path: str) -> dict[str, Any]:
    name = path.strip("/").replace("/", "_")
    is_signed_in = path in SIGNED_IN_PATHS
    answers = _ANSWERS | ({"401": "No token was checked. Nothing is stored."} if is_signed_in else {})
    body = {"schema": {"$ref": "#/components/schemas/Body"}}
    post: dict[str, Any] = {
        "operationId": f"post_{name}",
        "summary": "Send events of a customer who is signed in" if is_signed_in else "Send events",
        "requestBody": {"required": True, "content": {"application/json": body, "text/plain": body}},
        "responses": {status: _response(status, words) for status, words in sorted(answers.items())},
    }
    options = {
        "operationId": f"options_{name}",
        "summary": "What a browser asks before it sends",
        "responses": {
            "204": {"description": f"It may: {ALLOW}."},
            "403": _response("403", _ANSWERS["403"]),
        },
    }
    return {"post": post | ({"security": [{"token": []}]} if is_signed_in else {}), "options": options}


def _response(status: str, words: str) -> dict[str, Any]:
    """A proxy in front, and the gateway when it is busy, answer with one message."""
    kinds = ["Verdict"] if status in ("200", "400") else ["Verdict", "Message"]
    schemas = [{"$ref": f"#/components/schemas/{kind}"} for kind in kinds]
    answer: dict[str, Any] = {"description": words}
    if status != "408":
        answer["content"] = {"application/json": {"schema": {"anyOf": schemas} if len(schemas) > 1 else schemas[0]}}
    if status in ("429", "503"):
        answer["headers"] = {"retry-after": {"description": "Seconds.", "schema": {"type": "integer", "minimum": 0}}}
    return answer


def _schemas() -> dict[str, Any]:
    schemas: dict[str, Any] = {name: _as_sent(given) for name, given in contract.json_schema()["$defs"].items()}
    event = schemas["Event"]
    event["properties"] = {name: given for name, given in event["properties"].items() if name not in _OURS}
    event["required"] = ["event_name"]
    event["anyOf"] = [{"required": [name], "properties": {name: {"type": "string"}}} for name in _IDS]
    events = {"type": "array", "items": {"$ref": "#/components/schemas/Event"}, "maxItems": settings.MAX_EVENTS}
    envelope = {
        "type": "object",
        "properties": {"sent_at": {"type": "string", "format": "date-time"}, "events": events},
        "required": ["events"],
    }
    body = {"anyOf": [{"$ref": "#/components/schemas/Event"}, events, {"$ref": "#/components/schemas/Envelope"}]}
    return {**schemas, "Envelope": envelope, "Body": body, "Verdict": _verdict(), "Message": _message()}


def _as_sent(given: Any) -> Any:
    """The contract says what is stored. A sender may write amounts as numbers, and keys of its own, which go into `props`."""
    if isinstance(given, list):
        return [_as_sent(one) for one in given]
    if not isinstance(given, dict):
        return given
    sent = {name: _as_sent(one) for name, one in given.items() if name not in ("additionalProperties", "default")}
    if given.get("format") == "decimal":
        sent = {"type": ["number", "string"], "description": given.get("description", "A decimal number.")}
    if "pattern" in given:
        sent["pattern"] = given["pattern"].removesuffix(r"(?!\n)")
    return {
        name: one.replace("#/$defs/", "#/components/schemas/") if name == "$ref" else one for name, one in sent.items()
    }


def _verdict() -> dict[str, Any]:
    count = {"type": "integer", "minimum": 0}
    said = {"index": count, "code": {"type": "string"}, "message": {"type": "string"}}
    warning = {
        "type": "object",
        "properties": {**said, "field": {"type": ["string", "null"]}},
        "required": ["index", "code"],
    }
    error = {
        "type": "object",
        "properties": {**said, "index": {"type": ["integer", "null"]}},
        "required": ["code", "message"],
    }
    properties = {
        "accepted": count,
        "rejected": count,
        "warnings": {"type": "array", "items": warning},
        "errors": {"type": "array", "items": error},
    }
    return {"type": "object", "properties": properties, "required": list(properties)}


def _message() -> dict[str, Any]:
    return {"type": "object", "properties": {"message": {"type": "string"}}, "required": ["message"]}

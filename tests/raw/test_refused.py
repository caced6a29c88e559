"""A line under rejected/, read with the rules of now."""

from __future__ import annotations

import base64
import io
import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from clickstream_dagster.raw.bodies import Body
from clickstream_dagster.raw.decode import Decoded, decode_object
from clickstream_dagster.raw.objects import RawObject
from ingest_lambda import landing
from ingest_lambda.normalize import finish

HOUR = datetime(2026, 3, 1, 10, tzinfo=UTC)
RECEIVED = "2026-03-01T10:30:00Z"
VIEW = {"event_name": "page_view", "client_id": "c-1", "event_timestamp": "2026-03-01T10:29:00Z"}
KEY = landing.rejected_key(HOUR, UUID(int=1))


def decoded(*refusals: dict[str, Any], key: str = KEY) -> Decoded:
    data = b"\n".join(json.dumps({"message": "so", "received_at": RECEIVED, **one}).encode() for one in refusals)
    [part] = decode_object(Body(RawObject(key, "e", len(data), HOUR), io.BytesIO(data), UUID(int=2)))
    assert part.line_count == len(part.events) + len(part.rejects) == len(refusals)
    return part


def of(said: dict[str, Any], code: str = "internal_error", **more: Any) -> dict[str, Any]:
    return {"code": code, "body": json.dumps(said), **more}


def test_an_event_that_the_rules_take_was_received_when_it_was_refused() -> None:
    [(number, event)] = decoded(of(VIEW)).events
    assert (number, event.client_id, event.received_at) == (1, "c-1", datetime.fromisoformat(RECEIVED))
    assert event.event_timestamp == datetime.fromisoformat("2026-03-01T10:29:00Z")


def test_its_id_is_made_of_its_bytes_and_its_place() -> None:
    first, second = (decoded(of(VIEW), of(VIEW)).events for _ in range(2))
    ids = [event.event_id for _, event in first]
    assert ids == [event.event_id for _, event in second]
    assert len(set(ids)) == 2
    [(_, elsewhere)] = decoded(of(VIEW), key=landing.rejected_key(HOUR, UUID(int=3))).events
    assert elsewhere.event_id not in ids


def test_an_id_of_its_own_is_kept() -> None:
    [(_, event)] = decoded(of(VIEW | {"event_id": str(UUID(int=7))})).events
    assert event.event_id == UUID(int=7)


def test_bytes_that_are_kept_as_base64_are_read() -> None:
    body = base64.b64encode(json.dumps(VIEW).encode()).decode()
    assert len(decoded({"code": "internal_error", "body": body, "body_encoding": "base64"}).events) == 1


@pytest.mark.parametrize("refusal", [
    of(VIEW, "too_old"),
    of(VIEW, body_bytes=70_000, body_sha256="ab"),
    of({"event_name": "page_view"}),
    of(VIEW | {"client_id": "[email]"}),
    {"code": "internal_error", "body": "{"},
    {"code": "internal_error", "body": "not base64", "body_encoding": "base64"},
    {"code": "invalid_gzip", "body": ""},
])  # fmt: skip
def test_what_stays_refused_keeps_its_first_reason(refusal: dict[str, Any]) -> None:
    part = decoded(refusal)
    [(_, kept)] = part.rejects
    assert (kept.code, kept.message) == (refusal["code"], "so")


def test_a_refusal_of_an_import_stays_one() -> None:
    assert decoded(of(VIEW), key=landing.imported_key("rejected", HOUR, "0123456789ab", 0)).events == []


def test_nobody_proves_who_he_is_by_being_refused_first() -> None:
    [(_, event)] = decoded(of(VIEW | {"user_id": "u-1", "identity_source": "cognito_verified"})).events
    assert (event.user_id, event.identity_source) == ("u-1", None)


def test_a_defect_that_is_still_there_keeps_nothing_from_being_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(read: Any, *rest: Any) -> Any:
        if read.values.get("page_title") == "odd":
            raise ZeroDivisionError
        return finish(read, *rest)

    monkeypatch.setattr("ingest_lambda.rereading.finish", fail)
    part = decoded(of(VIEW | {"page_title": "odd"}), of(VIEW))
    assert [number for number, _ in part.events] == [2]
    assert [kept.code for _, kept in part.rejects] == ["internal_error"]

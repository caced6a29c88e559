"""What other systems send, and the exact event that it becomes: `golden/<dialect>.json`."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from ingest_lambda import contract
from ingest_lambda.contract import Reject
from ingest_lambda.normalize import normalize

NOW = datetime(2026, 3, 14, 15, 9, 26, tzinfo=UTC)
GOLDEN = Path(__file__).resolve().parent / "golden"
CASES = [
    pytest.param(case["given"], case["becomes"], id=f"{file.stem}-{index}")
    for file in sorted(GOLDEN.glob("*.json"))
    for index, case in enumerate(json.loads(file.read_text()))
]


def outcome(given: Any) -> dict[str, Any]:
    """The event as it is stored, or why there is none."""
    try:
        event = normalize(given, received_at=NOW, make_event_id=lambda: UUID(int=1), salt="pepper")
    except Reject as reason:
        return {"refused": reason.code, "message": reason.message}
    stored: dict[str, Any] = json.loads(contract.encode(event))
    return stored


@pytest.mark.parametrize(("given", "becomes"), CASES)
def test_it_becomes_exactly_this(given: Any, becomes: dict[str, Any]) -> None:
    assert outcome(given) == becomes


@pytest.mark.parametrize(("given", "becomes"), CASES)
def test_nothing_of_a_person_is_left(given: Any, becomes: dict[str, Any]) -> None:
    kept = json.dumps(outcome(given))
    assert [word for word in ("ann@", "Ann Ex", "198.51", "4917012") if word in kept] == []
    assert becomes


def test_a_message_that_is_sent_again_is_the_same_event() -> None:
    call = {"type": "track", "event": "Cart Viewed", "anonymousId": "a", "messageId": "m"}
    assert outcome(call)["event_id"] == outcome(dict(call))["event_id"] != str(UUID(int=1))

"""What is generated from the contract is current, and the raw layout is what it says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest

from ingest_lambda import landing, schema
from ingest_lambda.openapi import openapi_text


def test_the_json_schema_the_data_dictionary_the_description_and_the_tracker_s_types_are_current() -> None:
    hint = "run python -m ingest_lambda.schema"
    assert schema.SCHEMA_PATH.read_text(encoding="utf-8") == schema.schema_text(), hint
    assert schema.DICTIONARY_PATH.read_text(encoding="utf-8") == schema.dictionary_text(), hint
    assert schema.OPENAPI_PATH.read_text(encoding="utf-8") == openapi_text(), hint
    assert schema.TYPES_PATH.read_text(encoding="utf-8") == schema.event_types_text(), hint


def test_a_key_tells_the_utc_hour_of_receipt() -> None:
    moment = datetime(2026, 3, 15, 1, 59, tzinfo=timezone(timedelta(hours=7)))
    assert landing.hour_prefix(moment) == "events/2026/03/14/18/"
    assert landing.day_prefix(moment) == "events/2026/03/14/"
    assert landing.event_key(moment, UUID(int=1)) == f"events/2026/03/14/18/event-{UUID(int=1)}.json"
    assert landing.rejected_key(moment, UUID(int=1)) == f"rejected/2026/03/14/18/rejected-{UUID(int=1)}.json"


def test_a_key_needs_a_time_zone() -> None:
    with pytest.raises(ValueError, match="time zone"):
        landing.hour_prefix(datetime(2026, 3, 14))
    assert landing.hour_prefix(datetime(2026, 3, 14, tzinfo=UTC), landing.REJECTED) == "rejected/2026/03/14/00/"

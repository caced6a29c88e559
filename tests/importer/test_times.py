"""The times that shops' programs write, in the shop's zone where they say none."""

from __future__ import annotations

from datetime import UTC
from zoneinfo import ZoneInfo

import pytest

from clickstream_dagster.local.importer.times import read_time
from ingest_lambda.contract import Reject
from ingest_lambda.fields import timestamp

NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("20260314", "2026-03-14T04:00"),
        ("2026-03-14", "2026-03-14T04:00"),
        ("2026/03/14", "2026-03-14T04:00"),
        ("2026/3/4 10:00", "2026-03-04T15:00"),
        ("2026.03.14 10:00:30", "2026-03-14T14:00"),
        ("14.03.2026 10:00", "2026-03-14T14:00"),
        ("2026-03-14 10:00:00 UTC", "2026-03-14T10:00"),
        ("20260314T100000Z", "2026-03-14T10:00"),
        ("20260314T100000", "2026-03-14T14:00"),
        ("Sat, 14 Mar 2026 10:00:00 +0100", "2026-03-14T09:00"),
        ("Sat, 14 Mar 2026 10:00:00 GMT", "2026-03-14T10:00"),
        ("14 Mar 2026 10:00:00", "2026-03-14T14:00"),
        ("1773482400", "2026-03-14T10:00"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00"),
    ],
)
def test_a_time_without_an_offset_is_of_the_zone(text: str, wanted: str) -> None:
    moment = timestamp(read_time(text, "event_timestamp", (), NEW_YORK), "event_timestamp")
    assert f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M}" == wanted


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("03/04/2026", "begins with the day or with the month"),
        ("20261332", "as time_formats"),
        ("2026/13/45", "as time_formats"),
        ("14 März 2026", "as time_formats"),
        ("soon", "14.03.2026 10:00"),
    ],
)
def test_what_is_no_time_is_refused_with_the_ways_to_write_one(text: str, said: str) -> None:
    with pytest.raises(Reject, match=said):
        read_time(text, "event_timestamp", (), NEW_YORK)


def test_a_time_that_an_event_can_do_without_refuses_nothing() -> None:
    assert read_time("soon", "sent_at", (), NEW_YORK) == "soon"

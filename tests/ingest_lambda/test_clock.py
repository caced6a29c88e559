"""Client clocks: believed within a bound, corrected beyond it, and never out of order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest_lambda.clock import batch_shift, resolve
from ingest_lambda.normalize import accept, normalize
from ingest_lambda.settings import CLOCK_SKEW_BOUND, MAX_EVENT_AGE

NOW = datetime(2026, 3, 14, 15, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
moments = st.datetimes(datetime(1900, 1, 1), datetime(2199, 12, 31), timezones=st.just(UTC))


@pytest.mark.parametrize(
    ("age", "sent_ago", "shift"),
    [
        (5 * MINUTE, 0 * MINUTE, 0 * MINUTE),
        (5 * MINUTE, 10 * MINUTE, 0 * MINUTE),
        (5 * MINUTE, 11 * MINUTE, 11 * MINUTE),
        (-25 * MINUTE, -20 * MINUTE, -20 * MINUTE),
        (timedelta(days=3), 0 * MINUTE, 0 * MINUTE),
        (timedelta(days=3), None, 0 * MINUTE),
        (-12 * MINUTE, None, -12 * MINUTE),
        (-10 * MINUTE, None, 0 * MINUTE),
        (timedelta(days=367), None, timedelta(days=367)),
        (-90 * MINUTE, 0 * MINUTE, -90 * MINUTE),
    ],
)
def test_the_shift_of_a_batch(age: timedelta, sent_ago: timedelta | None, shift: timedelta) -> None:
    sent_at = None if sent_ago is None else NOW - sent_ago
    assert batch_shift([NOW - age, NOW - age - MINUTE], received_at=NOW, sent_at=sent_at) == shift


@settings(deadline=None)
@given(st.lists(moments, min_size=1, max_size=6), st.none() | moments)
def test_order_is_kept_and_every_time_is_believable(times: list[datetime], sent_at: datetime | None) -> None:
    shift = batch_shift(times, received_at=NOW, sent_at=sent_at)
    settled = [resolve(moment, received_at=NOW, shift=shift)[0] for moment in sorted(times)]
    assert settled == sorted(settled)
    assert settled[0] >= NOW - MAX_EVENT_AGE
    assert settled[-1] <= NOW + CLOCK_SKEW_BOUND


def test_an_event_without_a_time_gets_the_time_of_receipt() -> None:
    assert resolve(None, received_at=NOW, shift=timedelta(days=9)) == (NOW, "received")


def test_a_device_an_hour_ahead_is_corrected_as_one(collector: Any, view: dict[str, Any]) -> None:
    events = [{**view, "event_timestamp": f"2026-03-14T16:00:0{second}Z"} for second in (3, 1, 2)]
    collector.post({"sentAt": "2026-03-14T16:00:04Z", "events": events}, at=NOW)
    stored = collector.events()
    assert [event["event_timestamp"][-4:-1] for event in stored] == [":59", ":57", ":58"]
    assert {event["time_source"] for event in stored} == {"corrected"}
    assert [event["client_timestamp"] for event in stored] == [event["event_timestamp"] for event in events]
    assert {event["sent_at"] for event in stored} == {"2026-03-14T16:00:04Z"}


def test_one_bad_clock_moves_no_other_event() -> None:
    good, bad = NOW - MINUTE, NOW + timedelta(days=30_000)
    shift = batch_shift([good, bad], received_at=NOW, sent_at=None)
    assert resolve(good, received_at=NOW, shift=shift) == (good, "client")
    assert resolve(bad, received_at=NOW, shift=shift)[0] <= NOW + 10 * MINUTE


@pytest.mark.parametrize("days", [400, 4_000])
def test_what_a_right_clock_says_was_over_a_year_ago_is_refused_and_never_counted_today(
    collector: Any, view: dict[str, Any], days: int
) -> None:
    old = {**view, "event_timestamp": (NOW - timedelta(days=days)).isoformat()}
    answer = collector.post({"sent_at": NOW.isoformat(), "events": [old, view]}, at=NOW)
    assert (answer.body["accepted"], answer.codes) == (1, ["too_old"])
    assert f"{days} days" in answer.body["errors"][0]["message"]
    assert collector.rejected()[0]["code"] == "too_old"


@pytest.mark.parametrize("days", [1, 300])
def test_what_a_right_clock_says_was_less_than_a_year_ago_keeps_its_day(
    collector: Any, view: dict[str, Any], days: int
) -> None:
    moment = NOW - timedelta(days=days)
    collector.post({"sent_at": NOW.isoformat(), "events": [{**view, "event_timestamp": moment.isoformat()}]}, at=NOW)
    [event] = collector.events()
    assert (event["event_timestamp"], event.get("time_source", "client")) == (f"{moment:%Y-%m-%dT%H:%M:%SZ}", "client")


def test_history_keeps_its_times_however_long_ago() -> None:
    line = b'{"event":"purchase","user_id":"u","ts":"2023-11-20T10:00:00Z","receivedAt":"2026-11-20T10:00:01Z"}'
    event = accept(line, received_at=None)
    assert (event.event_timestamp.year, event.received_at.year, event.time_source) == (2023, 2026, "client")


SEGMENT = {"type": "track", "event": "Order Completed", "anonymousId": "a", "properties": {"order_id": "A"}}
SNOWPLOW = {"event_name": "page_view", "domain_userid": "d"}


def relayed(moment: datetime) -> list[dict[str, Any]]:
    text = moment.isoformat()
    return [
        {**SEGMENT, "timestamp": text, "originalTimestamp": text, "sentAt": text, "receivedAt": text},
        {**SEGMENT, "timestamp": text, "receivedAt": text},
        {**SNOWPLOW, "derived_tstamp": text, "dvce_sent_tstamp": text, "collector_tstamp": text},
        {**SNOWPLOW, "collector_tstamp": text},
    ]


def micros(moment: datetime) -> dict[str, Any]:
    return {"client_id": "c", "timestamp_micros": int(moment.timestamp() * 1e6), "events": [{"name": "login"}]}


@pytest.mark.parametrize("which", range(4))
def test_what_a_pipeline_sends_on_keeps_its_day_or_is_too_old(collector: Any, which: int) -> None:
    old, less, fresh = (relayed(NOW - timedelta(days=days))[which] for days in (400, 300, 0))
    answer = collector.post([old, less, fresh], at=NOW)
    assert answer.codes == ["too_old"]
    assert [event["event_timestamp"] for event in collector.events()] == [
        "2025-05-18T15:00:00Z",
        "2026-03-14T15:00:00Z",
    ]


def test_a_device_s_clock_is_set_right_by_that_of_its_pipeline() -> None:
    heard = NOW - timedelta(days=3)
    broken = relayed(heard)[1] | {"timestamp": "1970-01-01T00:00:00Z"}
    event = normalize(broken, received_at=NOW)
    assert (event.event_timestamp, event.time_source, event.received_at) == (heard, "corrected", NOW)


def test_a_server_s_own_clock_is_right(collector: Any) -> None:
    assert collector.post(micros(NOW - timedelta(days=400)), at=NOW).codes == ["too_old"]
    collector.post(micros(NOW - timedelta(days=300)), at=NOW)
    assert collector.events()[0]["event_timestamp"] == "2025-05-18T15:00:00Z"


@pytest.mark.parametrize("said", ["2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z"])
def test_a_time_of_receipt_that_cannot_be_is_not_believed(view: dict[str, Any], said: str) -> None:
    event = normalize({**view, "received_at": said, "ts": "2026-03-14T14:59:00Z"}, received_at=NOW)
    assert (event.event_timestamp, event.time_source, event.received_at) == (NOW - MINUTE, "client", NOW)

"""Partition key <-> UTC hour <-> raw prefix."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clickstream_dagster import partitions
from clickstream_dagster.partitions import HOUR, floor_hour, hour_of_key, hour_of_object, hour_of_prefix, key_of, ranges
from ingest_lambda import landing

T = datetime(2025, 12, 6, 5, tzinfo=UTC)
_offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
_moments = st.datetimes(datetime(1990, 1, 1), datetime(2199, 1, 1), timezones=_offsets)


@given(moment=_moments)
def test_a_key_names_its_hour_and_the_hour_its_key(moment: datetime) -> None:
    hour = floor_hour(moment)
    assert hour_of_key(key_of(moment)) == hour
    assert timedelta(0) <= moment - hour < HOUR
    assert (hour.minute, hour.second, hour.microsecond, hour.utcoffset()) == (0, 0, 0, timedelta(0))


@given(moment=_moments, root=st.sampled_from([landing.EVENTS, landing.REJECTED]))
def test_what_the_collector_writes_lies_in_the_hour_that_the_loader_reads(moment: datetime, root: str) -> None:
    prefix = landing.hour_prefix(moment, root)
    assert hour_of_prefix(prefix) == hour_of_prefix(prefix.rstrip("/")) == floor_hour(moment)
    assert hour_of_object(f"{prefix}event-1.json") == floor_hour(moment)
    assert prefix in partitions.prefixes_of(floor_hour(moment), floor_hour(moment) + HOUR)


@pytest.mark.parametrize(
    ("moment", "hour"),
    [
        (datetime(2025, 12, 6, 5, 59, 59, 999999), T),
        (datetime(2025, 12, 6, 5, 30, tzinfo=UTC), T),
        (datetime(2025, 12, 6, 12, 30, tzinfo=timezone(timedelta(hours=7))), T),
        (datetime(2025, 12, 6, 10, 45, tzinfo=timezone(timedelta(hours=5, minutes=30))), T),
        (datetime(2025, 12, 5, 23, 59, tzinfo=timezone(timedelta(hours=-6))), T),
    ],
)
def test_a_moment_is_floored_to_its_utc_hour_and_a_naive_one_is_utc(moment: datetime, hour: datetime) -> None:
    assert floor_hour(moment) == hour


def test_a_key_looks_as_dagster_writes_it() -> None:
    assert key_of(T) == "2025-12-06-05:00"


@pytest.mark.parametrize("key", ["2025-12-06", "2025-12-06-05:30", "2025-12-06-25:00", "", "2025-12-06-05:00 "])
def test_a_wrong_key_is_an_error(key: str) -> None:
    with pytest.raises(ValueError, match=r"does not match|unconverted"):
        hour_of_key(key)


@pytest.mark.parametrize(
    "prefix",
    ["", "events/", "events/2025/12/06/", "events/2025/13/06/05/", "events/2025/12/06/24/", "2025/12/06/05/", "x"],
)
def test_what_is_no_hour_s_prefix_is_none(prefix: str) -> None:
    assert hour_of_prefix(prefix) is None


@pytest.mark.parametrize(
    ("key", "moment"),
    [
        ("events/2025/12/06/05/event-1.json", T + HOUR),
        ("events/year=2025/month=12/day=06/hour=05/event-1.json", T + HOUR),
        ("events/2025/12/06/event-1.json", datetime(2025, 12, 7, tzinfo=UTC)),
        ("year=2025/month=12/day=06/event-1.json", datetime(2025, 12, 7, tzinfo=UTC)),
    ],
)
def test_an_object_was_received_by_the_end_of_its_hour_or_day(key: str, moment: datetime) -> None:
    assert partitions.last_moment_of_object(key) == moment - timedelta(microseconds=1)


def test_an_object_of_no_layout_was_never_received() -> None:
    with pytest.raises(ValueError, match="in no known layout"):
        partitions.last_moment_of_object("events/2025/12/event-1.json")


@pytest.mark.parametrize(("hours", "lists"), [(1, 4), (23, 92), (24, 4), (25, 8), (48, 8), (47, 96)])
def test_whole_days_are_listed_at_once(hours: int, lists: int) -> None:
    midnight = T.replace(hour=0)
    assert len(partitions.prefixes_of(midnight, midnight + hours * HOUR)) == lists


def test_a_window_across_midnight_lists_its_hours_and_the_day_that_begins() -> None:
    start = datetime(2025, 12, 31, 23, tzinfo=UTC)
    prefixes = partitions.prefixes_of(start, start + 2 * HOUR)
    assert [prefix for prefix in prefixes if prefix.startswith("events/2")] == [
        "events/2025/12/31/23/",
        "events/2026/01/01/00/",
    ]
    flat = partitions.day_only_prefixes(start, start + 2 * HOUR)
    assert flat[0] == "events/2026/01/01/"
    assert len(flat) == 4


@pytest.mark.parametrize("hours", [0, -3])
def test_an_empty_window_lists_nothing(hours: int) -> None:
    assert partitions.prefixes_of(T, T + hours * HOUR) == []
    assert partitions.day_only_prefixes(T, T + hours * HOUR) == []
    assert list(partitions.hours_between(T, T + hours * HOUR)) == []


@pytest.mark.parametrize(
    ("numbers", "gap", "expected"),
    [
        ([], 0, []),
        ([3], 0, [(3, 4)]),
        ([1, 2, 3], 0, [(1, 4)]),
        ([3, 1, 2, 2], 0, [(1, 4)]),
        ([1, 3], 0, [(1, 2), (3, 4)]),
        ([1, 3], 1, [(1, 4)]),
        ([1, 4], 1, [(1, 2), (4, 5)]),
    ],
)
def test_hours_are_gathered_into_ranges(numbers: list[int], gap: int, expected: list[tuple[int, int]]) -> None:
    found = ranges([T + number * HOUR for number in numbers], gap)
    assert found == [(T + start * HOUR, T + end * HOUR) for start, end in expected]


@given(numbers=st.sets(st.integers(0, 300)), gap=st.integers(0, 30))
def test_ranges_hold_every_hour_and_no_gap_longer_than_allowed(numbers: set[int], gap: int) -> None:
    hours = {T + number * HOUR for number in numbers}
    found = ranges(hours, gap)
    inside = [hour for start, end in found for hour in partitions.hours_between(start, end)]
    assert hours <= set(inside)
    assert all(second[0] - first[1] > gap * HOUR for first, second in pairwise(found))
    assert gap or hours == set(inside)

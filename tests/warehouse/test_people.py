"""A signed-in user is one person on all their browsers, whatever came first; a browser of two users is neither's."""

from __future__ import annotations

from datetime import date
from itertools import permutations

import pytest

from clickstream_dagster.stack import Stack
from support.stories import event, rows, tell

STORY = (
    ("1 10:00", "phone", None),
    ("2 10:00", "phone", "u-1"),
    ("3 10:00", "laptop", "u-1"),
    ("1 11:00", "shared", "u-1"),
    ("2 11:00", "shared", "u-2"),
    ("1 12:00", "stranger", None),
)


@pytest.mark.parametrize("order", [*permutations(range(3))][::2])
def test_a_user_joins_their_browsers_in_any_order(stack: Stack, order: tuple[int, ...]) -> None:
    for part in order:
        tell(stack, *(event(at, visitor=browser, user_id=user) for at, browser, user in STORY[part::3]))
    assert rows(stack, "select visitor_id, person_id from dim_visitor order by 1") == [
        ("laptop", "u-1"),
        ("phone", "u-1"),
        ("shared", "shared"),
        ("stranger", "stranger"),
    ]
    assert rows(stack, "select person_id, count(*)::integer from fact_person_sessions group by 1 order by 1") == [
        ("shared", 2),
        ("stranger", 1),
        ("u-1", 3),
    ]


#: The days of the story's people: u-1 has the phone and the laptop, from before signing in.
DAYS = {"u-1": [6, 7, 8], "shared": [6, 7], "stranger": [6]}


@pytest.mark.parametrize("order", [*permutations(range(3))][::2])
def test_people_are_counted_once_whatever_their_browsers(stack: Stack, order: tuple[int, ...]) -> None:
    for part in order:
        tell(stack, *(event(at, visitor=browser, user_id=user) for at, browser, user in STORY[part::3]))
    found = rows(stack, "select person_id, local_date, first_on, previous_on from fact_person_days order by 1, 2")
    dated = {person: [date(2026, 4, day) for day in days] for person, days in DAYS.items()}
    assert found == [
        (person, day, days[0], days[place - 1] if place else None)
        for person, days in sorted(dated.items())
        for place, day in enumerate(days)
    ]
    counted = rows(stack, "select visitors, people from agg_daily_traffic order by local_date")
    assert counted == [(3, 3), (2, 2), (1, 1)]


def test_two_browsers_of_one_person_on_a_day_are_one_of_the_people(stack: Stack) -> None:
    tell(stack, *(event("1 10:00", visitor=browser) for browser in ("phone", "laptop")))
    assert rows(stack, "select visitors, people from agg_daily_traffic") == [(2, 2)]
    tell(stack, *(event("2 10:00", visitor=browser, user_id="u-1") for browser in ("phone", "laptop")))
    assert rows(stack, "select visitors, people from agg_daily_traffic order by local_date") == [(2, 1), (2, 1)]
    tell(stack, event("3 10:00", visitor="phone", user_id="u-2"))
    assert rows(stack, "select visitors, people from agg_daily_traffic order by local_date") == [(2, 2), (2, 2), (1, 1)]

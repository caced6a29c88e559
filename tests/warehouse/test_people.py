"""A signed-in user is one person on all their browsers, whatever came first; a browser of two users is neither's."""

from __future__ import annotations

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

"""What is made ahead in a thread comes in its order, whole, and with what it raised."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from clickstream_dagster.raw.prepare import ahead
from clickstream_dagster.settings import GROUPS_AHEAD


def test_all_items_come_in_order_from_one_other_thread() -> None:
    makers: set[int] = set()

    def made() -> Iterator[int]:
        for number in range(100):
            makers.add(threading.get_ident())
            yield number

    assert list(ahead(made())) == list(range(100))
    assert len(makers) == 1
    assert threading.get_ident() not in makers


def test_no_more_is_made_than_memory_holds() -> None:
    made = 0

    def counted() -> Iterator[int]:
        nonlocal made
        while made < 100:
            made += 1
            yield made

    with closing(ahead(counted())) as items:
        assert next(items) == 1
    assert made <= GROUPS_AHEAD + 1


def test_an_error_comes_after_the_items_before_it_and_leaves_nothing_behind() -> None:
    def broken() -> Iterator[int]:
        yield from (1, 2)
        raise ConnectionError("the bucket is gone")

    before, usual = threading.active_count(), sys.getswitchinterval()
    items = ahead(broken())
    assert (next(items), next(items)) == (1, 2)
    with pytest.raises(ConnectionError, match="the bucket is gone"):
        next(items)
    assert (threading.active_count(), sys.getswitchinterval()) == (before, usual)

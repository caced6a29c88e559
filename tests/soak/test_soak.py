"""A short soak holds; and its books would tell if it did not."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import obstore
import pytest

from clickstream_dagster.local.gateway.api_event import to_event
from clickstream_dagster.partitions import HOUR
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.connection import transaction
from clickstream_dagster.warehouse.load import load_hours
from clickstream_dagster.warehouse.rebuild import rebuild_all
from ingest_lambda.handler import collect
from soak.books import Books, count
from soak.faults import ALL, plan
from soak.shop import posts

TESTS = Path(__file__).resolve().parents[1]
MINUTES, SEED = 1, 1


def test_a_short_soak_loses_nothing_and_doubles_nothing() -> None:
    assert {episode.fault for episode in plan(SEED, MINUTES * 60)} == set(ALL)
    done = subprocess.run(
        [sys.executable, "-m", "soak", "--minutes", str(MINUTES), "--seed", str(SEED)],
        env=os.environ | {"PYTHONPATH": f"{TESTS.parent}{os.pathsep}{TESTS}"},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    assert "Lost 0, doubled 0; every table is byte-equal" in done.stdout


@pytest.fixture(scope="module")
def hour() -> datetime:
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0)


@pytest.fixture
def books(stack: Stack, hour: datetime) -> Callable[[str], Books]:
    """Forty requests, each stored and acknowledged twice, and loaded; counted after something is done to the tables."""
    sent = posts(SEED, 40)
    for post in [*sent, *sent]:
        scope = {
            "method": "POST", "path": post.path, "query_string": b"", "http_version": "1.1",
            "headers": [(name.encode(), value.encode()) for name, value in post.headers.items()],
        }  # fmt: skip
        collect(to_event(scope, post.body, hour), store=stack.store, received_at=hour)
    with stack.warehouse() as connection:
        load_hours(connection, stack.store, hour, hour + HOUR)
        rebuild_all(connection)

    def counted(harm: str = "") -> Books:
        if harm:
            with stack.warehouse() as connection, transaction(connection) as cursor:
                cursor.execute(harm)
        return count(sent, Counter({post.number: 2 for post in sent}), stack.store, stack)

    return counted


def test_the_books_balance_where_nothing_is_wrong(books: Callable[[str], Books]) -> None:
    assert books("").faults() == []


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        ("delete from clickstream_events where event_id = (select min(event_id::text)::uuid from clickstream_events)", "lost"),
        ("delete from duplicate_events where event_id = (select min(event_id::text)::uuid from duplicate_events)", "bucket"),
        ("update etl_ledger set duplicate = duplicate - 1", "loaded + duplicate + rejected"),
        ("update etl_ledger set received = received + 1, rejected = rejected + 1", "lines in the bucket, and received"),
        ("update clickstream_events set event_id = gen_random_uuid() where event_name = 'search'", "nobody sent"),
    ],
)  # fmt: skip
def test_the_books_tell_what_is_wrong_in_the_tables(books: Callable[[str], Books], harm: str, said: str) -> None:
    assert any(said in sentence for sentence in books(harm).faults())


def test_the_books_tell_of_a_200_that_was_not_stored(books: Callable[[str], Books], stack: Stack) -> None:
    key = next(meta["path"] for page in obstore.list(stack.store, prefix="events/") for meta in page)
    obstore.delete(stack.store, key)
    assert any("acknowledged more often than stored" in sentence for sentence in books("").faults())


def test_the_books_tell_of_a_request_without_an_answer(books: Callable[[str], Books]) -> None:
    assert replace(books(""), unanswered=1).faults() == ["requests without an answer: 1 and 0"]

"""What a replay does to the books, and what it leaves alone."""

from __future__ import annotations

import gzip
import json
from uuid import UUID

import obstore
import pytest

from clickstream_dagster.partitions import HOUR, floor_hour
from clickstream_dagster.raw import lines
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.connection import transaction
from clickstream_dagster.warehouse.load import load_hours
from clickstream_dagster.warehouse.preview import preview
from clickstream_dagster.warehouse.rebuild import rebuild_all
from clickstream_dagster.warehouse.replay import Replayed, Wanted, replay
from ingest_lambda import contract, landing
from ingest_lambda.contract import Rejection
from support.refusals import MARK, REASON, yesterday
from support.stories import RECEIVED
from support.tables import dump

START = floor_hour(RECEIVED)
BOOKS = "select received, loaded, duplicate, rejected, replayed, difference from etl_ledger where received > 0"


def view(number: int | None = None) -> bytes:
    said = {"event_name": "page_view", "client_id": "ann", "page_title": MARK, "event_timestamp": RECEIVED.isoformat()}
    return json.dumps(said | ({"event_id": str(UUID(int=number))} if number else {})).encode()


def refused(body: bytes) -> bytes:
    return contract.encode(Rejection(REASON, "unheard of", RECEIVED, 0, body.decode()))


def put(stack: Stack, key: str, *held: bytes) -> None:
    obstore.put(stack.store, key, b"\n".join(held))


def load(stack: Stack) -> None:
    with stack.warehouse() as connection:
        load_hours(connection, stack.store, START, START + HOUR)
        rebuild_all(connection)


def replayed(stack: Stack, wanted: Wanted = Wanted()) -> Replayed:  # noqa: B008 - frozen
    with stack.warehouse() as connection:
        done = replay(connection, stack.store, wanted)
        rebuild_all(connection)
        return done


def books(stack: Stack) -> tuple[int, ...]:
    with stack.warehouse() as connection, transaction(connection) as cursor:
        cursor.execute(BOOKS)
        [row] = cursor.fetchall()
        return tuple(row)


def test_the_books_move_from_rejected_to_loaded_and_say_so(stack: Stack) -> None:
    put(stack, landing.event_key(RECEIVED, UUID(int=1)), view(1), b"{")
    put(stack, landing.rejected_key(RECEIVED, UUID(int=2)), refused(view(1)), refused(view(2)))
    with yesterday():
        load(stack)
    assert books(stack) == (4, 0, 0, 4, 0, 0)
    assert replayed(stack, Wanted(reasons=("too_old",))) == Replayed()
    assert replayed(stack) == Replayed(read=4, loaded=2, duplicate=1, rejected=1)
    assert books(stack) == (4, 2, 1, 1, 2, 0)
    assert replayed(stack) == Replayed(read=1, rejected=1)
    assert books(stack) == (4, 2, 1, 1, 2, 0)


def test_an_object_that_can_be_unpacked_now_has_all_its_lines(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    put(stack, landing.event_key(RECEIVED, UUID(int=1)) + ".gz", gzip.compress(b"\n".join(map(view, (1, 2, 3)))))
    with monkeypatch.context() as patch:
        patch.setattr(lines, "MAX_OBJECT_BYTES", 10)
        load(stack)
    assert books(stack) == (1, 0, 0, 1, 0, 0)
    assert replayed(stack).loaded == 3
    assert books(stack) == (3, 3, 0, 0, 0, 0)


def test_what_the_store_has_no_more_stays_rejected(stack: Stack) -> None:
    gone, over = landing.event_key(RECEIVED, UUID(int=1)), landing.event_key(RECEIVED, UUID(int=2))
    put(stack, gone, view(1))
    put(stack, over, view(2))
    with yesterday():
        load(stack)
    obstore.delete(stack.store, gone)
    put(stack, over, view(3))
    assert replayed(stack) == Replayed(lost=2)
    assert books(stack) == (2, 0, 0, 2, 0, 0)


def test_of_two_contents_of_an_object_the_stored_one_is_read(stack: Stack) -> None:
    key = landing.event_key(RECEIVED, UUID(int=1))
    with yesterday():
        for number in (1, 2):
            put(stack, key, view(number))
            load(stack)
    assert replayed(stack) == Replayed(read=1, loaded=1, lost=1)
    assert books(stack) == (2, 1, 0, 1, 0, 0)


def test_a_preview_tells_what_a_replay_does(stack: Stack) -> None:
    put(stack, landing.rejected_key(RECEIVED, UUID(int=2)), refused(view(1)), refused(view()))
    with yesterday():
        load(stack)
    with stack.warehouse() as connection:
        stands = dump(connection)
    told: list[Replayed] = []
    shown = preview(
        stack.server,
        stack.store,
        stack.settings,
        lambda _: [],
        before=lambda connection: told.append(replay(connection, stack.store, Wanted())),
    )
    with stack.warehouse() as connection:
        assert dump(connection) == stands
        assert told == [replay(connection, stack.store, Wanted())] == [Replayed(read=2, loaded=2)]
        moved = {one.model: (one.removed, one.added) for one in rebuild_all(connection) if one.removed or one.added}
    assert {one.model: (one.removed, one.added) for one in shown.rebuilt if one.removed or one.added} == moved
    [(was, would_be)] = shown.days.values()
    assert (was, would_be["visitors"]) == ({}, 1)


def test_an_event_of_a_version_to_come_waits_for_it(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    body = json.dumps({"event_name": "page_view", "client_id": "ann", "clickstream_version": 2}).encode()
    put(stack, landing.event_key(RECEIVED, UUID(int=1)), body)
    put(stack, landing.rejected_key(RECEIVED, UUID(int=2)), refused(body))
    load(stack)
    assert books(stack) == (2, 0, 0, 2, 0, 0)
    monkeypatch.setattr(contract, "READ_VERSIONS", (1, 2))
    assert replayed(stack, Wanted(reasons=("unknown_version", REASON))) == Replayed(read=2, loaded=2)
    assert books(stack) == (2, 2, 0, 0, 1, 0)

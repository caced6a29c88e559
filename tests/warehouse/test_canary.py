"""Test visits: through a real gateway and the loader, whole, late, lost and forged; and seen in no number."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.request import Request, urlopen
from uuid import uuid4

import dagster as dg
import msgspec
import obstore
import pytest
import uvicorn

from clickstream_dagster import resources, tick_numbers
from clickstream_dagster.checks import canary_visits_arrive
from clickstream_dagster.local.gateway.app import app
from clickstream_dagster.partitions import HOUR, floor_hour
from clickstream_dagster.resources import Platform
from clickstream_dagster.schedules import hourly_canary
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse import canaries
from clickstream_dagster.warehouse.canaries import Visit
from clickstream_dagster.warehouse.connection import transaction
from clickstream_dagster.warehouse.ledger import ledger
from clickstream_dagster.warehouse.load import load_hours
from clickstream_dagster.warehouse.rebuild import rebuild_all
from ingest_lambda import canary, landing
from ingest_lambda.settings import BadAddress
from support.tables import dump

#: What says that objects were read and lines set aside; everything else is a number of the shop.
BOOKS = ("raw_objects", "rejected_events", "etl_ledger")


@pytest.fixture
def url(stack: Stack) -> Iterator[str]:
    """A gateway that writes into the store of the warehouse."""
    server = uvicorn.Server(uvicorn.Config(app(stack.store), port=0, lifespan="off", log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/clickstream"
    server.should_exit = True
    thread.join()


def load(stack: Stack) -> list[Visit]:
    now = datetime.now(UTC)
    with stack.warehouse() as connection:
        load_hours(connection, stack.store, floor_hour(now) - HOUR, floor_hour(now) + HOUR)
        rebuild_all(connection)
        return canaries.look(connection, stack.store, now)


def tables(stack: Stack) -> dict[str, str]:
    with stack.warehouse() as connection:
        return {name: rows for name, rows in dump(connection).items() if name not in BOOKS}


def counted(stack: Stack) -> tuple[int, int, int, int, int]:
    """Sums of the ledger, where no hour is off."""
    with stack.warehouse() as connection:
        assert {hour.difference for hour in ledger(connection)} <= {0}
        with transaction(connection) as cursor:
            cursor.execute(
                "select sum(received), sum(loaded), sum(duplicate), sum(rejected), sum(canary) from etl_ledger"
            )
            return cursor.fetchone() or (0, 0, 0, 0, 0)


def post(url: str, *events: dict[str, object]) -> None:
    body = json.dumps({"events": events}).encode()
    with urlopen(Request(url, body, {"content-type": "application/json"}), timeout=20) as answer:
        assert json.load(answer)["accepted"] == len(events)


def real_visit(client_id: str = "ann") -> dict[str, object]:
    return {
        "event_id": str(uuid4()),
        "event_name": "page_view",
        "client_id": client_id,
        "page_url": "https://a.example/",
    }


def lines_of(stack: Stack, sent: canary.Canary) -> tuple[str, list[bytes]]:
    """The raw object of a visit, and its lines."""
    for page in obstore.list(stack.store, prefix=f"{landing.EVENTS}/"):
        for meta in page:
            data = bytes(obstore.get(stack.store, meta["path"]).bytes())
            if sent.name.encode() in data:
                return meta["path"], data.splitlines()
    raise AssertionError(f"no object holds {sent.name}")


def test_a_visit_arrives_whole_and_changes_no_number(stack: Stack, url: str) -> None:
    post(url, real_visit())
    load(stack)
    before, books = tables(stack), counted(stack)
    sent = canary.send(url, stack.store)
    assert sent.answer == "200"
    with stack.warehouse() as connection:
        [waiting] = canaries.look(connection, stack.store, datetime.now(UTC))
        assert (waiting.outcome, waiting.arrived) == ("on its way", 0)
    [visit] = load(stack)
    assert (visit.name, visit.outcome, visit.arrived, visit.expected) == (sent.name, "arrived", 5, 5)
    assert load(stack) == [visit]
    assert tables(stack) == before
    assert counted(stack) == (*books[:4], 5)
    assert canaries.sentence([visit]).startswith("The last test visit arrived whole, in ")
    assert canaries.lost_lately([visit], datetime.now(UTC)) == 0


def test_a_visit_that_came_late_or_never_or_in_part_is_told(stack: Stack, url: str) -> None:
    now = datetime.now(UTC)
    late = canary.send(url, stack.store, now - timedelta(hours=2, minutes=1))
    cut = canary.send(url, stack.store, now - timedelta(hours=2, minutes=2))
    key, lines = lines_of(stack, cut)
    obstore.put(stack.store, key, b"\n".join(line for line in lines if b'"checkout"' not in line))
    refused = canary.send("http://127.0.0.1:9/clickstream", stack.store, now - timedelta(hours=2, minutes=3))
    young = canary.send("http://127.0.0.1:9/clickstream", stack.store, now)
    visits = load(stack)
    assert {one.name: (one.outcome, one.arrived) for one in visits} == {
        late.name: ("late", 5),
        cut.name: ("missing", 4),
        refused.name: ("missing", 0),
        young.name: ("on its way", 0),
    }
    assert (refused.answer or "").startswith("no answer: ConnectionRefusedError")
    assert canaries.lost_lately(visits, now) == 3
    assert canaries.lost_lately(visits, now + timedelta(hours=4)) == 0
    assert canaries.sentence(visits) == (
        "Of 3 test visits of the last 24 hours 0 arrived whole and in time; 1 came late, 2 not at all or not whole."
    )


def test_forged_visits_hide_nothing_and_say_nothing(stack: Stack, url: str) -> None:
    """A stranger who knows the shape of a name, and even the ids of other people's events."""
    real = real_visit()
    post(url, real)
    sent = canary.send(url, stack.store)
    load(stack)
    before, books = tables(stack), counted(stack)
    forged = f"clickstream-canary-{uuid4()}"
    post(url, real_visit(forged), {**real, "client_id": forged}, {**real_visit(forged), "user_id": "ann"})
    [visit] = load(stack)
    assert (visit.name, visit.outcome) == (sent.name, "arrived")
    assert tables(stack) == before
    assert counted(stack) == (*books[:4], books[4] + 3)
    post(url, real_visit("clickstream-canary-mine"), real_visit(f"{forged} "), real_visit(f"{forged}x"))
    load(stack)
    assert counted(stack)[4] == books[4] + 3 + 1  # a blank at the end is none of an id


def test_a_forged_visit_that_comes_first_takes_no_events_place(stack: Stack, url: str) -> None:
    real = real_visit()
    post(url, {**real, "client_id": f"clickstream-canary-{uuid4()}"})
    assert load(stack) == []
    post(url, real)
    load(stack)
    assert counted(stack) == (1, 1, 0, 0, 1)


def test_a_note_is_taken_over_once_more_when_it_has_its_answer(stack: Stack) -> None:
    now = datetime.now(UTC)
    note = canary.new(now)
    for answer in (None, "503 storage_unavailable", None):
        obstore.put(stack.store, note.key, msgspec.json.encode(msgspec.structs.replace(note, answer=answer)))
        with stack.warehouse() as connection:
            [visit] = canaries.look(connection, stack.store, now)
    assert visit.answer == "503 storage_unavailable"
    obstore.put(stack.store, canary.new(now).key, b"{")
    with stack.warehouse() as connection:
        assert canaries.look(connection, stack.store, now) == [visit]
        assert canaries.look(connection, stack.store, now + timedelta(days=2)) == []


@pytest.mark.parametrize("address", ["", "collect.shop.example", "ftp://shop.example/", "https://", "https://a b/"])
def test_an_address_that_is_none_is_told(stack: Stack, address: str) -> None:
    with pytest.raises(BadAddress, match="takes an address such as"):
        canary.send(address, stack.store)


def test_no_visit_is_no_sentence_and_no_number() -> None:
    assert canaries.sentence([]) == ""
    assert canaries.lost_lately([], datetime.now(UTC)) is None


def test_the_tick_and_the_check_say_so(
    stack: Stack, url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime.now(UTC)

    def line() -> dict[str, object]:
        with stack.warehouse() as connection:
            tick_numbers.tell(connection, stack.store, {"seconds": 1.0}, {}, None)
        return dict(json.loads(capsys.readouterr().out.splitlines()[-1]))

    monkeypatch.setattr(resources, "_stack", lambda: stack)
    assert not {"CanariesLost", "canaries"} & line().keys()
    canary.send(url, stack.store)
    load(stack)
    assert line()["CanariesLost"] == 0
    assert canary_visits_arrive(Platform()).passed
    canary.send("http://127.0.0.1:9/", stack.store, now - timedelta(hours=3))
    told = line()
    assert told["CanariesLost"] == 1
    assert str(told["canaries"]).startswith("Of 2 test visits of the last 24 hours 1 arrived whole and in time, in ")
    found = canary_visits_arrive(Platform())
    assert (found.passed, found.severity, found.description) == (False, dg.AssetCheckSeverity.WARN, told["canaries"])

    monkeypatch.delenv("CLICKSTREAM_CANARY_URL", raising=False)
    skipped = hourly_canary(platform=Platform())
    assert (skipped.skip_message or "").startswith("Set CLICKSTREAM_CANARY_URL")
    monkeypatch.setenv("CLICKSTREAM_CANARY_URL", url)
    assert (hourly_canary(platform=Platform()).skip_message or "").endswith("the collector said 200.")
    assert [one.outcome for one in load(stack)] == ["missing", "arrived", "arrived"]

"""`clickstream rebuild-from-raw` and `clickstream replay`, on a warehouse that a server holds."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from cli_command import Command

from clickstream_dagster.partitions import HOUR
from clickstream_dagster.settings import Postgres, load_settings
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.load import load_hours
from clickstream_dagster.warehouse.rebuild import rebuild_all
from ingest_lambda import contract, landing
from ingest_lambda.contract import Rejection
from support.refusals import MARK, REASON, yesterday

START = datetime(2026, 3, 1, 10, tzinfo=UTC)
BOOKS = "select received, loaded, rejected, replayed from etl_ledger where received > 0"
VIEW = f'{{"event_name": "page_view", "client_id": "c-1", "page_title": "{MARK}", "event_timestamp": "2026-03-01T10:00:00Z"}}'


def put(home: Command, key: str, data: bytes) -> None:
    place = home.home / "raw" / key
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(data)


def load_by_the_old_rules(home: Command, postgres: Postgres) -> None:
    settings = replace(
        load_settings(home.environment()), postgres=replace(postgres, database=home.environ["DW_PG_DATABASE"])
    )
    stack = Stack(settings)
    with yesterday(), stack.warehouse() as connection:
        load_hours(connection, stack.store, START, START + HOUR)
        rebuild_all(connection)


@pytest.fixture
def refused(on_server: Command, postgres: Postgres) -> Command:
    """A warehouse in which a rule of yesterday has refused two events."""
    refusal = Rejection(REASON, "unheard of", START, 0, VIEW)
    put(on_server, landing.rejected_key(START, UUID(int=1)), contract.encode(refusal))
    put(on_server, landing.event_key(START, UUID(int=2)), VIEW.encode())
    load_by_the_old_rules(on_server, postgres)
    return on_server


def books(home: Command) -> str:
    return home("sql", "--csv", BOOKS).out.splitlines()[1]


def test_what_was_refused_is_told_brought_in_and_built_anew(refused: Command) -> None:
    assert books(refused) == "2,0,2,0"
    told = refused("replay", "--dry-run")
    assert "Read again 2 rejected events: loaded 2" in told.out, told.err
    assert "0 → 1" in told.out
    assert books(refused) == "2,0,2,0"
    done = refused("replay", "--reason", REASON)
    assert "Read again 2 rejected events: loaded 2" in done.out, done.err
    assert books(refused) == "2,2,0,1"
    assert "No event was rejected there." in refused("replay").out

    stands = refused("rebuild-from-raw").sentence
    assert stands.startswith("This warehouse holds 2 events.")
    assert "nothing would be lost" in stands
    (refused.home / "raw" / landing.event_key(START, UUID(int=2))).unlink()
    assert "loses 1 events for good, of 1 objects" in refused("rebuild-from-raw").sentence
    built = refused("rebuild-from-raw", "--replace")
    assert "Built from 1 objects: received 1 = loaded 1 + duplicate 0 + rejected 0." in " ".join(built.out.split()), (
        built.err
    )
    assert books(refused) == "1,1,0,1"


def test_an_empty_store_says_so(clickstream: Command) -> None:
    assert "nothing to build from" in clickstream("rebuild-from-raw").out

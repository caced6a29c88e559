"""Which models are owed anything: asked before each step of a rebuild, so that the others cost nothing."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from uuid import UUID

import obstore
import pytest
from obstore.store import MemoryStore

from clickstream_dagster.partitions import HOUR
from clickstream_dagster.warehouse import changes, rebuild
from clickstream_dagster.warehouse.connection import Connection, transaction
from clickstream_dagster.warehouse.load import load_hours
from clickstream_dagster.warehouse.models import all_models
from clickstream_dagster.warehouse.rebuild import rebuild_all
from ingest_lambda import contract, landing
from ingest_lambda.contract import Event

T = datetime(2026, 3, 20, 5, tzinfo=UTC)


@pytest.mark.parametrize("seed", range(3))
def test_it_names_the_models_that_keys_are_owed_to(warehouse: Connection, seed: int) -> None:
    rebuild_all(warehouse)  # a new warehouse owes its sums everything
    chosen = random.Random(seed).sample(sorted(all_models()), 4 * seed)
    with transaction(warehouse) as cursor:
        for model in chosen:
            changes.owe_keys(cursor, model, "select generate_series(1, 3)")
        assert changes.waiting(cursor) == set(chosen) == changes.owed(cursor).keys()
        changes.owe_spans(cursor, "select 'ann', now()")
        assert changes.waiting(cursor) == {*chosen, "fact_sessions"}


def test_a_rebuild_goes_where_something_is_owed_and_follows_what_it_owes(
    warehouse: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    visited: list[str] = []
    real = rebuild.rebuild
    monkeypatch.setattr(rebuild, "rebuild", lambda *given: visited.append(given[1].name) or real(*given))
    rebuild_all(warehouse)
    visited.clear()
    store = MemoryStore()
    event = Event(UUID(int=1), "page_view", T, T, client_id="ann", page_url="https://shop.example/")
    obstore.put(store, landing.event_key(T, UUID(int=2)), contract.encode(event))
    load_hours(warehouse, store, T, T + HOUR)
    steps = rebuild_all(warehouse)
    assert [step.model for step in steps] == list(all_models())
    assert {"fact_sessions", "fact_session_pages", "dim_visitor", "etl_ledger"} <= set(visited)
    assert not {"fact_orders", "fact_order_items", "agg_daily_traffic"} & set(visited)
    with transaction(warehouse) as cursor:
        assert changes.waiting(cursor) == set() == changes.owed(cursor).keys()
        cursor.execute("select (select count(*) from fact_session_pages), (select visitors from agg_daily_traffic)")
        assert cursor.fetchone() == (1, 1)
    visited.clear()
    rebuild_all(warehouse)
    assert visited == []

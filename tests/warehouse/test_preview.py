"""What a preview tells is what a load then does, and the preview itself changes nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

import obstore
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from obstore.store import MemoryStore

from clickstream_dagster.partitions import HOUR
from clickstream_dagster.settings import Postgres, load_settings
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.connection import Connection, connect, create_database, transaction
from clickstream_dagster.warehouse.load import load_hours
from clickstream_dagster.warehouse.preview import Preview, preview
from clickstream_dagster.warehouse.rebuild import rebuild_all
from clickstream_dagster.warehouse.unseen import look_everywhere
from ingest_lambda import contract, landing
from ingest_lambda.contract import Order
from support.histories import HOURS, START, RawFile, raw_files
from support.stories import RECEIVED, UUID, event, tell
from support.tables import dump, empty
from support.thorough import examples

END = START + HOURS * HOUR
DAYS = """
    select local_date, sum(visitors), sum(sessions), sum(orders)
    from agg_daily_traffic where not is_bot group by 1
"""


def previewed(stack: Stack, store: object = None, **changed: str) -> Preview:
    """What loading all that is unseen would change."""
    chosen = replace(stack.settings, **changed)  # type: ignore[arg-type]
    held = store or stack.store

    def unseen(connection: Connection) -> list[datetime]:
        return sorted(look_everywhere(connection, held, chosen).unseen)  # type: ignore[arg-type]

    return preview(stack.server, held, chosen, unseen)  # type: ignore[arg-type]


def counted(stack: Stack) -> dict[date, tuple[int, ...]]:
    with stack.warehouse() as connection, transaction(connection) as cursor:
        cursor.execute(DAYS)
        return {day: tuple(map(int, counts)) for day, *counts in cursor.fetchall()}


def tables(stack: Stack) -> dict[str, str]:
    with stack.warehouse() as connection:
        return dump(connection)


@pytest.fixture(scope="module")
def shop(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    create_database(postgres, "previewed")
    chosen = load_settings({"CLICKSTREAM_HOME": str(tmp_path_factory.mktemp("previewed"))})
    return Stack(replace(chosen, postgres=replace(postgres, database="previewed")))


@settings(max_examples=examples(12), suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(files=raw_files(), data=st.data())
def test_what_is_told_is_what_is_done(shop: Stack, files: list[RawFile], data: st.DataObject) -> None:
    store = MemoryStore()
    known = data.draw(st.integers(0, len(files)))
    with shop.warehouse() as connection:
        empty(connection)
        for file in files[:known]:
            obstore.put(store, file.key, file.data)
        load_hours(connection, store, START, END)
        rebuild_all(connection)
    for file in files[known:]:
        obstore.put(store, file.key, file.data)
    before, stands = counted(shop), tables(shop)
    told = previewed(shop, store)
    assert tables(shop) == stands
    with shop.warehouse() as connection:
        loaded = load_hours(connection, store, START, END)
        rebuilt = rebuild_all(connection)
    assert told.loaded == loaded
    moved = [(one.model, one.removed, one.added) for one in rebuilt if one.removed or one.added]
    # The ledger's hours without an object change only in that they were listed.
    assert [(one.model, one.removed, one.added) for one in told.rebuilt if one.removed or one.added] == moved
    after = counted(shop)
    changed = {day for day in before | after if before.get(day) != after.get(day)}
    assert changed <= set(told.days)  # the revenue of a day may change alone
    for day, (was, would_be) in told.days.items():
        assert _counts(was) == before.get(day, ())
        assert _counts(would_be) == after.get(day, ())


def _counts(numbers: object) -> tuple[object, ...]:
    held = dict(numbers)  # type: ignore[call-overload]
    return tuple(held[name] for name in ("visitors", "sessions", "orders")) if held else ()


def put(stack: Stack, *events: contract.Event) -> None:
    """Store events that nobody loads."""
    key = landing.event_key(RECEIVED, UUID(int=99))
    obstore.put(stack.store, key, b"\n".join(map(contract.encode, events)))


def test_a_late_order_is_told_with_its_money_and_without_a_trace(stack: Stack) -> None:
    tell(stack, event("1 10:00", "page_view", "ann", "/"))
    put(stack, event("1 10:05", "purchase", "ann", order=Order(id="a1", value=Decimal(20)), currency="EUR"))
    stands = tables(stack)
    told = previewed(stack)
    assert told.days == {
        date(2026, 4, 6): (
            {"visitors": 1, "sessions": 1, "orders": 0},
            {"visitors": 1, "sessions": 1, "orders": 1, "EUR": Decimal(20)},
        )
    }
    assert tables(stack) == stands
    assert previewed(stack) == told


def test_another_time_zone_is_told_before_it_moves_a_day(stack: Stack) -> None:
    tell(stack, event("1 23:30", "page_view", "ann", "/"))
    told = previewed(stack, timezone="Europe/Berlin")
    assert {day: bool(would_be) for day, (_, would_be) in told.days.items()} == {
        date(2026, 4, 6): False,
        date(2026, 4, 7): True,
    }
    with stack.warehouse() as connection, transaction(connection) as cursor:
        cursor.execute("select timezone, (select count(*) from changed_keys) from shop_settings")
        assert cursor.fetchone() == ("UTC", 0)


def test_an_empty_database_is_previewed_and_stays_empty(make_stack: object) -> None:
    stack = make_stack(is_migrated=False)  # type: ignore[operator]
    put(stack, event("1 10:00", "page_view", "ann", "/"))
    assert previewed(stack).loaded.loaded == 1
    connection = connect(stack.server)
    cursor = connection.cursor()
    cursor.execute("select count(*) from pg_tables where schemaname = 'public'")
    assert cursor.fetchone() == (0,)
    connection.close()


def test_a_failed_preview_changes_nothing(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    from clickstream_dagster.warehouse import preview as module

    tell(stack, event("1 10:00", "page_view", "ann", "/"))
    put(stack, event("2 10:00", "page_view", "ann", "/"))
    stands = tables(stack)
    monkeypatch.setattr(module, "_REVENUE", "select 1 / 0")
    with pytest.raises(Exception, match="division by zero"):
        previewed(stack)
    assert tables(stack) == stands

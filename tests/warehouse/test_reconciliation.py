"""The shop's own orders against those of events: a history worked out by hand, and any order of telling the two."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clickstream_dagster import resources
from clickstream_dagster.checks import shop_orders_arrive
from clickstream_dagster.resources import Platform
from clickstream_dagster.settings import Postgres
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.connection import transaction
from clickstream_dagster.warehouse.shop_orders import reconciliation
from support.reconciling import NAMELESS, id_of, outcomes, placed, purchase_or_refund, read
from support.shops import Shop
from support.stories import event, rows, tell
from support.thorough import examples

GOLDEN = yaml.safe_load((Path(__file__).parent / "reconciliation" / "golden.yml").read_text())
NAMES = [*GOLDEN["shop"], *(one["order"] for one in GOLDEN["events"] if one.get("order"))]
DAYS = """
    select local_date::text, currency, orders, arrived, missing, differing, surplus, revenue, arrived_revenue
    from daily_reconciliation order by 1, 2
"""


@pytest.fixture
def stack(make_stack: Callable[..., Stack]) -> Stack:
    """A warehouse in euros."""
    return make_stack(CLICKSTREAM_CURRENCY="EUR")


@pytest.fixture
def shop(postgres: Postgres) -> Shop:
    """An empty shop."""
    return Shop(postgres)


def test_a_history_that_was_worked_out_by_hand(stack: Stack, shop: Shop) -> None:
    for name, told in GOLDEN["shop"].items():
        placed(shop, name, told)
    assert read(stack, shop).orders == len(GOLDEN["shop"])
    tell(stack, event("1 08:30"), *map(purchase_or_refund, GOLDEN["events"]))
    assert outcomes(stack, NAMES) == GOLDEN["outcomes"]
    explained = rows(stack, "select order_id, explained_by from order_reconciliation where explained_by is not null")
    assert dict(explained) == {str(id_of(name)): part for name, part in GOLDEN["explained"].items()}
    days = [[*row[:7], *map(float, row[7:])] for row in rows(stack, DAYS)]
    assert days == GOLDEN["days"]


def test_without_a_shop_nothing_is_compared(stack: Stack) -> None:
    tell(stack, event("1 08:30"), purchase_or_refund({"order": "one", "at": "2 10:00", "value": 10}))
    assert rows(stack, "select * from order_reconciliation") == []
    with stack.warehouse() as connection:
        assert reconciliation.reconciled(connection) is None
    assert reconciliation.sentence(None) == ""


def test_orders_by_events_are_judged_only_where_the_shop_was_read(stack: Stack, shop: Shop) -> None:
    placed(shop, "first", {"at": "3 00:00", "lines": [["mug", 1, 10]]})
    read(stack, shop)
    told = [
        {"order": name, "at": moment, "value": 10} for name, moment in (("older", "3 00:59:59"), ("later", "3 01:00"))
    ]
    tell(stack, event("1 08:30"), *map(purchase_or_refund, told))
    said = outcomes(stack, ["first", "older", "later"])
    assert said == {"first": "missing in events", "older": "not read yet", "later": "missing in the shop"}


def test_a_refund_that_only_one_side_can_know_yet_is_no_difference(stack: Stack, shop: Shop) -> None:
    placed(shop, "one", {"at": "3 10:00", "lines": [["mug", 1, 10]], "refunds": [["118 00:30", 4]]})
    read(stack, shop)
    tell(stack, event("1 08:30"), purchase_or_refund({"order": "one", "at": "3 10:00", "value": 10}))
    assert outcomes(stack, ["one"]) == {"one": "agrees"}, "events are known until 0:00 of day 118"
    shop.run("update refunds set created_at = created_at - interval '1 hour'")
    read(stack, shop, is_whole=True)
    assert outcomes(stack, ["one"]) == {"one": "refund differs"}


def told_sentence(stack: Stack) -> str:
    with stack.warehouse() as connection:
        return reconciliation.sentence(reconciliation.reconciled(connection))


def test_the_sentence_and_the_check_say_how_many_arrived(
    stack: Stack, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"order {number}" for number in range(10)]
    for number, name in enumerate(names):
        placed(shop, name, {"at": f"100 {number + 9}:00", "lines": [["mug", 1, 10 if number else 110]]})
    read(stack, shop)
    tell(stack, event("1 08:30"))
    monkeypatch.setattr(resources, "_stack", lambda: stack)
    assert told_sentence(stack) == "0.0 % of 10 orders and 0.0 % of revenue arrived by events in 28 days; 10 did not."
    arrived = [
        {"order": name, "at": f"100 {number + 9}:00", "value": 10 if number else 110}
        for number, name in enumerate(names)
    ]
    tell(stack, *map(purchase_or_refund, arrived[:7]))
    assert told_sentence(stack) == "70.0 % of 10 orders and 85.0 % of revenue arrived by events in 28 days; 3 did not."
    found = shop_orders_arrive(Platform())
    assert isinstance(found, dg.AssetCheckResult)
    assert (found.passed, found.severity) == (False, dg.AssetCheckSeverity.WARN)
    tell(stack, purchase_or_refund(arrived[7]))
    assert shop_orders_arrive(Platform()).passed, "two orders are no alarm"
    tell(stack, purchase_or_refund({**arrived[8], "value": 9}), purchase_or_refund(arrived[9] | {"order": "foreign"}))
    assert told_sentence(stack) == (
        "90.0 % of 10 orders and 94.5 % of revenue arrived by events in 28 days; 1 did not; 1 differs; "
        "1 by events is no sale of the shop."
    )


OLDER = """
    with placed as (
        insert into shop_orders select (jsonb_populate_record(one, jsonb_build_object(
            'order_id', 'older ' || n, 'placed_at', one.placed_at - interval '60 days', 'local_date', one.local_date - 60
        ))).*
        from shop_orders as one cross join generate_series(1, 5000) as n
    )
    insert into fact_orders select (jsonb_populate_record(one, jsonb_build_object(
        'order_id', 'older ' || n, 'event_id', gen_random_uuid(), 'ordered_at', one.ordered_at - interval '60 days',
        'local_date', one.local_date - 60
    ))).*
    from fact_orders as one cross join generate_series(1, 5000) as n
"""
READ_ROWS = """
    select coalesce(sum(seq_tup_read + idx_tup_fetch), 0)::integer from pg_stat_user_tables
    where relname in ('shop_orders', 'fact_orders')
"""


def test_the_sentence_reads_the_orders_of_its_days_and_none_before(stack: Stack, shop: Shop) -> None:
    placed(shop, "one", {"at": "100 10:00", "lines": [["mug", 1, 10]]})
    read(stack, shop)
    tell(stack, event("1 08:30"), purchase_or_refund({"order": "one", "at": "100 10:00", "value": 10}))
    with stack.warehouse() as connection:
        with transaction(connection) as cursor:
            cursor.execute(OLDER)
            cursor.execute("analyze shop_orders; analyze fact_orders; select pg_stat_force_next_flush()")
        [(before,)] = rows(stack, READ_ROWS)
        assert reconciliation.sentence(reconciliation.reconciled(connection)).startswith("100.0 % of 1 orders")
        with transaction(connection) as cursor:
            cursor.execute("select pg_stat_force_next_flush()")
    [(after,)] = rows(stack, READ_ROWS)
    assert after - before < 20


def test_the_check_warns_when_a_connected_shop_is_not_read(
    make_stack: Callable[..., Stack], shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = make_stack(SHOP_PG_HOST=shop.reader.host, CLICKSTREAM_CURRENCY="EUR")
    monkeypatch.setattr(resources, "_stack", lambda: stack)
    never = shop_orders_arrive(Platform())
    assert (never.passed, never.description) == (
        False,
        "The shop's database was last read never: see the job shop_books.",
    )
    placed(shop, "one", {"at": "3 10:00", "lines": [["mug", 1, 10]]})
    read(stack, shop)
    assert shop_orders_arrive(Platform()).passed
    with stack.warehouse() as connection, transaction(connection) as cursor:
        cursor.execute("update shop_readings set read_to = read_to - interval '27 hours'")
    assert not shop_orders_arrive(Platform()).passed


STEPS = st.lists(st.sampled_from(["shop", "events", "read", "load", "read whole"]), max_size=12)


@settings(max_examples=examples(15), suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    steps=STEPS,
    places=st.permutations(range(6)),
    fates=st.lists(st.sampled_from(["both", "shop", "events", "off"]), min_size=6, max_size=6),
)
def test_any_order_of_telling_comes_to_the_same(
    make_stack: Callable[..., Stack], postgres: Postgres, steps: list[str], places: list[int], fates: list[str]
) -> None:
    """Orders placed, told, read and loaded in any order and repeatedly; in the end everything was read and loaded."""
    stack, shop = make_stack(CLICKSTREAM_CURRENCY="EUR"), Shop(postgres)
    names = [f"order {number}" for number in range(6)]
    placed(shop, "anchor", {"at": "2 00:00", "lines": [["mug", 1, 10]]})
    tell(stack, event("1 08:30"), purchase_or_refund({"order": "anchor", "at": "2 00:00", "value": 10}))
    waiting = {
        "shop": [n for n in places if fates[n] != "events"],
        "events": [n for n in reversed(places) if fates[n] != "shop"],
    }
    held: list[Any] = []
    for step in [*steps, *["shop", "events"] * 6, "load", "read", "read"]:
        if step == "shop" and waiting["shop"]:
            number = waiting["shop"].pop()
            placed(
                shop,
                names[number],
                {"at": f"3 1{number}:00", "lines": [["mug", 1, 10]], "updated_at": datetime.now(UTC)},
            )
        elif step == "events" and waiting["events"]:
            number = waiting["events"].pop()
            held.append(
                purchase_or_refund(
                    {"order": names[number], "at": f"3 1{number}:00", "value": 9 if fates[number] == "off" else 10}
                )
            )
        elif step == "load" and held:
            tell(stack, *held)  # some of them again
        elif step.startswith("read"):
            read(stack, shop, is_whole=step == "read whole")
        found = rows(stack, "select order_id, count(*) from order_reconciliation group by 1 having count(*) > 1")
        assert found == [], "each order is in exactly one state"
    words = {"both": "agrees", "shop": "missing in events", "events": "missing in the shop", "off": "amount differs"}
    said = outcomes(stack, ["anchor", *names])
    assert said == {"anchor": "agrees"} | {name: words[fate] for name, fate in zip(names, fates, strict=True)}
    assert NAMELESS not in said
    [(orders, arrived, missing)] = rows(
        stack, "select sum(orders), sum(arrived), sum(missing) from daily_reconciliation"
    )
    assert orders == arrived + missing == Counter(said.values()).total() - fates.count("events")

"""Touches follow whatever changes them: who somebody is, when a session began, what an order is worth."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest

from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse import changes
from clickstream_dagster.warehouse.connection import transaction
from clickstream_dagster.warehouse.migrate import migrate
from clickstream_dagster.warehouse.models import all_models
from clickstream_dagster.warehouse.rebuild import rebuild, rebuild_all
from ingest_lambda.contract import Event, Order
from support.stories import event, five_weeks, load, rows, tell
from support.tables import differences, dump, unequal_sums
from support.touches import attribution, path, worth

MODELS = ("first", "last", "last_non_direct", "linear", "position", "time_decay")
CHANNELS = "select channel from fact_order_touches where order_id = %s order by position"
LINKS = ("/", "/", "/?utm_source=news&utm_medium=email", "/?gclid=abc", "/?utm_source=pinterest&utm_medium=social")


def bought(when: str, order_id: str, visitor: str, value: str = "100.00") -> Event:
    return event(when, "purchase", visitor, order=Order(id=order_id, value=Decimal(value)))


def test_a_later_sign_in_that_joins_two_browsers_changes_the_touches_of_an_earlier_order(stack: Stack) -> None:
    tell(
        stack,
        event("1 10:00", visitor="phone", path="/?utm_source=news&utm_medium=email"),
        event("5 10:00", visitor="laptop", path="/?gclid=abc", user_id="u-1"),
        bought("5 10:05", "o1", "laptop"),
    )
    assert rows(stack, CHANNELS, "o1") == [("paid search",)]
    assert rows(stack, "select path, lost_journeys from agg_daily_touch_paths where currency = '(none)'") == [
        (["email"], 1)
    ]
    tell(stack, event("9 10:00", visitor="phone", user_id="u-1", path="/"))
    assert rows(stack, CHANNELS, "o1") == [("email",), ("paid search",)]
    assert rows(stack, "select path, orders, lost_journeys from agg_daily_touch_paths order by orders") == [
        (["direct"], 0, 1),
        (["email", "paid search"], 1, 0),
    ]
    tell(stack, event("10 10:00", visitor="phone", user_id="u-2"))
    assert rows(stack, CHANNELS, "o1") == [("paid search",)]


def history(seed: int) -> list[Event]:
    """Five weeks of shoppers, some of whom sign in, on browsers that they share now and then."""
    numbers = iter(range(10_000))

    def order(rng: random.Random, name: str) -> Order | None:
        value = Decimal(rng.randrange(10_000)) / 100
        known = f"o{next(numbers) if name == 'purchase' else rng.randrange(20)}"
        return Order(id=known, value=value) if name in ("purchase", "refund") else None

    return five_weeks(
        seed,
        ("page_view", "page_view", "view_product", "purchase", "refund"),
        visitors=20,
        user_id=lambda rng, _: rng.choice((None, None, None, None, "u1", "u2", "u3")) if rng.random() < 0.3 else None,
        path=lambda rng, _: rng.choice(LINKS),
        order=order,
    )


@pytest.mark.parametrize("seed", range(6))
def test_touches_and_credits_in_pieces_are_those_of_a_second_opinion(
    make_stack: Callable[..., Stack], seed: int
) -> None:
    days = (7, 30)[seed % 2]
    stack = make_stack(CLICKSTREAM_ATTRIBUTION_DAYS=str(days))
    told = history(seed)
    random.Random(seed).shuffle(told)
    for part in range(4):
        tell(stack, *told[part::4])
    expected = attribution(stack, timedelta(days=days))
    assert len(expected.touches) > 50
    assert expected.lost
    found = rows(stack, "select * from fact_order_touches order by order_id, position")
    columns = all_models()["fact_order_touches"].column_names
    by_order: dict[str, list[dict[str, object]]] = {}
    for row in found:
        by_order.setdefault(row[0], []).append(dict(zip(columns, row, strict=True)))
    assert {order: [one["session_key"] for one in held] for order, held in by_order.items()} == {
        order: [one.session for one in held] for order, held in expected.touches.items()
    }
    for order, touches in expected.touches.items():
        assert [one["path"] for one in by_order[order]] == [*[None] * (len(touches) - 1), list(path(touches))]
        for model in MODELS:
            for measure, amount, decimals in (("orders", Decimal(1), 6), ("revenue", expected.net[order], 2)):
                got = [one[f"{model}_{measure}"] for one in by_order[order]]
                assert got == worth(model, touches, amount, decimals), (order, model, measure)
                assert sum(got) == amount  # type: ignore[call-overload]
    lost = rows(stack, "select person_id, is_bot, path from fact_lost_journeys")
    assert sorted((who, is_bot, tuple(steps)) for who, is_bot, steps in lost) == expected.lost
    with stack.warehouse() as connection:
        assert unequal_sums(connection) == {}


def test_each_model_of_the_days_adds_up_to_orders_and_net_revenue(stack: Stack) -> None:
    tell(stack, *history(7))
    whole = """
        select local_date, currency, is_bot, count(*), sum(revenue - refunded)
        from fact_orders group by 1, 2, 3 order by 1, 2, 3
        """
    for model in MODELS:
        query = f"""
            select local_date, currency, is_bot, sum({model}_orders), sum({model}_revenue)
            from agg_daily_attribution group by 1, 2, 3 order by 1, 2, 3
            """
        assert rows(stack, query) == rows(stack, whole)


def test_only_the_newest_touches_count(make_stack: Callable[..., Stack], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clickstream_dagster.warehouse.shop_settings.TOUCHES_LIMIT", 3)
    stack = make_stack()
    tell(stack, *(event(f"{day} 10:00", path=LINKS[2]) for day in range(1, 6)), bought("6 10:00", "o1", "ann"))
    tell(stack, event("6 09:50", path=LINKS[3]))
    touches = rows(
        stack, "select extract(day from started_at)::integer, channel from fact_order_touches order by position"
    )
    assert touches == [(9, "email"), (10, "email"), (11, "paid search")]


def test_a_visit_owes_the_orders_that_it_is_a_touch_of_and_no_others(stack: Stack) -> None:
    days = [f"{day} 10:00" for day in range(1, 100)]
    tell(stack, *(event(at, path="/") for at in days), *(bought(at, f"o{n}", "ann") for n, at in enumerate(days)))
    load(stack, event("90 20:00", path="/"))
    with stack.warehouse() as connection:
        for name in ("fact_sessions", "dim_visitor", "fact_touches"):
            rebuild(connection, all_models()[name])
        with transaction(connection) as cursor:
            assert changes.owed(cursor)["fact_order_touches"] == 9  # those of the days 91 to 99
    load(stack, event("99 10:10", path="/"))
    with stack.warehouse() as connection:
        for name in ("fact_sessions", "dim_visitor", "fact_touches"):
            rebuild(connection, all_models()[name])
        with transaction(connection) as cursor:
            assert changes.owed(cursor)["fact_order_touches"] == 9  # a session that grows is the same touch


def test_a_late_visit_owes_no_order_with_enough_newer_ones(
    make_stack: Callable[..., Stack], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else one event of long ago could cost all orders of an id that a whole shop shares."""
    monkeypatch.setattr("clickstream_dagster.warehouse.shop_settings.TOUCHES_LIMIT", 3)
    stack = make_stack()
    days = [f"{day} 10:00" for day in range(1, 29)]
    tell(stack, *(event(at, path="/") for at in days), *(bought(at, f"o{n}", "ann") for n, at in enumerate(days, 1)))
    load(stack, event("10 20:00", path=LINKS[2]))
    with stack.warehouse() as connection:
        for name in ("fact_sessions", "dim_visitor", "fact_touches"):
            rebuild(connection, all_models()[name])
        with transaction(connection) as cursor:
            cursor.execute("select distinct key from changed_keys where model = 'fact_order_touches' order by key")
            assert [key for (key,) in cursor.fetchall()] == ["o11", "o12", "o13"]
        rebuild_all(connection)
    touched = rows(stack, "select distinct order_id from fact_order_touches where channel = 'email' order by order_id")
    assert touched == [("o11",), ("o12",)]


def test_a_warehouse_from_before_fills_the_tables_by_itself(stack: Stack) -> None:
    tell(stack, *history(3))
    tables = (
        "fact_touches",
        "fact_order_touches",
        "fact_lost_journeys",
        "agg_daily_attribution",
        "agg_daily_touch_paths",
    )
    with stack.warehouse() as connection:
        before = dump(connection)
        assert all(before[name] for name in tables)
        with transaction(connection) as cursor:
            cursor.execute("drop schema in_segment cascade")
            cursor.execute(f"drop table {', '.join(tables)}, campaign_spend")
            cursor.execute("delete from schema_migrations where name = '0015_attribution.sql'")
            cursor.execute("delete from model_versions where model = any(%s)", (list(tables),))
            cursor.execute("""
                alter table shop_settings
                    drop column attribution_window, drop column attribution_half_life, drop column touches_limit
                """)
        migrate(connection, stack.settings)
        rebuild_all(connection)
        assert differences(before, dump(connection)) == {}


def test_the_days_before_an_order_are_a_setting(make_stack: Callable[..., Stack]) -> None:
    stack = make_stack(CLICKSTREAM_ATTRIBUTION_DAYS="2")
    tell(stack, event("1 10:00", path=LINKS[2]), event("4 10:00", path=LINKS[3]), bought("5 10:00", "o1", "ann"))
    assert rows(stack, CHANNELS, "o1") == [("paid search",)]

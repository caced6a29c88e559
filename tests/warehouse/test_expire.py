"""What is older than the policy keeps leaves the store and the tables, and no sum changes by it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from msgspec.structs import replace
from obstore.store import ObjectStore, S3Store

from clickstream_dagster.partitions import HOUR
from clickstream_dagster.raw.erased import VISITOR
from clickstream_dagster.raw.objects import list_as_stored
from clickstream_dagster.raw.packs.changing import change
from clickstream_dagster.settings import SettingsError, load_settings
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse import changes, kept
from clickstream_dagster.warehouse.connection import Connection, owning, transaction, try_lock
from clickstream_dagster.warehouse.erasing.erase import erase
from clickstream_dagster.warehouse.expiring.events import BooksDoNotBalance
from clickstream_dagster.warehouse.expiring.expire import AlreadyExpiring, Expiry, count, expire
from clickstream_dagster.warehouse.expiring.policy import NoPolicy
from clickstream_dagster.warehouse.ledger import ledger
from clickstream_dagster.warehouse.load import load_hours
from clickstream_dagster.warehouse.models import all_models
from clickstream_dagster.warehouse.packing.hours import pack_hours, packable_prefixes
from clickstream_dagster.warehouse.rebuild import rebuild, rebuild_all
from clickstream_dagster.warehouse.unload import unload
from ingest_lambda import contract, landing
from ingest_lambda.contract import Event, Order, OrderItem, Product, Rejection
from support.aws import moto_bucket
from support.stories import rows
from support.tables import SUMS, differences, dump, unequal_sums

#: The first day that is kept with 100 days.
NOW = datetime(2026, 9, 1, 4, tzinfo=UTC)
HORIZON = datetime(2026, 5, 24, tzinfo=UTC)
OLD, LATER = HORIZON - timedelta(days=3), HORIZON + timedelta(days=2)
NAME = "0123456789ab"


def seen(number: int, at: datetime, visitor: str, name: str = "view_product", **more: object) -> Event:
    return Event(
        event_id=UUID(int=number),
        event_name=name,
        event_timestamp=at,
        received_at=at,
        client_id=visitor,
        product=Product(id="p", name="Mouse", price=Decimal("9.99")),
        **more,  # type: ignore[arg-type]
    )


def put(store: ObjectStore, number: int, *events: Event, key: str | None = None) -> str:
    key = key or landing.event_key(events[0].received_at, UUID(int=number))
    store.put(key, b"\n".join(map(contract.encode, events)))
    return key


def load(stack: Stack, connection: Connection) -> int:
    loaded = load_hours(connection, stack.store, OLD - timedelta(days=1), LATER + timedelta(days=1)).loaded
    rebuild_all(connection)
    return loaded


@pytest.fixture
def shop(make_stack: Callable[..., Stack]) -> Stack:
    """Ann was there before the horizon and after it, Bob only before and bought, Cleo only after. One line is no event."""
    stack = make_stack(CLICKSTREAM_KEEP_EVENTS_DAYS="100")
    order = Order(id="o1", items=[OrderItem(product_id="p", price=Decimal("9.99"))])
    put(stack.store, 1, seen(1, OLD, "ann"), seen(2, OLD + timedelta(minutes=1), "bob"))
    put(stack.store, 2, seen(3, OLD + HOUR, "bob", "purchase", order=order))
    put(stack.store, 3, seen(4, LATER, "ann"), seen(5, LATER + timedelta(minutes=1), "cleo"))
    refused = contract.encode(Rejection("invalid_json", "said so", OLD, 0, "{"))
    stack.store.put(landing.rejected_key(OLD, UUID(int=4)), refused)
    with stack.warehouse() as connection:
        load(stack, connection)
    return stack


def run(stack: Stack, connection: Connection) -> Expiry:
    return expire(connection, stack.server, stack.store, stack.settings, NOW)


def sums(connection: Connection) -> dict[str, str]:
    found = dump(connection)
    return {model.name: found[model.name] for model in SUMS}


def test_old_events_go_with_the_rows_of_visitors_and_the_sums_stay(shop: Stack) -> None:
    with shop.warehouse() as connection:
        before = sums(connection)
        would = count(connection, shop.store, shop.settings, NOW)
        assert (would.raw.objects, would.rejects, would.events, would.hours, would.visitors) == (3, 1, 3, 2, 1)
        assert dump(connection)["clickstream_events"].count("\n") == 4
        done = run(shop, connection)
        assert (done.raw.objects, done.rejects, done.events, done.lines) == (3, 1, 3, 3)
        assert differences(before, sums(connection)) == {}
        assert unequal_sums(connection) == {}
        assert [hour.difference for hour in ledger(connection)] == [0, 0, 0]
        assert [hour.expired for hour in ledger(connection)] == [3, 1, 0]
        again = run(shop, connection)
        assert (again.raw.objects, again.rejects, again.lines) == (0, 0, 0)
    assert rows(shop, "select visitor_id, first_seen_at from dim_visitor order by 1") == [
        ("ann", LATER),
        ("cleo", LATER + timedelta(minutes=1)),
    ]
    assert rows(shop, "select count(*) from fact_orders") == [(0,)]
    assert rows(shop, "select orders, revenue from agg_daily_revenue") == [(1, Decimal("9.99"))]
    assert rows(shop, "select sum(new_visitors) from agg_daily_traffic") == [(3,)]
    assert rows(shop, "select events_from from expiry") == [(OLD + 2 * HOUR,)]
    assert [raw.hour for raw in list_as_stored(shop.store, OLD, LATER + HOUR)] == [LATER]


def test_a_sum_that_is_computed_again_comes_out_the_same(shop: Stack) -> None:
    with shop.warehouse() as connection:
        run(shop, connection)
        before = sums(connection)
        for model in SUMS:
            with transaction(connection) as cursor:
                changes.owe_all(cursor, model)
            rebuild(connection, model)
        assert differences(before, sums(connection)) == {}
        model = all_models()["agg_daily_traffic"]
        with transaction(connection) as cursor:
            cursor.execute("update agg_daily_traffic set events = 7")
            changes.owe_keys(cursor, model.name, "select distinct local_date from agg_daily_traffic")
        rebuild(connection, model)
        assert differences(before, sums(connection)) == {}


def test_a_copy_of_an_event_that_has_expired_is_a_duplicate_while_another_one_is_kept(shop: Stack) -> None:
    with shop.warehouse() as connection:
        put(shop.store, 10, replace_received(seen(1, OLD, "ann"), LATER))
        load(shop, connection)
        run(shop, connection)
        before = sums(connection)
        put(shop.store, 11, replace_received(seen(1, OLD, "ann"), LATER + HOUR))
        assert load(shop, connection) == 0
        assert differences(before, sums(connection)) == {}
        assert [hour.difference for hour in ledger(connection)] == [0, 0, 0, 0]
    assert rows(shop, "select payload_differs from duplicate_events") == [(True,), (True,)]
    assert rows(shop, "select count(*) from expired_events") == [(1,)]
    with shop.warehouse() as connection:
        expire(connection, shop.server, shop.store, shop.settings, NOW + timedelta(days=30))
    assert rows(shop, "select count(*) from expired_events") == [(0,)]


def replace_received(event: Event, received: datetime) -> Event:
    return replace(event, received_at=received)


ORDERS = "select local_date::text, orders, revenue::text, refunded::text from agg_daily_revenue"


@pytest.mark.parametrize("is_refunded", [False, True], ids=["paid", "refunded"])
def test_an_order_that_has_expired_is_not_placed_again(shop: Stack, is_refunded: bool) -> None:
    """A thank-you page that a phone opens again months later sends the purchase as a new event."""
    again = Order(id="o1", items=[OrderItem(product_id="p", price=Decimal("9.99"))])
    with shop.warehouse() as connection:
        if is_refunded:
            put(shop.store, 51, seen(61, LATER + HOUR, "bob", "refund", order=Order(id="o1")))
            load(shop, connection)
        counted = rows(shop, ORDERS)
        run(shop, connection)
        put(shop.store, 50, seen(60, LATER + 3 * HOUR, "bob", "purchase", order=again))
        load(shop, connection)
    assert rows(shop, "select count(*) from clickstream_events where event_name = 'purchase'") == [(1,)]
    assert rows(shop, "select count(*) from fact_orders") == [(0,)]
    assert rows(shop, ORDERS) == counted == [("2026-05-21", 1, "9.99", "9.99" if is_refunded else "0.00")]


def test_an_order_of_which_a_purchase_event_is_kept_stays_one(shop: Stack) -> None:
    again = Order(id="o1", items=[OrderItem(product_id="p", price=Decimal("9.99"))])
    with shop.warehouse() as connection:
        put(shop.store, 50, seen(60, LATER + HOUR, "bob", "purchase", order=again))
        load(shop, connection)
        counted = rows(shop, ORDERS)
        run(shop, connection)
        assert rows(shop, ORDERS) == counted
        put(shop.store, 51, seen(61, LATER + 2 * HOUR, "bob", "refund", order=Order(id="o1")))
        load(shop, connection)
    assert rows(shop, "select sum(orders), sum(refunded)::text from agg_daily_revenue") == [(1, "9.99")]


def test_what_comes_for_an_hour_before_the_horizon_counts_and_goes_with_the_next_run(shop: Stack) -> None:
    with shop.warehouse() as connection:
        run(shop, connection)
        put(shop.store, 20, seen(20, OLD, "dan"))
        assert load(shop, connection) == 1
        assert run(shop, connection).events == 1
        assert unequal_sums(connection) == {}
    assert rows(shop, "select sum(new_visitors) from agg_daily_traffic") == [(4,)]
    assert rows(shop, "select count(*) from dim_visitor where visitor_id = 'dan'") == [(0,)]


def test_who_is_erased_later_leaves_the_facts_and_what_had_expired_stays_in_the_sums(shop: Stack) -> None:
    with shop.warehouse() as connection:
        run(shop, connection)
        erase(connection, shop.store, [(VISITOR, "ann")])
        rebuild_all(connection)
        assert unequal_sums(connection) == {}
    days = "select local_date, sessions, new_visitors from agg_daily_traffic order by 1"
    # Cleo alone is new on the later day, and Ann's second visit counted as a new visitor's by then.
    assert rows(shop, days) == [(OLD.date(), 2 + 1, 2), (LATER.date(), 1, 0)]


def test_an_import_keeps_in_the_sums_what_had_expired_of_it(shop: Stack) -> None:
    with shop.warehouse() as connection:
        old, later = (landing.imported_key("events", hour, NAME, 0) for hour in (OLD, LATER))
        put(shop.store, 0, seen(30, OLD, "eve"), key=old)
        put(shop.store, 0, seen(31, LATER, "eve"), key=later)
        load(shop, connection)
        before = sums(connection)
        run(shop, connection)
        done = unload(connection, shop.store, NAME, lambda: change(shop.store, {old: None, later: None}))
        assert (done.objects, done.events) == (1, 1)
        put(shop.store, 0, seen(30, OLD, "eve"), key=old)
        put(shop.store, 0, seen(31, LATER, "eve"), key=later)
        assert load(shop, connection) == 1
        assert differences(before, sums(connection)) == {}


def test_books_that_do_not_balance_keep_everything(shop: Stack) -> None:
    with shop.warehouse() as connection:
        with transaction(connection) as cursor:
            cursor.execute("delete from clickstream_events where event_id = %s", (str(UUID(int=2)),))
        before = dump(connection)
        with pytest.raises(BooksDoNotBalance, match=r"2026-05-21T00:00Z.*clickstream status"):
            run(shop, connection)
        assert differences(before, dump(connection)).keys() <= {"rejected_events", "raw_objects", "etl_ledger"}


def test_two_do_not_expire_at_a_time(shop: Stack) -> None:
    with (
        shop.warehouse() as one,
        shop.warehouse() as other,
        try_lock(one, "expiring", 60),
        pytest.raises(AlreadyExpiring, match="again"),
    ):
        run(shop, other)


def test_without_a_policy_nothing_goes(stack: Stack) -> None:
    with stack.warehouse() as connection, pytest.raises(NoPolicy, match="CLICKSTREAM_KEEP_EVENTS_DAYS"):
        run(stack, connection)


def test_raw_objects_and_rejects_are_kept_no_longer_than_events() -> None:
    chosen = load_settings({"CLICKSTREAM_KEEP_EVENTS_DAYS": "400", "CLICKSTREAM_KEEP_RAW_DAYS": "90"})
    assert (chosen.keep_raw_days, chosen.keep_rejected_days, chosen.keep_events_days) == (90, 400, 400)
    with pytest.raises(SettingsError, match="CLICKSTREAM_KEEP_RAW_DAYS=401 is longer"):
        load_settings({"CLICKSTREAM_KEEP_EVENTS_DAYS": "400", "CLICKSTREAM_KEEP_RAW_DAYS": "401"})
    with pytest.raises(SettingsError, match="it takes 97 days or more"):
        load_settings({"CLICKSTREAM_KEEP_EVENTS_DAYS": "96", "CLICKSTREAM_ATTRIBUTION_DAYS": "90"})


@pytest.fixture(scope="module")
def bucket() -> Iterator[S3Store]:
    with moto_bucket("raw-to-expire") as store:
        yield store


@pytest.mark.parametrize("place", ["folder", "bucket"])
def test_old_raw_objects_go_by_their_own_rule_and_what_is_not_loaded_stays(
    make_stack: Callable[..., Stack], bucket: S3Store, place: str
) -> None:
    stack = make_stack(CLICKSTREAM_KEEP_RAW_DAYS="100", CLICKSTREAM_KEEP_REJECTED_DAYS="98")
    if place == "bucket":
        vars(stack)["store"] = bucket
    older = OLD.replace(hour=5)
    packed = [put(stack.store, 40 + number, seen(number, OLD + HOUR, "ann")) for number in range(3)]
    small = put(stack.store, 50, seen(9, older, "ann"))
    later = put(stack.store, 51, seen(10, LATER, "ann"))
    hive = f"events/year={OLD:%Y}/month={OLD:%m}/day={OLD:%d}/hour=07/some.json"
    put(stack.store, 0, seen(11, OLD, "bob"), key=hive)
    refused = landing.rejected_key(HORIZON + HOUR, UUID(int=52))
    stack.store.put(refused, contract.encode(Rejection("invalid_json", "said so", HORIZON + HOUR, 0, "{")))
    with stack.warehouse() as connection:
        load(stack, connection)
        pack_hours(connection, stack.store, packable_prefixes(connection, stack.store), timedelta(days=-1))
        unloaded = put(stack.store, 60, seen(60, older, "zoe"))
        before = dump(connection)
        would = count(connection, stack.store, stack.settings, NOW)
        done = run(stack, connection)
        assert (would.raw.objects, would.raw.unloaded) == (done.raw.objects, done.raw.unloaded) == (6, 1)
        rebuild_all(connection)
        found = dump(connection)
        assert differences(before, found).keys() == {"rejected_events", "raw_objects", "etl_ledger"}
        assert found["rejected_events"] == ""
        left = {raw.key for raw in list_as_stored(stack.store, OLD - HOUR, LATER + HOUR)}
        assert left == {later, unloaded}
        assert not {*packed, small, hive, refused} & left
        assert load(stack, connection) == 1
        assert run(stack, connection).raw.objects == 1
    assert rows(stack, "select count(*) from raw_packs") == [(0,)]


def test_kept_rows_follow_the_columns_of_their_sum(shop: Stack) -> None:
    """As a migration adds one, takes one away, and brings one into the grain."""
    with shop.warehouse() as connection:
        run(shop, connection)
        before = rows(shop, "select sum(events), sum(new_visitors) from kept_agg_daily_traffic")
        with transaction(connection) as cursor, owning(cursor):
            cursor.execute("""
                alter table kept_agg_daily_traffic drop column people;
                alter table kept_agg_daily_traffic add column long_gone bigint;
                alter table kept_agg_daily_revenue drop column country
                """)
            kept.settle(cursor)
            kept.settle(cursor)
    columns = """
        select array_agg(attname::text order by attnum) from pg_attribute
        where attrelid = %s::regclass and attnum > 0 and not attisdropped
    """
    for name in ("agg_daily_traffic", "agg_daily_revenue"):
        assert rows(shop, columns, name) == rows(shop, columns, f"kept_{name}")
    assert rows(shop, "select sum(events), sum(new_visitors) from kept_agg_daily_traffic") == before
    assert rows(shop, "select sum(people) from kept_agg_daily_traffic") == [(0,)]
    assert rows(shop, "select country, orders from kept_agg_daily_revenue") == [("(none)", 1)]


def test_whatever_a_grain_is_made_of_can_be_unknown() -> None:
    types = {column.data_type for model in SUMS for column in model.columns if column.name in model.grain}
    assert types - {"date"} <= kept.UNKNOWN.keys()

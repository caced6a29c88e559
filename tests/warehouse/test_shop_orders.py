"""The shop's own orders: read from a real PostgreSQL by a login that can do nothing else, in part, by any query, and killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from clickstream_dagster.settings import Postgres, load_settings
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.connection import connect
from clickstream_dagster.warehouse.from_raw import empty
from clickstream_dagster.warehouse.shop_orders.database import Query, ShopQueryRefused, ShopUnreachable
from clickstream_dagster.warehouse.shop_orders.store import Brought, read_database
from support.reconciling import id_of, placed, read
from support.shops import Shop
from support.stories import at, rows

STANDS = """
    select order_id, placed_at, local_date::text, status, is_sale, currency, total, items, discount, shipping, tax, refunded,
        refunded_at, lines, pieces, source
    from shop_orders order by order_id
"""
WHERE = "select order_id, ctid::text from shop_orders order by 1"
TOLD = {"at": "2 10:00", "lines": [["mug", 2, 10], ["pot", 1, 30]], "shipping": 4.9, "tax": 8, "discount": 1}
#: A shop with tables and words of its own: times without a zone, amounts in cents, a purchase that was a test.
OWN_QUERY = """
    -- 100 % ours
    select number as order_id, happened as placed_at, cents / 100.0 as total, money as currency, lines
    from verkauf where number is distinct from 'test' and changed >= current_setting('clickstream.since')::timestamptz;
"""


@pytest.fixture
def shop(postgres: Postgres) -> Shop:
    """An empty shop."""
    return Shop(postgres)


def test_an_order_is_kept_as_the_shop_has_it(stack: Stack, shop: Shop) -> None:
    placed(shop, "one", TOLD | {"refunds": [["3 10:00", 5], ["4 10:00", 2.5]]})
    assert (read(stack, shop).orders, read(stack, shop).changed) == (1, 0)
    [order] = rows(stack, STANDS)
    amounts = [Decimal(text) for text in ("61.90", "50.00", "1.00", "4.90", "8.00", "7.50")]
    lines = [{"product_id": "mug", "quantity": 2, "price": 10.0}, {"product_id": "pot", "quantity": 1, "price": 30.0}]
    assert order[:6] == (str(id_of("one")), at("2 10:00"), "2026-04-07", "paid", True, "EUR")
    assert list(order[6:12]) == amounts
    assert order[12] == at("4 10:00")
    assert sorted(order[13], key=str) == sorted(lines, key=str)
    assert order[14:] == ({"mug": 2, "pot": 1}, "database")


def test_only_what_has_changed_is_read_again(stack: Stack, shop: Shop) -> None:
    for number in range(5):
        placed(shop, f"order {number}", {"at": f"{number + 2} 10:00", "lines": [["mug", 1, 10]]})
    first = read(stack, shop)
    assert (first.since, first.orders, first.changed) == (None, 5, 5)
    before = dict(rows(stack, WHERE))
    again = read(stack, shop)
    assert again.since is not None
    assert (again.orders, again.changed) == (0, 0)
    shop.run("update orders set status = 'cancelled', updated_at = now() where order_id = %s", str(id_of("order 1")))
    shop.refund(id_of("order 2"), 3, datetime.now(UTC))
    third = read(stack, shop)
    assert (third.orders, third.changed) == (2, 2)
    after = dict(rows(stack, WHERE))
    assert {order for order in after if after[order] != before[order]} == {str(id_of("order 1")), str(id_of("order 2"))}
    assert read(stack, shop, is_whole=True).changed == 0


def test_what_is_committed_late_is_seen_by_the_next_reading(stack: Stack, shop: Shop) -> None:
    placed(shop, "first", TOLD)
    read(stack, shop)
    with closing(psycopg2.connect(shop.owner.dsn)) as slow, slow.cursor() as cursor:
        cursor.execute("insert into orders (order_id, currency, total) values (%s, 'EUR', 9)", (str(id_of("slow")),))
        assert read(stack, shop).changed == 0, "not committed yet, and older than this reading"
        slow.commit()
    assert read(stack, shop).changed == 1


def test_only_a_whole_reading_takes_away_what_the_shop_deleted(stack: Stack, shop: Shop) -> None:
    placed(shop, "kept", TOLD)
    placed(shop, "deleted", TOLD)
    read(stack, shop)
    shop.run("delete from orders where order_id = %s", str(id_of("deleted")))
    assert read(stack, shop).gone == 0
    assert read(stack, shop, is_whole=True).gone == 1
    assert [order for order, *_ in rows(stack, STANDS)] == [str(id_of("kept"))]


def test_another_query_or_another_shop_is_read_whole(stack: Stack, shop: Shop, tmp_path: Path) -> None:
    placed(shop, "one", TOLD)
    read(stack, shop)
    assert own(stack, shop, tmp_path, Query(shop.reader, None).sql.replace("'cancelled'", "'paid'")).since is None
    assert [is_sale for *_, is_sale in rows(stack, "select order_id, is_sale from shop_orders")] == [False]


def own(stack: Stack, shop: Shop, folder: Path, sql: str) -> Brought:
    """Read by a query of the shop's own."""
    path = folder / "orders.sql"
    path.write_text(sql)
    with stack.warehouse() as connection:
        return read_database(connection, Query(shop.reader, path))


def make_own_tables(shop: Shop, *orders: tuple[Any, ...]) -> None:
    shop.run("""
        create table verkauf (
            number text, happened timestamp, cents numeric, money text, lines json, changed timestamptz default now()
        );
        grant select on verkauf to shop_reader
        """)
    for order in orders:
        shop.run("insert into verkauf values (%s, %s, %s, %s, %s)", *order)


def test_a_shop_with_other_tables_brings_its_own_query(stack: Stack, shop: Shop, tmp_path: Path) -> None:
    lines = '[{"product_id": 17, "quantity": 2, "price": 19.99, "buyer": "ann@example.com"}]'
    make_own_tables(
        shop, ("#1001", "2026-04-07 10:00", 3998, "eur", lines), ("test", "2026-04-07 10:00", 1, "EUR", None)
    )
    assert own(stack, shop, tmp_path, OWN_QUERY).orders == 1
    [order] = rows(stack, STANDS)
    assert order[:8] == (
        "#1001", at("2 10:00"), "2026-04-07", None, True, "EUR", Decimal("39.98"), Decimal("39.98"),
    )  # fmt: skip
    assert order[13] == [{"product_id": "17", "quantity": 2, "price": 19.99}]


HOSTILE = ("=1+1", "<img src=x onerror=alert(1)>", "'; drop table shop_orders; --", "a" * 256, "\u202eabc", "😀\u0007")


def test_what_is_odd_costs_itself_alone(stack: Stack, shop: Shop, tmp_path: Path) -> None:
    placed_at = "2026-04-07 10:00"
    odd = [
        ("x" * 10_000, placed_at, 100, "EUR", None),
        ("", placed_at, 100, "EUR", None),
        (None, placed_at, 100, "EUR", None),
        ("no total", placed_at, None, "EUR", None),
        ("not a number", placed_at, "NaN", "EUR", None),
        ("below zero", placed_at, -100, "EUR", None),
        ("far too much", placed_at, 10**15, "EUR", None),
        ("no time", None, 100, "EUR", None),
        ("never", "infinity", 100, "EUR", None),
        ("in the far future", "20000-01-01", 100, "EUR", None),
        ("in antiquity", "0044-03-15 BC", 100, "EUR", None),
        ("too long a number", placed_at, 100, "EUR", '[{"product_id": "p", "price": %s}]' % ("9" * 5_000)),
        ("too deep", placed_at, 100, "EUR", "[" * 2_000 + "]" * 2_000),
        ("a word", placed_at, 100, "euro", None),
        ("a sign", placed_at, 100, "€", None),
    ]
    kept = [
        *((order, placed_at, 100, "EUR", None) for order in HOSTILE),
        ("odd lines", placed_at, 100, "EUR", '{"a": 1}'),
        (
            "many lines",
            placed_at,
            100,
            "EUR",
            "[" + ", ".join(['{"product_id": "p", "quantity": 1, "price": 1}'] * 500) + "]",
        ),
        ("no currency", placed_at, 100, None, None),
        ("a blank currency", placed_at, 100, "   ", None),
    ]
    make_own_tables(shop, *odd, *kept)
    brought = own(stack, shop, tmp_path, OWN_QUERY)
    assert (brought.orders, brought.left_out.total()) == (len(kept), len(odd))
    assert all(len(reason) < 400 for reason in brought.left_out)
    stands = {order[0]: order for order in rows(stack, STANDS)}
    assert {order.strip() for order in HOSTILE} <= stands.keys()
    assert (stands["odd lines"][13], stands["no currency"][5], stands["many lines"][14]) == (None, "USD", {"p": 500})


def named(
    stack: Stack, shop: Shop, folder: Path, column: str, values: tuple[str, ...]
) -> tuple[Counter[str], dict[str, Any]]:
    """Orders that differ in one column, called by what they say there: why some are left out, and the column of the others."""
    said = " union all ".join(
        f"select $v$order {value}$v$ as order_id, date '2026-04-07' as placed_at, 'EUR' as currency, 5 as total, 1 as refunded, "
        f"{value} as {column}"
        for value in values
    )
    brought = own(stack, shop, folder, said)
    kept = rows(stack, f"select substr(order_id, 7), {column} from shop_orders")
    return brought.left_out, dict(kept)


@pytest.mark.parametrize(
    ("values", "kept"),
    [
        (("true", "false"), [True, False]),
        (("1", "0"), [True, False]),
        (("'t'", "'f'", "'Yes'", "'no'", "'on'", "'OFF '"), [True, False] * 3),
    ],
)
def test_whether_an_order_is_a_sale_is_said_in_any_word_of_postgresql(
    stack: Stack, shop: Shop, tmp_path: Path, values: tuple[str, ...], kept: list[bool]
) -> None:
    assert named(stack, shop, tmp_path, "is_sale", values) == (Counter(), dict(zip(values, kept, strict=True)))


def test_an_order_that_does_not_say_whether_it_is_a_sale_is_left_out(stack: Stack, shop: Shop, tmp_path: Path) -> None:
    left_out, kept = named(stack, shop, tmp_path, "is_sale", ("'cancelled'", "null", "'f'"))
    assert left_out == {"is_sale: expected true or false; have the query say one of them for each order": 2}
    assert kept == {"'f'": False}


def test_a_time_of_a_refund_is_read_as_that_of_an_order(stack: Stack, shop: Shop, tmp_path: Path) -> None:
    values = ("'2026-04-08'", "null", "'24.12.2026'", "'infinity'", "'0044-03-15 BC'")
    left_out, kept = named(stack, shop, tmp_path, "refunded_at", values)
    assert kept == {"'2026-04-08'": datetime(2026, 4, 8, tzinfo=UTC), "null": None}
    assert [(reason.partition(",")[0], count) for reason, count in left_out.items()] == [
        ("refunded_at: expected ISO 8601", 3)
    ]


def test_the_login_can_read_orders_and_nothing_about_who_bought(stack: Stack, shop: Shop) -> None:
    shop.run("insert into users (email) values ('ann@example.com')")
    placed(shop, "one", TOLD)
    shop.run("update orders set user_id = (select user_id from users), client_id = 'client-of-ann'")
    read(stack, shop)
    with stack.warehouse() as connection, connection.cursor() as cursor:
        cursor.execute("select shop_orders::text from shop_orders")
        assert "ann" not in str(cursor.fetchall())
    for statement in (
        "select email from users", "select user_id from orders", "select client_id from orders", "select * from inventory",
        "update orders set total = 0", "insert into refunds (order_id, amount) select order_id, 1 from orders",
        "set default_transaction_read_only = off; delete from order_items",
    ):  # fmt: skip
        with (
            closing(psycopg2.connect(shop.reader.dsn)) as reader,
            reader.cursor() as cursor,
            pytest.raises((psycopg2.errors.InsufficientPrivilege, psycopg2.errors.ReadOnlySqlTransaction)),
        ):
            cursor.execute(statement)


def test_a_query_cannot_change_the_shop_even_for_its_owner(stack: Stack, shop: Shop, tmp_path: Path) -> None:
    placed(shop, "one", TOLD)
    shop.run("create function spoil() returns text language sql as 'update orders set total = 0 returning status'")
    path = tmp_path / "orders.sql"
    path.write_text("select order_id, created_at as placed_at, currency, total, spoil() as status from orders")
    with stack.warehouse() as connection, pytest.raises(ShopQueryRefused, match="read-only transaction"):
        read_database(connection, Query(shop.owner, path))
    read(stack, shop)
    assert rows(stack, "select total from shop_orders") == [(Decimal("61.90"),)]


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("select 1 as order_id", "gives no column placed_at"),
        ("select * from nowhere", 'relation "nowhere" does not exist'),
        ("select * from users", "permission denied for table users"),
        ("select order_id", 'column "order_id" does not exist'),
        ("drop table orders", "syntax error"),
    ],
)
def test_a_query_that_does_not_work_is_refused_in_words(
    stack: Stack, shop: Shop, tmp_path: Path, sql: str, said: str
) -> None:
    placed(shop, "one", TOLD)
    read(stack, shop)
    with pytest.raises(ShopQueryRefused, match=said):
        own(stack, shop, tmp_path, sql)
    assert len(rows(stack, STANDS)) == 1


def test_no_answer_is_told_without_the_password(stack: Stack, shop: Shop, tmp_path: Path) -> None:
    away = replace(shop.reader, host="127.0.0.1", port=9, password="s3cr3t-of-the-shop")
    with stack.warehouse() as connection, pytest.raises(ShopUnreachable, match="SHOP_PG_") as caught:
        read_database(connection, Query(away, None))
    assert "s3cr3t" not in str(caught.value)
    settings = load_settings({"SHOP_PG_HOST": "db.example", "SHOP_PG_PASSWORD": "s3cr3t-of-the-shop"})
    assert settings.shop is not None
    assert "s3cr3t" not in repr(settings)
    assert (settings.shop.user, settings.shop.database) == ("shop_reader", "shop")
    with pytest.raises(ShopQueryRefused, match="CLICKSTREAM_SHOP_QUERY"):
        Query(shop.reader, tmp_path / "none.sql")


def test_another_time_zone_moves_the_dates(make_stack: Callable[..., Stack], shop: Shop) -> None:
    stack = make_stack()
    placed(shop, "late", TOLD | {"at": "2 23:30"})
    read(stack, shop)
    moved = Stack(replace(stack.settings, timezone="Europe/Berlin"))
    assert rows(moved, "select local_date::text from shop_orders") == [("2026-04-08",)]


def test_a_warehouse_that_is_made_anew_of_its_bucket_keeps_the_shop_s_orders(stack: Stack, shop: Shop) -> None:
    placed(shop, "one", TOLD)
    read(stack, shop)
    with stack.warehouse() as connection:
        empty(connection)
    assert len(rows(stack, STANDS)) == 1


MANY = """
    insert into products (product_id, name, category, price) select 'p' || n, 'p', 'all', 1 from generate_series(1, 50) as n;
    insert into orders (order_id, currency, total, created_at, updated_at)
    select md5(n::text)::uuid, 'EUR', 30, timestamptz '2026-04-07' + n * interval '25 seconds', timestamptz '2026-04-07'
    from generate_series(1, %(orders)s) as n;
    insert into order_items select md5(n::text)::uuid, 'p' || 1 + (n + line) %% 50, 1, 10
    from generate_series(1, %(orders)s) as n cross join generate_series(1, 3) as line;
    analyze
"""


def fill(shop: Shop, orders: int) -> None:
    with closing(connect(shop.owner)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(MANY, {"orders": orders})


def test_a_hundred_thousand_orders_are_read_in_bounded_memory_and_asked_for_by_index(stack: Stack, shop: Shop) -> None:
    fill(shop, 100_000)
    program = f"""
import time
from dataclasses import replace
from clickstream_dagster.settings import Postgres, load_settings
from clickstream_dagster.warehouse.connection import connect
from clickstream_dagster.warehouse.shop_orders.database import Query
from clickstream_dagster.warehouse.shop_orders.store import read_database
shop = Postgres({shop.reader.host!r}, {shop.reader.port}, "shop_reader", {shop.reader.password!r}, {shop.reader.database!r})
warehouse = replace(shop, user={stack.server.user!r}, password={stack.server.password!r}, database={stack.server.database!r})
connection, query = connect(warehouse), Query(shop, None)
def peak():
    return int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0])
before, began = peak(), time.process_time()
brought = read_database(connection, query)
print(brought.changed, peak() - before, time.process_time() - began)
"""
    with stack.warehouse():
        pass
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=300)
    changed, grown, seconds = done.stdout.split()
    print(f"{changed} orders in {float(seconds):.1f} s of CPU, {int(grown) / 1024:.0f} MB more")
    assert int(changed) == 100_000
    assert int(grown) < 60_000, "kB; all of them are some 100 MB"
    assert float(seconds) < 60
    assert read(stack, shop).orders == 0, "nothing has changed"
    with stack.warehouse() as connection, connection.cursor() as cursor:
        cursor.execute(
            "explain select * from order_reconciliation where local_date between '2026-04-08' and '2026-04-09'"
        )
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "shop_orders_local_date" in plan
    assert "fact_orders_local_date" in plan


def test_the_hourly_question_reads_what_has_changed_and_no_other_order(stack: Stack, shop: Shop) -> None:
    fill(shop, 30_000)
    read(stack, shop)
    shop.run("update orders set status = 'cancelled', updated_at = now() where order_id = md5('7')::uuid")
    shop.run("insert into refunds (order_id, amount) values (md5('8')::uuid, 5)")
    with closing(psycopg2.connect(shop.reader.dsn)) as reader, reader.cursor() as cursor:
        cursor.execute("select set_config('clickstream.since', (now() - interval '1 hour')::text, true)")
        cursor.execute("explain (analyze, format json) " + Query(shop.reader, None).sql)
        [[[found]]] = cursor.fetchall()
    scans = [node for node in nodes(found["Plan"]) if node.get("Relation Name") in ("orders", "order_items")]
    assert found["Plan"]["Actual Rows"] == 2
    assert {node["Node Type"] for node in scans} & {"Seq Scan"} == set()
    assert max(node["Actual Rows"] for node in scans) < 10
    assert read(stack, shop).orders == 2


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every node of a plan."""
    yield plan
    for part in plan.get("Plans", ()):
        yield from nodes(part)


def test_a_reading_that_is_killed_leaves_nothing_half(stack: Stack, shop: Shop) -> None:
    fill(shop, 20_000)
    with stack.warehouse():
        pass
    server = stack.server
    environ = os.environ | {
        "CLICKSTREAM_HOME": str(stack.settings.home), "DW_PG_HOST": server.host, "DW_PG_PORT": str(server.port),
        "DW_PG_DATABASE": server.database, "SHOP_PG_HOST": shop.reader.host, "SHOP_PG_PORT": str(shop.reader.port),
        "SHOP_PG_DATABASE": shop.reader.database,
    }  # fmt: skip
    command = [sys.executable, "-c", "from clickstream_dagster.cli.main import main; main()", "shop-orders"]
    counts = []
    for seconds in (1.2, 1.8, 2.4, 3.0):
        running = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        time.sleep(seconds)
        running.send_signal(signal.SIGKILL)
        running.communicate()
        counts.append(rows(stack, "select count(*) from shop_orders")[0][0])
    assert set(counts) <= {0, 20_000}
    assert 0 in counts, "no kill came in time"
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert rows(stack, "select count(*), sum(total) from shop_orders") == [(20_000, 600_000)]

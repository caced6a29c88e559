"""`clickstream shop-orders` as its users type it: files of their own, exports, and no shop at all."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from cli_command import Command

from clickstream_dagster.local.embedded import start_postgres
from clickstream_dagster.local.storefront.database import prepare
from clickstream_dagster.settings import SHOP_DATABASE
from clickstream_dagster.warehouse.connection import connect, create_database, transaction

CASES = Path(__file__).resolve().parents[1] / "importer" / "cases"
STANDS = "select order_id, total, currency, status, tax, refunded, pieces, source from shop_orders where source = '{}' order by 1"
OURS = """order_id,placed_at,total,currency,status,tax,shipping,refunded,product_id,quantity,unit_price
1001,2026-11-20T10:05:10+01:00,129.90,EUR,paid,20.74,4.90,,mug-blue,1,25.00
1001,,,,,,,,tea-pot,2,50.00
1002,2026-11-20T11:00:00+01:00,20,EUR,shipped,,,5,mug-blue,1,20.00
1003,2026-11-20T12:00:00+01:00,20,EUR,cancelled,,,,mug-blue,1,20.00
1004,2026-11-20T12:00:00+01:00,a lot,EUR,paid,,,,mug-blue,1,20.00
"""


def test_a_file_is_brought_in_told_and_replaced_by_the_next_one(on_server: Command, tmp_path: Path) -> None:
    path = tmp_path / "ours.csv"
    path.write_text(OURS)
    done = on_server("shop-orders", path)
    assert done.code == 0
    assert "ours.csv: 3 orders; 3 are new or other than before." in done.out
    assert "1 left out: order 1004: its total is no amount" in done.out
    stands = on_server("sql", "--csv", STANDS.format("ours.csv")).out.splitlines()
    assert stands[1].startswith("1001,129.90,EUR,paid,20.74,0") and "tea-pot" in stands[1]
    assert stands[2].startswith("1002,20.00,EUR,shipped,,5.00")
    assert stands[3].startswith("1003,20.00,EUR,cancelled")
    assert len(stands) == 4
    assert "0 are new or other than before" in on_server("shop-orders", path).out
    path.write_text(OURS.replace("129.90", "130.90"))
    assert "1 are new or other than before" in on_server("shop-orders", path).out


LATER = """order_id,placed_at,total,currency,status,refunded
2001,2026-10-20T10:00:00+02:00,20,EUR,paid,
2002,2026-10-20T11:00:00+02:00,20,EUR,shipped,
"""
SALES = "select order_id, is_sale, status, refunded from shop_orders where source = 'later.csv' order by 1"


def test_an_order_that_is_cancelled_later_is_a_sale_no_longer(on_server: Command, tmp_path: Path) -> None:
    path = tmp_path / "later.csv"
    path.write_text(LATER)
    assert on_server("shop-orders", path).code == 0
    assert on_server("sql", "--csv", SALES).out.splitlines()[1:] == ["2001,True,paid,0.00", "2002,True,shipped,0.00"]
    path.write_text(LATER.replace("paid,", "cancelled,20").replace("shipped", "Voided"))
    done = on_server("shop-orders", path)
    assert done.code == 0, "a file of nothing but cancellations"
    assert "later.csv: 2 orders; 2 are new or other than before." in done.out
    assert on_server("sql", "--csv", SALES).out.splitlines()[1:] == [
        "2001,False,cancelled,20.00",
        "2002,False,Voided,0.00",
    ]


def test_a_currency_that_cannot_be_read_costs_its_order_alone(on_server: Command, tmp_path: Path) -> None:
    path = tmp_path / "currencies.csv"
    path.write_text(
        "order_id,placed_at,total,currency\n"
        + "".join(f"{n},2026-09-20T10:00:00Z,20,{said}\n" for n, said in enumerate(("eur ", "", "euro", "€"), 3001))
    )
    done = on_server("shop-orders", path)
    assert "2 left out: currency: expected a three-letter ISO 4217 code, as EUR, or none for the shop's own" in done.out
    stands = on_server("sql", "--csv", STANDS.format("currencies.csv")).out.splitlines()[1:]
    assert [row.split(",")[:3] for row in stands] == [["3001", "20.00", "EUR"], ["3002", "20.00", "USD"]]


def test_an_export_of_shopify_is_read_by_the_mapping_of_the_importer(on_server: Command) -> None:
    done = on_server("shop-orders", CASES / "shopify_orders.csv", "--as", "shopify")
    assert done.code == 0, done.out
    stands = on_server("sql", "--csv", STANDS.format("shopify_orders.csv")).out.splitlines()
    assert stands[1].startswith("#1001,129.90,EUR,")
    assert "@" not in "".join(stands)


def test_without_a_shop_and_a_file_it_says_how_to_connect_one(on_server: Command, tmp_path: Path) -> None:
    assert "No shop is connected. Set SHOP_PG_HOST" in on_server("shop-orders").sentence
    assert "There is no file" in on_server("shop-orders", tmp_path / "none.csv").sentence
    assert "1001,2026-11-20T10:05:10+01:00,129.90" in on_server("shop-orders", "--help").out


def test_the_shop_of_this_computer_is_connected_by_itself(embedded: Command) -> None:
    assert "No shop is connected" in embedded("shop-orders").sentence
    server = start_postgres(embedded.home)
    create_database(server, SHOP_DATABASE)
    assert "The shop's database" not in embedded("materialize").out, "it is being made"
    shop = prepare(server)
    with closing(connect(shop)) as connection, transaction(connection) as cursor:
        cursor.execute("insert into orders (order_id, currency, total) values (gen_random_uuid(), 'USD', 12.50)")
    read = embedded("materialize")
    assert (read.code, read.err) == (0, "")
    assert "The shop's database: 1 orders; 1 are new or other than before." in read.out
    again = embedded("shop-orders")
    assert "The shop's database: 1 orders that changed since" in again.out
    assert "0 are new or other than before" in again.out
    orders = "select currency, total, source from shop_orders"
    assert embedded("sql", "--csv", orders).out.splitlines()[1:] == ["USD,12.50,database"]

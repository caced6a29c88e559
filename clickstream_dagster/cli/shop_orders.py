"""`clickstream shop-orders`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import click

from clickstream_dagster.cli.import_checks import check
from clickstream_dagster.cli.show import console, harmless
from clickstream_dagster.local.importer.csv_reader import CsvReader
from clickstream_dagster.local.importer.document import Document, read_document, ready
from clickstream_dagster.local.importer.orders import Row
from clickstream_dagster.local.importer.records import Piece
from clickstream_dagster.local.importer.source import Source
from clickstream_dagster.settings import SettingsError, load_settings
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.shop_orders import reconciliation
from clickstream_dagster.warehouse.shop_orders.database import Query
from clickstream_dagster.warehouse.shop_orders.order import ShopOrder, of_events
from clickstream_dagster.warehouse.shop_orders.store import Brought, read_database, store_file
from ingest_lambda.contract import Event, Reject

#: Mappings that come with clickstream and are of orders.
KNOWN = ("orders", "shopify", "woocommerce")
EPILOG = """
\b
Without a FILE, from the shop's PostgreSQL, by a login that can only read:
  SHOP_PG_HOST, SHOP_PG_PORT, SHOP_PG_DATABASE (shop), SHOP_PG_USER (shop_reader), SHOP_PG_PASSWORD, SHOP_PG_SSL
  (without a host, from the shop that `clickstream shop` has made on this computer, where the warehouse is on it, too)
  CLICKSTREAM_SHOP_QUERY   a query of your own, for other tables than ours (see clickstream_dagster/shop_orders.sql)
Only what has changed is read; --all reads everything, and takes away what the shop does not have any more.

\b
A FILE has a row for each order, or for each of its lines:
  order_id,placed_at,total,currency,status,tax,shipping,discount,refunded,product_id,quantity,unit_price
  1001,2026-11-20T10:05:10+01:00,129.90,EUR,paid,20.74,4.90,0,0,mug-blue,1,25.00
  1001,,,,,,,,,tea-pot,2,50.00
Or it is an export of Shopify or WooCommerce (--as), or has columns of its own (--map, as for clickstream import). It must
hold all orders from its first to its last. What it says of an order takes the place of what was known. An order that an import
leaves out, as cancelled or never paid, is kept as one that is no sale: a later file takes back what an earlier one said.

The page Reliability shows what did not arrive by events. Of who bought, nothing is kept.
"""


@click.command("shop-orders", epilog=EPILOG)
@click.argument("files", nargs=-1, type=click.Path(path_type=Path), metavar="[FILE]...")
@click.option(
    "--as", "known", type=click.Choice(KNOWN), help="A mapping that comes with clickstream (default: orders)."
)
@click.option(
    "--map", "map_file", type=click.Path(path_type=Path), help="Mapping of CSV columns to fields of a purchase."
)
@click.option(
    "--all", "is_whole", is_flag=True, help="Read everything of the shop's database, not only what has changed."
)
def shop_orders_command(files: tuple[Path, ...], known: str | None, map_file: Path | None, is_whole: bool) -> None:
    """Read the shop's own orders, to compare them with those that arrived by events: from its database, or from FILEs."""
    if known and map_file:
        raise click.UsageError("--map and --as are two mappings; leave one of them out.")
    settings = load_settings()
    document = _of_all_orders(read_document(map_file) if map_file else ready(known or "orders"))
    sources = [check(path, document, settings.timezone, None) for path in files]
    stack = Stack(settings, keeps_settings=True)
    if not files:
        if not read_shop(stack, is_whole=is_whole):
            raise SettingsError(
                "No shop is connected. Set SHOP_PG_HOST and the other SHOP_PG_* variables, or name a file: "
                "clickstream shop-orders -h"
            )
        return
    with stack.warehouse() as connection:
        for source in sources:
            left_out: Counter[str] = Counter()
            brought = store_file(connection, _orders(source, left_out), source.path.name)
            brought.left_out += left_out
            _tell(source.path.name, brought)
        console.print(reconciliation.sentence(reconciliation.reconciled(connection)))


def read_shop(stack: Stack, *, is_whole: bool = False) -> bool:
    """Read the shop's database and say how its orders and those of events stand; False where no shop is connected. Raises what
    `Query` raises."""
    shop = stack.shop
    if shop is None:
        return False
    query = Query(shop, stack.settings.shop_query)
    with stack.warehouse() as connection:
        _tell("The shop's database", read_database(connection, query, is_whole=is_whole))
        console.print(reconciliation.sentence(reconciliation.reconciled(connection)))
    return True


def _of_all_orders(document: Document) -> Document:
    """The mapping for the shop's books, where what an import leaves out is an order, too."""
    mapping = document.mapping
    return replace(document, mapping=replace(mapping, leave_out=(), no_sale=mapping.leave_out))


def _orders(source: Source, left_out: Counter[str]) -> Iterator[ShopOrder]:
    """The orders of a file, and why others are none."""
    assert source.document
    assert source.layout
    reader = CsvReader(source.document.mapping, source.layout)
    for chunk in source.chunks():
        for piece in chunk.pieces:
            try:
                if order := _order(reader, piece):
                    yield order
            except Reject as reject:
                left_out[reject.message] += 1


def _order(reader: CsvReader, piece: Piece) -> ShopOrder | None:
    """What a row says, or the rows of an order; None where it is no purchase. Raises `Reject`."""
    row = piece if isinstance(piece, Row) else reader.row(piece)
    if isinstance(row.outcome, Reject):
        raise row.outcome
    events = []
    for record in reader.read(row):
        if isinstance(record.outcome, Reject):
            raise record.outcome
        if isinstance(record.outcome, Event):
            events.append(record.outcome)
    purchases = [event for event in events if event.event_name == "purchase"]
    refunds = [event for event in events if event.event_name == "refund"]
    return of_events(purchases[0], refunds, is_sale=reader.status.is_sale(row.outcome)) if purchases else None


def _tell(name: str, brought: Brought) -> None:
    since = f" that changed since {brought.since:%Y-%m-%d %H:%M} UTC" if brought.since else ""
    gone = f", {brought.gone:,} are gone" if brought.gone else ""
    console.print(
        f"{harmless(name)}: {brought.orders:,} orders{since}; {brought.changed:,} are new or other than before{gone}.",
        markup=False,
    )
    for reason, count in brought.left_out.most_common(5):
        console.print(f"  {count:,} left out: {harmless(reason)}", markup=False)

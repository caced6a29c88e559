"""Orders told twice, by a shop's database and by events, under names instead of ids."""

from __future__ import annotations

from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.shop_orders.database import Query
from clickstream_dagster.warehouse.shop_orders.store import Brought, read_database
from ingest_lambda.contract import Event, Order, OrderItem
from support.shops import Shop
from support.stories import at, event, rows

#: An order that came without an id.
NAMELESS = "without_an_id"


def id_of(name: str) -> UUID:
    """The id of the order of this name."""
    return uuid5(NAMESPACE_OID, name)


def placed(shop: Shop, name: str, told: dict[str, Any]) -> None:
    """Have the shop take an order."""
    more = {key: value for key, value in told.items() if key not in ("at", "lines", "refunds")}
    shop.place(id_of(name), at(told["at"]), *map(tuple, told["lines"]), **more)
    for moment, amount in told.get("refunds", ()):
        shop.refund(id_of(name), amount, at(moment))


def purchase_or_refund(told: dict[str, Any]) -> Event:
    """The event of a line of a case."""
    name = told.get("refund") or told.get("order")
    items = [
        OrderItem(product_id=product, quantity=pieces, price=price) for product, pieces, price in told.get("lines", ())
    ]
    order = Order(
        id=str(id_of(name)) if name else None,
        value=told.get("value"),
        currency=told.get("currency", "EUR"),
        items=items,
    )
    kind = "refund" if "refund" in told else "purchase"
    return event(told["at"], kind, f"buyer of {name}", order=order, user_agent=told.get("agent"))


def read(stack: Stack, shop: Shop, *, is_whole: bool = False) -> Brought:
    """Read the shop as the warehouse does."""
    with stack.warehouse() as connection:
        return read_database(connection, Query(shop.reader, None), is_whole=is_whole)


def outcomes(stack: Stack, names: list[str]) -> dict[str, str]:
    """What is said of each order, by its name."""
    known = {str(id_of(name)): name for name in names}
    found = rows(stack, "select order_id, outcome from order_reconciliation")
    return {NAMELESS if order.startswith("event:") else known[order]: outcome for order, outcome in found}

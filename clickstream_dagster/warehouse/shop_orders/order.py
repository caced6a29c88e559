"""An order as the shop knows it. What the shop says is read by the rules of a purchase event, so that both sides of a comparison
were cleaned alike: ids, amounts, currencies, lines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from clickstream_dagster.raw.copy_format import json_text
from ingest_lambda import fields, normalize
from ingest_lambda.contract import Event, OrderItem, Reject
from ingest_lambda.reading import draft, parse
from ingest_lambda.settling import Receipt

MAX_STATUS = 100
#: Where nothing says who bought, an event still needs a visitor. It goes no further than this module.
_NOBODY = "shop"
_RECEIPT = Receipt(None, make_event_id=lambda: UUID(int=0), event_id_policy="uuid5", is_trusted=True)

#: What PostgreSQL takes for a boolean.
_SWITCHES = {
    **dict.fromkeys(("t", "true", "y", "yes", "on", "1"), True),
    **dict.fromkeys(("f", "false", "n", "no", "off", "0"), False),
}


class ShopOrder(NamedTuple):
    """A row of `shop_orders`, but for what follows from the others. Without a currency, it is in the shop's own. `lines` is
    JSON."""

    order_id: str
    placed_at: datetime
    status: str | None
    is_sale: bool
    currency: str | None
    total: Decimal
    items: Decimal | None
    discount: Decimal | None
    shipping: Decimal | None
    tax: Decimal | None
    refunded: Decimal
    refunded_at: datetime | None
    lines: str | None


def of_row(row: Mapping[str, str | None]) -> ShopOrder:
    """The order of a row of the shop's database, whose values are texts. Raises `Reject` for one that cannot be compared."""
    named = {name: (row.get(name) or "").strip() for name in ("currency", "discount", "shipping", "tax")}
    told = {
        "event_name": "purchase",
        "event_timestamp": fields.timestamp(row["placed_at"], "placed_at").isoformat(),
        "client_id": _NOBODY,
        "order": {**named, "id": row["order_id"], "value": row["total"], "items": _lines(row.get("lines"))},
        "props": {"status": row.get("status")},
    }
    event = normalize.accept_draft(draft(told), _RECEIPT)
    refunded = fields.money(row.get("refunded") or "0", "refunded")
    last = row.get("refunded_at")
    return _order(event, _is_sale(row), refunded, fields.timestamp(last, "refunded_at") if last else None)


def of_events(purchase: Event, refunds: Iterable[Event], *, is_sale: bool) -> ShopOrder:
    """The order of a row of a file, as the importer reads it. Raises `Reject` for one that cannot be compared."""
    total = purchase.order.value if purchase.order else None
    given_back = [(one.order.value if one.order else None, one.event_timestamp) for one in refunds]
    amounts = [total if amount is None else amount for amount, _ in given_back]
    refunded = sum((amount for amount in amounts if amount), Decimal(0))
    return _order(purchase, is_sale, refunded, max((moment for _, moment in given_back), default=None))


def _order(event: Event, is_sale: bool, refunded: Decimal, refunded_at: datetime | None) -> ShopOrder:
    order = event.order
    if order is None or order.id is None:
        raise Reject("missing_order_id", "an order without an id cannot be found in the events")
    if order.value is None:
        raise Reject("missing_amount", f"order {order.id}: its total is no amount from 0 to one billion, as 12.50")
    currency = order.currency or event.currency
    if currency is None and any(warning.code == "invalid_currency" for warning in event.warnings):
        raise Reject(
            "invalid_currency", "currency: expected a three-letter ISO 4217 code, as EUR, or none for the shop's own"
        )
    status = (event.props or {}).get("status")
    return ShopOrder(
        order_id=order.id,
        placed_at=event.event_timestamp,
        status=str(status)[:MAX_STATUS] if status else None,
        is_sale=is_sale,
        currency=currency,
        total=order.value,
        items=_sum(order.items),
        discount=order.discount,
        shipping=order.shipping,
        tax=order.tax,
        refunded=min(abs(refunded), order.value),
        refunded_at=refunded_at if refunded else None,
        lines=json_text([_line(item) for item in order.items] or None),
    )


def _line(item: OrderItem) -> dict[str, Any]:
    said = {"product_id": item.product_id, "quantity": item.quantity, "price": item.price}
    return {name: value for name, value in said.items() if value is not None}


def _sum(items: list[OrderItem]) -> Decimal | None:
    amounts = [None if item.price is None else item.price * item.quantity for item in items]
    known = [amount for amount in amounts if amount is not None]
    return sum(known, Decimal(0)) if items and len(known) == len(amounts) else None


def _is_sale(row: Mapping[str, str | None]) -> bool:
    """Where no column says it, every order is a sale. A null is no answer: whoever compares a status that may be null must say
    what that means."""
    if "is_sale" not in row:
        return True
    answer = _SWITCHES.get((row["is_sale"] or "").strip().lower())
    if answer is None:
        raise Reject(
            "invalid_is_sale", "is_sale: expected true or false; have the query say one of them for each order"
        )
    return answer


def _lines(text: str | None) -> Any:
    try:
        return parse(text.encode()) if text else []
    except Reject as reject:
        raise Reject(reject.code, f"lines: {reject.message}") from None

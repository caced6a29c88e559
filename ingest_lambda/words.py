"""Other words for what the contract names: a key in snake case, and its path. Data, but for how a key is read.

Three dialects and their mixtures are one table; the events of GA4, Segment and Snowplow have tables of their own.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

#: Longer keys are not remembered: a client could fill the memory with them.
_USUAL_KEY = 64
_HUMP = re.compile("(?<=[a-z0-9])(?=[A-Z])")
CONTAINERS = frozenset({"product", "order", "device", "geo", "ecom", "props"})

#: Words for a thing that the contract has another word for. A path that is a field needs no line here.
ALIASES: dict[str, str] = {
    "event": "event_name",
    "event_type": "event_name",
    "ts": "event_timestamp",
    "timestamp": "event_timestamp",
    "anonymous_id": "client_id",
    "url": "page_url",
    "title": "page_title",
    "referer": "referrer",
    "ecommerce": "ecom",
    "properties": "props",
    "products": "items",
    "item_list_name": "list_name",
    "ecom.item_list_name": "list_name",
    "ecom.product_id": "product.id",
    "ecom.name": "product.name",
    "ecom.category": "product.category",
    "ecom.brand": "product.brand",
    "ecom.price": "product.price",
    "ecom.discount_price": "product.discount_price",
    "ecom.url_path": "product.url_path",
    "ecom.qty": "quantity",
    "ecom.quantity": "quantity",
    "ecom.currency": "currency",
    "ecom.order_id": "order.id",
    "ecom.transaction_id": "order.id",
    "ecom.value": "order.value",
    "ecom.items": "items",
    "ecom.products": "items",
    "ecom.tax": "order.tax",
    "ecom.shipping": "order.shipping",
    "ecom.coupon": "order.coupon",
    "ecom.discount": "order.discount",
    "product.product_id": "product.id",
    "product.sku": "product.id",
    "product.qty": "quantity",
    "product.quantity": "quantity",
    "product.currency": "currency",
    "currency_code": "currency",
    "ecom.currency_code": "currency",
    "product.currency_code": "currency",
    "order.currency_code": "order.currency",
    "product_id": "product.id",
    "product_name": "product.name",
    "product_category": "product.category",
    "product_brand": "product.brand",
    "product_price": "product.price",
    "product_discount_price": "product.discount_price",
    "product_url_path": "product.url_path",
    "qty": "quantity",
    "product_quantity": "quantity",
    "order.order_id": "order.id",
    "order.transaction_id": "order.id",
    "order_id": "order.id",
    "order.order_value": "order.value",
    "order.total": "order.value",
    "order.total_price": "order.value",
    "order.grand_total": "order.value",
    "order.amount": "order.value",
    "order.revenue": "order.value",
    "order.products": "order.items",
    "order.line_items": "order.items",
    "order.lines": "order.items",
    "props.search_query": "search_query",
}
#: What stands in a purchase or a refund itself, and means its order: `value` is what was paid before it is anything else.
ORDER_WORDS: dict[str, str] = {
    "transaction_id": "order.id",
    "value": "order.value",
    "order_value": "order.value",
    "order_total": "order.value",
    "total": "order.value",
    "total_price": "order.value",
    "grand_total": "order.value",
    "amount": "order.value",
    "revenue": "order.value",
    "ecom.total": "order.value",
    "ecom.revenue": "order.value",
    "tax": "order.tax",
    "shipping": "order.shipping",
    "discount": "order.discount",
    "coupon": "order.coupon",
    "items": "order.items",
    "products": "order.items",
    "line_items": "order.items",
    "ecom.items": "order.items",
    "ecom.products": "order.items",
}
#: Google's names for events that we have another name for.
GA4_NAMES = {
    "view_item": "view_product",
    "begin_checkout": "checkout",
    "view_search_results": "search",
}
#: The words of a line, with their rank: of two in one line the smaller counts.
ITEM_WORDS: dict[str, tuple[str, int]] = {
    "id": ("product_id", 1),
    "item_id": ("product_id", 2),
    "sku": ("product_id", 3),
    "item_name": ("name", 1),
    "product_name": ("name", 2),
    "title": ("name", 3),
    "item_category": ("category", 1),
    "product_category": ("category", 2),
    "item_brand": ("brand", 1),
    "product_brand": ("brand", 2),
    "unit_price": ("price", 1),
    "item_price": ("price", 2),
    "product_price": ("price", 3),
    "qty": ("quantity", 1),
    "item_quantity": ("quantity", 2),
    "product_quantity": ("quantity", 3),
    "qty_ordered": ("quantity", 4),
}


def snake(key: str) -> str:
    """`pageUrl`, `pageURL` and `page-url` are all `page_url`."""
    return _snaked(key) if len(key) <= _USUAL_KEY else _snaked.__wrapped__(key)


@lru_cache(maxsize=4_096)
def _snaked(key: str) -> str:
    return _HUMP.sub("_", key).replace("-", "_").lower()


def keep(props: dict[str, Any], source: tuple[str, ...], value: Any) -> None:
    """Put a value that is no field into props, never over another one."""
    node = props
    for parent in source[:-1]:
        node = node.setdefault(parent, {})
        if not isinstance(node, dict):
            node, source = props, (".".join(source),)
            break
    name = source[-1]
    while name in node:
        name += "_"
    node[name] = value

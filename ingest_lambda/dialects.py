"""Which field a client's key means. Three dialects and their mixtures are one table: a key in snake case, and its path.

A key that the contract does not name is kept in `props`, under its own name and its parent's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from ingest_lambda.contract import Reject
from ingest_lambda.fields import FIELDS, ITEM_FIELDS

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
    "ecom.value": "order.value",
    "ecom.items": "order.items",
    "product.product_id": "product.id",
    "product.qty": "quantity",
    "product.quantity": "quantity",
    "product.currency": "currency",
    "product_id": "product.id",
    "product_name": "product.name",
    "product_category": "product.category",
    "product_brand": "product.brand",
    "product_price": "product.price",
    "product_discount_price": "product.discount_price",
    "product_url_path": "product.url_path",
    "qty": "quantity",
    "order.order_id": "order.id",
    "order.total": "order.value",
    "order_id": "order.id",
    "props.search_query": "search_query",
}
ITEM_ALIASES = {"id": "product_id", "qty": "quantity"}


class Leaf(NamedTuple):
    """One value of a record: the field it means (none: it goes to props) and the keys that lead to it."""

    path: str | None
    source: tuple[str, ...]
    value: Any
    is_alias: bool


def translate(record: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The fields of a record by path, and its props. The contract's own word wins over another word for it."""
    values: dict[str, Any] = {}
    props: dict[str, Any] = {}
    for leaf in sorted(_leaves(record), key=lambda leaf: leaf.is_alias):
        if leaf.path is None or leaf.path in values:
            keep(props, leaf.source, leaf.value)
        elif leaf.value not in (None, ""):  # JSON's null and the empty text of `document.referrer` mean "none"
            values[leaf.path] = _items(leaf.value, props) if leaf.path == "order.items" else leaf.value
    return values, props


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


def _leaves(record: Mapping[str, Any]) -> Iterator[Leaf]:
    for key, value in record.items():
        name = field_name(key)
        if name not in CONTAINERS:
            yield _leaf(key, (key,), value)
        elif isinstance(value, Mapping):
            for inner, held in value.items():
                yield _leaf(f"{name}.{inner}", (inner,) if name == "props" else (key, inner), held)
        elif name == "ecom":
            yield Leaf(None, (key,), value, True)
        elif value is not None:
            raise Reject(f"invalid_{name}", f"{name}: expected an object")


def _leaf(key: str, source: tuple[str, ...], value: Any) -> Leaf:
    path = field_name(key)
    return Leaf(path if path in FIELDS else None, source, value, is_alias=key != path)


@lru_cache(maxsize=1024)
def field_name(key: str) -> str:
    """The path of the field that a key means; a key that means none, in snake case."""
    name = snake(key)
    return ALIASES.get(name, name)


def snake(key: str) -> str:
    """`pageUrl`, `pageURL` and `page-url` are all `page_url`."""
    return _HUMP.sub("_", key).replace("-", "_").lower()


def _items(items: Any, props: dict[str, Any]) -> Any:
    """The lines of an order. What they hold beyond the contract is kept in `props.order.items`, line by line."""
    if not isinstance(items, list) or not all(isinstance(item, Mapping) for item in items):
        return items  # the rule for this field names what is wrong
    lines: list[dict[str, Any]] = []
    rests: list[dict[str, Any]] = []
    for item in items:
        line: dict[str, Any] = {}
        rest: dict[str, Any] = {}
        for key, value in item.items():
            name = ITEM_ALIASES.get(snake(key), snake(key))
            if name not in ITEM_FIELDS or name in line:
                keep(rest, (key,), value)
            elif value not in (None, ""):
                line[name] = value
        lines.append(line)
        rests.append(rest)
    if any(rests):
        keep(props, ("order", "items"), rests)
    return lines

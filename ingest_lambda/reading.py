"""From bytes to the fields of the contract: what can be said of a record before its request is known."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

import msgspec

from ingest_lambda import contract, settings
from ingest_lambda.contract import ESSENTIAL_FIELDS, ORDER_EVENTS, EventWarning, Reject
from ingest_lambda.dialects.common import Words
from ingest_lambda.dialects.detection import translate, unwrapped
from ingest_lambda.fields import FIELDS, LINE_FIELDS, money
from ingest_lambda.lines import read_lines
from ingest_lambda.tidy import is_tidy, tidy
from ingest_lambda.words import keep

# Whole pairs and every other escape are passed over, so that what is left in group 1 is half a pair.
_ESCAPES = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\."
)


_PRICES = ("product.price", "product.discount_price")
_AMOUNTS = frozenset(
    (
        "order.value",
        "order.tax",
        "order.shipping",
        "order.discount",
        "product.price",
        "product.discount_price",
        "quantity",
    )
)


class Draft(NamedTuple):
    """A record in the contract's words, with its fields by path, before its time and its visitor are settled."""

    values: dict[str, Any]
    props: dict[str, Any]
    warnings: tuple[EventWarning, ...] = ()

    @property
    def client_time(self) -> datetime | None:
        """What the client's clock said."""
        moment: datetime | None = self.values.get("event_timestamp") or self.values.get("client_timestamp")
        return moment


def parse(line: bytes) -> Any:
    """JSON with every number exact. Raises `Reject` for what is not JSON."""
    try:
        return _decoder.decode(repair_surrogates(line))
    except RecursionError:
        raise Reject("too_deep", f"an event may be nested {settings.MAX_DEPTH} levels deep") from None
    except msgspec.ValidationError:
        raise Reject("invalid_number", "a number has more digits than can be read: send it as text") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _unreadable(line, error) from None


def _unreadable(line: bytes, error: Exception) -> Reject:
    try:
        line.decode()
    except UnicodeDecodeError:
        return Reject("invalid_utf8", "the text is not UTF-8")
    return Reject("invalid_json", str(error))


def draft_line(line: bytes, words: Callable[[Mapping[str, Any]], Words] = translate) -> Draft:
    """The draft of one JSON text. Raises `Reject` as `parse` and `draft` do."""
    return draft(parse(line), words, needs_tidying=not is_tidy(line))


def draft(record: Any, words: Callable[[Mapping[str, Any]], Words] = translate, *, needs_tidying: bool = True) -> Draft:
    """The fields of a record, each in the contract's type. What cannot be read is set aside in props, and warned of; only
    what says which event it is, when, and who did it refuses the event. `words` reads the record's dialect."""
    if not isinstance(record, Mapping):
        record = unwrapped(record)
    known = _of_known_version(dict(record))
    tidied, has_nul = tidy(known) if needs_tidying else (known, False)
    values, props, warnings = words(tidied)
    is_refund = values.get("event_name") == "refund"
    read: dict[str, Any] = {}
    for path, value in values.items():
        try:
            if path in LINE_FIELDS:
                _take_lines(read, props, warnings, path, value, is_refund)
                continue
            held = FIELDS[path](value, path)
            if path in _AMOUNTS:
                held = _amount(held, path, is_refund)
            if held is not None:
                read[path] = held
        except Reject as reason:
            if path in ESSENTIAL_FIELDS:
                raise
            warnings.append(EventWarning(reason.code, path))
            keep(props, tuple(path.split(".")), value)
    if "quantity" in values and "quantity" not in read and values.get("event_name") in ORDER_EVENTS:
        _take_pieces(read, props, values["quantity"])
    if has_nul:
        props["_nul_replaced"] = True
    return Draft(read, props, tuple(warnings))


def _of_known_version(record: dict[str, Any]) -> dict[str, Any]:
    """A record without its version. One of a version to come would be read by the wrong rules, so it waits for its own."""
    version = record.pop(contract.VERSION_KEY, None)
    if version is not None and str(version) not in map(str, contract.READ_VERSIONS):
        known = ", ".join(map(str, contract.READ_VERSIONS))
        raise Reject(
            "unknown_version", f"{contract.VERSION_KEY}: known here is {known}; update the collector, then replay"
        )
    return record


def _amount(value: Any, path: str, is_refund: bool) -> Any:
    """An amount as the contract holds it. What was given back may be said with a minus, and so may what was taken off."""
    if path == "order.discount":
        return abs(value)
    if value >= 0:
        return value
    if is_refund:
        return abs(value)
    code = "invalid_quantity" if path == "quantity" else "invalid_price"
    raise Reject(code, f"{path}: expected a number from 0")


def _take_lines(
    read: dict[str, Any], props: dict[str, Any], warnings: list[EventWarning], path: str, value: Any, is_refund: bool
) -> None:
    found = read_lines(value, path, is_refund=is_refund)
    warnings += found.warnings.values()
    if found.rests.count({}) < len(found.rests):
        keep(props, tuple(path.split(".")), found.rests)
    if found.discount and path == "order.items":
        read["order.discount"] = read.get("order.discount", 0) + found.discount
    if path == "items" and len(found.kept) == 1 and "product.id" not in read:
        _take_product(read, found.kept[0])
    elif found.kept:
        read[path] = found.kept


def _take_pieces(read: dict[str, Any], props: dict[str, Any], quantity: Any) -> None:
    """An order of one product, whose quantity is none: as in its lines, a part of a piece is one at its price, and no piece is
    no product."""
    try:
        pieces = abs(money(quantity, "quantity"))
        parts = {path: money(read[path] * pieces, path) for path in _PRICES if path in read}
    except Reject:
        return
    if pieces:
        read.update(parts)
        return
    for path in [path for path in read if path.startswith("product.")]:
        keep(props, tuple(path.split(".")), read.pop(path))


def _take_product(read: dict[str, Any], line: dict[str, Any]) -> None:
    """A list of one thing is about that thing."""
    for name, value in line.items():
        path = name if name == "quantity" else "product.id" if name == "product_id" else f"product.{name}"
        read.setdefault(path, value)


def repair_surrogates(body: bytes) -> bytes:
    r"""JSON text whose half characters (`"\ud83d"`, what a browser sends for an emoji cut in two) are U+FFFD."""
    if b"\\ud" not in body and b"\\uD" not in body:
        return body
    return _ESCAPES.sub(lambda match: rb"\ufffd" if match[1] else match[0], body)


def _exact(number: str) -> Decimal | str:
    try:
        return Decimal(number)
    except InvalidOperation:  # an exponent beyond any number: kept as its text
        return number


_decoder = msgspec.json.Decoder(float_hook=_exact)

"""The lines of an order, of a cart, or of a list that was shown: from what a client sent to the contract's.

No line costs the others: what cannot be read of one lies in `props`, at the line's place. A list warns of a thing once, at
the first line that has it: what is stored of a list is never many times what was sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from msgspec import Struct

from ingest_lambda.contract import EventWarning, Reject
from ingest_lambda.fields import ITEM_FIELDS, MAX_PIECES, money
from ingest_lambda.words import ITEM_WORDS, keep, snake

INVALID = "invalid_items"


class Lines(Struct):
    """The lines that can be kept, what is left of each given one, and what the lines below zero took off."""

    kept: list[dict[str, Any]] = []
    rests: list[Any] = []
    warnings: dict[tuple[str, str], EventWarning] = {}
    discount: Decimal = Decimal(0)

    def warn(self, code: str, place: str, name: str = "") -> None:
        """Say it of the first line that has it."""
        if (code, name) not in self.warnings:
            self.warnings[code, name] = EventWarning(code, f"{place}.{name}" if name else place)


def read_lines(given: Any, path: str, *, is_refund: bool) -> Lines:
    """The lines of a list. Raises `Reject` for what is no list."""
    if isinstance(given, Mapping):
        # PHP's list is an object of numbered members, once one of them was taken out of it.
        is_list = bool(given) and all(isinstance(item, Mapping) for item in given.values())
        given = list(given.values()) if is_list else [given]
    if not isinstance(given, list):
        raise Reject(INVALID, f"{path}: expected a list of objects")
    found = Lines()
    for index, item in enumerate(given):
        place = f"{path}[{index}]"
        if not isinstance(item, Mapping):
            found.warn(INVALID, place)
            found.rests.append(item)
            continue
        line, rest = _read_line(item, place, found)
        if rest and not line and not any(map(_is_known, item)):
            found.warn(INVALID, place)
        _settle(line, rest, dict(item), place, found, is_refund)
    return found


def _read_line(item: Mapping[str, Any], place: str, found: Lines) -> tuple[dict[str, Any], dict[str, Any]]:
    line: dict[str, Any] = {}
    rest: dict[str, Any] = {}
    for key in sorted(item, key=_rank):
        value = item[key]
        name = ITEM_WORDS.get(snake(key), (snake(key), 0))[0]
        if name not in ITEM_FIELDS or name in line:
            keep(rest, (key,), value)
        elif value not in (None, ""):
            try:
                read = (
                    _quantity(value, place, found, rest, key) if name == "quantity" else ITEM_FIELDS[name](value, place)
                )
            except Reject as reason:
                found.warn(reason.code, place, name)
                keep(rest, (key,), value)
                continue
            if read is not None:
                line[name] = read
    return line, rest


def _is_known(key: str) -> bool:
    return snake(key) in ITEM_WORDS or snake(key) in ITEM_FIELDS


def _rank(key: str) -> int:
    """The contract's own word for a thing comes first, and of two others the more usual one."""
    return ITEM_WORDS.get(snake(key), ("", 0))[1]


def _quantity(value: Any, place: str, found: Lines, rest: dict[str, Any], key: str) -> Decimal:
    """Pieces as they were said, also 0, fractions and below zero: what they mean is settled with the price."""
    try:
        number = money(value, place)
    except Reject:
        raise Reject("invalid_quantity", f"{place}.quantity: expected a number of pieces") from None
    if abs(number) > MAX_PIECES:
        raise Reject("invalid_quantity", f"{place}.quantity: expected a number of pieces up to {MAX_PIECES}")
    if number != number.to_integral_value():
        found.warn("invalid_quantity", place, "quantity")
        keep(rest, (key,), value)
    return number


def _settle(
    line: dict[str, Any], rest: dict[str, Any], item: dict[str, Any], place: str, found: Lines, is_refund: bool
) -> None:
    """Amounts below zero are those of a refund, or take something off; a fraction of a piece is one piece at its price."""
    price, pieces = line.get("price"), line.get("quantity", Decimal(1))
    if is_refund:
        price, pieces = None if price is None else abs(price), abs(pieces)
    if not pieces or pieces < 0 or (price is not None and price < 0):
        if price is not None and pieces * price < 0:
            found.discount -= pieces * price
        code = "invalid_price" if price is not None and price < 0 else "invalid_quantity"
        found.warn(code, place)
        found.rests.append(item)
        return
    if pieces != pieces.to_integral_value():
        try:
            price = None if price is None else money(price * pieces, place)
        except Reject as reason:
            found.warn(reason.code, place, "price")
            found.rests.append(item)
            return
        pieces = Decimal(1)
    if price is not None:
        line["price"] = price
    if "quantity" in line:
        line["quantity"] = int(pieces)
    found.rests.append(rest)
    if line:
        found.kept.append(line)

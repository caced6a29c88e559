"""From what JSON holds to what the contract holds, field by field. The contract's own types say which rule applies."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, get_args, get_type_hints

from ingest_lambda import contract
from ingest_lambda.contract import Reject

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: Below 10^11 an epoch number counts seconds, below 10^14 milliseconds, below 10^17 microseconds.
_EPOCH_SCALES = ((10**11, 1_000_000), (10**14, 1_000), (10**17, 1))
MAX_MONEY = 1_000_000_000
MAX_DECIMALS = 6

_MONEY_TEXT = re.compile(r"[0-9]{1,10}(\.[0-9]+)?\Z")
_PIECES = re.compile(r"[0-9]{1,7}\Z")
_EPOCH_TEXT = re.compile(r"[0-9]{10,17}(\.[0-9]+)?\Z")
_CURRENCY = re.compile(r"[A-Za-z]{3}\Z")
#: Blanks that `strip` leaves, since they have no width.
_NO_WIDTH = "\u200b\u2060\ufeff"
#: What a careless script sends for "I have none". As an id, each would merge strangers into one.
_NO_ID = frozenset({"null", "undefined", "nan", "none", "[object object]"})
#: The ids that say who it is, and what is nobody there; an order or a product may be number 0.
VISITOR_FIELDS = ("client_id", "session_id", "user_id")
_NOBODY = _NO_ID | {
    *("0", "-1", "guest", "anonymous", "anon", "unknown", "n/a", "na", "nil", "false", "true", "-", "\\n", "(null)"),
    *("(not set)", "(none)", "not set", "<na>", "<null>", "nobody", "#n/a", "00000000-0000-0000-0000-000000000000"),
    *("00000000000000000000000000000000", "{00000000-0000-0000-0000-000000000000}"),
}


def identifier(value: Any, field: str) -> str | None:
    """An id as text, without blanks around it. A number keeps all its digits."""
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise Reject(_code(field), f"{field}: expected text or a number")
    text = value.strip().strip(_NO_WIDTH).strip()
    return None if text.lower() in (_NOBODY if field in VISITOR_FIELDS else _NO_ID) else text or None


def money(value: Any, field: str) -> Decimal:
    """An exact amount: never through a double."""
    number = _number(value, _MONEY_TEXT)
    exponent = number.as_tuple().exponent if number is not None else None
    if number is None or not isinstance(exponent, int) or not 0 <= number < MAX_MONEY or exponent < -MAX_DECIMALS:
        raise Reject(
            "invalid_price",
            f"{field}: expected a number from 0 to below one billion with at most {MAX_DECIMALS} decimals, as 12.50",
        )
    return Decimal(int(number)) if exponent > 0 else abs(number)


def quantity(value: Any, field: str) -> int:
    """A number of pieces."""
    number = _number(value, _PIECES)
    if number is None or not 1 <= number <= 1_000_000 or number != number.to_integral_value():
        raise Reject("invalid_quantity", f"{field}: expected a whole number from 1 to 1000000")
    return int(number)


def currency(value: Any, field: str) -> str:
    """An ISO 4217 code, upper case. XXX means "no currency", which no amount can be in."""
    if not isinstance(value, str) or not _CURRENCY.match(value) or value.upper() == "XXX":
        raise Reject("invalid_currency", f"{field}: expected a three-letter ISO 4217 code, as EUR")
    return value.upper()


def country(value: Any, field: str) -> Any:
    """An ISO 3166 code, upper case; the contract checks its shape."""
    return value.upper() if isinstance(value, str) and value.isascii() else value


def timestamp(value: Any, field: str) -> datetime:
    """ISO 8601 (without an offset: UTC) or an epoch in seconds, milliseconds or microseconds, told apart by size."""
    number = _number(value, _EPOCH_TEXT)
    try:
        moment = _from_epoch(number) if number is not None else _from_iso(value)
    except (ValueError, TypeError, OverflowError, ArithmeticError):
        moment = None
    if moment is None or not 1900 <= moment.year < 2200:
        raise Reject("invalid_timestamp", f"{field}: expected ISO 8601, as 2025-10-18T12:34:56Z, or an epoch number")
    return moment


def _from_epoch(number: Decimal) -> datetime:
    scales = (scale for limit, scale in _EPOCH_SCALES if abs(number) < limit)
    scale = next(scales, 0)
    if not scale:
        raise OverflowError
    return EPOCH + timedelta(microseconds=int(number * scale))


def _from_iso(text: str) -> datetime:
    leap = text[16:19] == ":60"  # a leap second, which Python has no time for, is the next second
    moment = datetime.fromisoformat(f"{text[:16]}:59{text[19:]}" if leap else text)
    moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment + timedelta(seconds=1) if leap else moment


def _number(value: Any, text: re.Pattern[str]) -> Decimal | None:
    if isinstance(value, str):
        return Decimal(value) if text.match(value) else None
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        return None
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    return number if number.is_finite() else None


def _code(field: str) -> str:
    return "invalid_" + field.split(".")[0]


Coerce = Callable[[Any, str], Any]
_RULES: dict[Any, Coerce] = {
    contract.Id: identifier,
    contract.Money: money,
    contract.Quantity: quantity,
    contract.Currency: currency,
    contract.Country: country,
    contract.Timestamp: timestamp,
}


def _as_it_is(value: Any, field: str) -> Any:
    return value


def _fields(struct: type, prefix: str = "") -> Iterator[tuple[str, Coerce]]:
    for name, hint in get_type_hints(struct, include_extras=True).items():
        kinds = (hint, *get_args(hint))
        nested = next((kind for kind in kinds if hasattr(kind, "__struct_fields__")), None)
        if nested is not None:
            yield from _fields(nested, f"{prefix}{name}.")
        else:
            rules = (rule for kind, rule in _RULES.items() if kind in kinds)
            yield prefix + name, next(rules, _as_it_is)


#: Every field of one line of an order.
ITEM_FIELDS: dict[str, Coerce] = dict(_fields(contract.OrderItem))


def items(value: Any, field: str) -> list[dict[str, Any]] | None:
    """The lines of an order."""
    if not isinstance(value, list) or not all(isinstance(line, dict) for line in value):
        raise Reject(_code(field), f"{field}: expected a list of objects")
    return [
        {name: ITEM_FIELDS[name](held, f"{field}[{index}].{name}") for name, held in line.items()}
        for index, line in enumerate(value)
    ] or None


#: Every field of an event by its path, as `product.price`, with its rule.
FIELDS: dict[str, Coerce] = {**dict(_fields(contract.Event)), "order.items": items}
#: The paths that hold an id.
ID_FIELDS = frozenset(path for path, rule in FIELDS.items() if rule is identifier)

"""From what JSON holds to what the contract holds, field by field. The contract's own types say which rule applies."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints

from ingest_lambda import contract
from ingest_lambda.contract import Reject
from ingest_lambda.ids import is_none, is_unfilled

_SWITCHES = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: Below 10^11 an epoch number counts seconds, below 10^14 milliseconds, below 10^17 microseconds.
_EPOCH_SCALES = ((10**11, 1_000_000), (10**14, 1_000), (10**17, 1))
MAX_MONEY = 1_000_000_000
MAX_PIECES = 1_000_000
MAX_DECIMALS = 6

_SIXTH = Decimal(1).scaleb(-MAX_DECIMALS)
_AMOUNT_TEXT = re.compile(r"[+-]?[0-9]{1,10}(\.[0-9]+)?\Z")
_EPOCH_TEXT = re.compile(r"[0-9]{10,17}(\.[0-9]+)?\Z")
_CURRENCY = re.compile(r"[A-Za-z]{3}\Z")
_COUNTRY = re.compile(r"[A-Za-z]{2}\Z")
# Most ids: a digit that counts, and no mark of a template, a quotation or a spreadsheet. Nothing more is asked of them.
_PLAIN_ID = re.compile(r"(?!GA1\.|-)[A-Za-z0_.:/@#|~=-]*+[1-9][\w.:/@#|~=-]*+\Z", re.ASCII)
#: Blanks that `strip` leaves, since they have no width.
_NO_WIDTH = "\u200b\u2060\ufeff"
#: The ids that say who it is.
VISITOR_FIELDS = ("client_id", "session_id", "user_id")


def identifier(value: Any, field: str) -> str | None:
    """An id as text, without blanks around it; none for what is no id. A number keeps all its digits."""
    if isinstance(value, str) and _PLAIN_ID.match(value):
        return value
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise Reject(_code(field), f"{field}: expected text or a number")
    text = value.strip().strip(_NO_WIDTH).strip()
    of_a_visitor = field in VISITOR_FIELDS
    if is_none(text, of_a_visitor=of_a_visitor):
        return None
    if not is_unfilled(text):
        return text
    if of_a_visitor:
        return None
    raise Reject(_code(field), f"{field}: a template that was not filled in, or a number that was rounded, is no id")


def money(value: Any, field: str) -> Decimal:
    """An exact amount, never through a double. Digits beyond the sixth decimal are noise of somebody's floats, and rounded.
    An amount below zero is one: what it means depends on the event."""
    number = _number(value, _AMOUNT_TEXT)
    if number is None or abs(number) >= MAX_MONEY:
        raise Reject("invalid_price", f"{field}: expected a number below one billion, as 12.50")
    exponent = number.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -MAX_DECIMALS:
        number = number.quantize(_SIXTH, ROUND_HALF_EVEN).normalize()
        exponent = number.as_tuple().exponent
    return Decimal(int(number)) if exponent > 0 or not number else number  # type: ignore[operator]


def quantity(value: Any, field: str) -> int:
    """A number of pieces. One below zero is a number of pieces that went back."""
    number = _number(value, _AMOUNT_TEXT)
    if number is None or not 1 <= abs(number) <= MAX_PIECES or number != number.to_integral_value():
        raise Reject("invalid_quantity", f"{field}: expected a whole number from 1 to {MAX_PIECES}")
    return int(number)


def currency(value: Any, field: str) -> str:
    """An ISO 4217 code, upper case. XXX means "no currency", which no amount can be in."""
    code = value.strip() if isinstance(value, str) else ""
    if not _CURRENCY.match(code) or code.upper() == "XXX":
        raise Reject("invalid_currency", f"{field}: expected a three-letter ISO 4217 code, as EUR")
    return code.upper()


def country(value: Any, field: str) -> str:
    """An ISO 3166 code, upper case."""
    code = value.strip() if isinstance(value, str) else ""
    if not _COUNTRY.match(code):
        raise Reject(_code(field), f"{field}: expected a two-letter ISO 3166 code, as DE")
    return code.upper()


def text(value: Any, field: str) -> str:
    """A text; a number is written out."""
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise Reject(_code(field), f"{field}: expected text")
    return value


def name(value: Any, field: str) -> Any:
    """The name of an event, without blanks around it; the contract says what it may be."""
    return value.strip() if isinstance(value, str) else value


def switch(value: Any, field: str) -> bool:
    """Yes or no, in JSON's words or as a script writes them."""
    answer = _SWITCHES.get(str(value).lower()) if isinstance(value, (bool, int, str)) else None
    if answer is None:
        raise Reject(_code(field), f"{field}: expected true or false")
    return answer


def timestamp(value: Any, field: str) -> datetime:
    """ISO 8601 (without an offset: UTC) or an epoch in seconds, milliseconds or microseconds, told apart by size."""
    number = _number(value, _EPOCH_TEXT)
    try:
        moment = _from_epoch(number) if number is not None else _from_iso(value.strip())
    except (ValueError, TypeError, AttributeError, OverflowError, ArithmeticError):
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


def _number(value: Any, pattern: re.Pattern[str]) -> Decimal | None:
    if isinstance(value, str):
        value = value.strip()
        return Decimal(value) if pattern.match(value) else None
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        return None
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    return number if number.is_finite() else None


def _code(field: str) -> str:
    return "invalid_" + field.partition(".")[0].partition("[")[0]


Coerce = Callable[[Any, str], Any]
_RULES: dict[Any, Coerce] = {
    contract.Name: name,
    contract.Id: identifier,
    contract.Variant: identifier,
    contract.Money: money,
    contract.Quantity: quantity,
    contract.Currency: currency,
    contract.Country: country,
    contract.Timestamp: timestamp,
    contract.Label: text,
    contract.Text: text,
    contract.Url: text,
    bool: switch,
}


def _as_it_is(value: Any, field: str) -> Any:
    return value


@cache  # asked for twice as the collector starts, and evaluating them takes 0.7 ms
def hints(struct: type) -> dict[str, Any]:
    """The types of a struct's fields, with what limits them."""
    return get_type_hints(struct, include_extras=True)


def nested_struct(hint: Any) -> type | None:
    """The struct that a field holds, absent or not; none where it holds a list of them."""
    if get_origin(hint) is list:
        return None
    return next((kind for kind in (hint, *get_args(hint)) if hasattr(kind, "__struct_fields__")), None)


def _fields(struct: type, prefix: str = "") -> Iterator[tuple[str, Coerce]]:
    for name, hint in hints(struct).items():
        kinds = (hint, *get_args(hint))
        nested = nested_struct(hint)
        if nested is not None:
            yield from _fields(nested, f"{prefix}{name}.")
        else:
            rules = (rule for kind, rule in _RULES.items() if kind in kinds)
            yield prefix + name, next(rules, _as_it_is)


#: Every field of one line of an order.
ITEM_FIELDS: dict[str, Coerce] = dict(_fields(contract.OrderItem))


#: Every field of an event by its path, as `product.price`, with its rule.
FIELDS: dict[str, Coerce] = dict(_fields(contract.Event))
#: The paths that hold an id, and those that hold lines, which `lines` reads.
ID_FIELDS = frozenset(path for path, rule in FIELDS.items() if rule is identifier)
LINE_FIELDS = frozenset(("order.items", "items"))

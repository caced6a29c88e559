"""From bytes to the fields of the contract: what can be said of a record before its request is known."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

import msgspec

from ingest_lambda import settings
from ingest_lambda.contract import Reject
from ingest_lambda.dialects import translate
from ingest_lambda.fields import FIELDS
from ingest_lambda.tidy import tidy

# Whole pairs and every other escape are passed over, so that what is left in group 1 is half a pair.
_ESCAPES = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\."
)


class Draft(NamedTuple):
    """A record in the contract's words, with its fields by path, before its time and its visitor are settled."""

    values: dict[str, Any]
    props: dict[str, Any]

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


def draft(record: Any) -> Draft:
    """The fields of a record, each in the contract's type."""
    if not isinstance(record, Mapping):
        raise Reject("invalid_event", 'an event is a JSON object, as {"event_name": "page_view", "client_id": "…"}')
    tidied, has_nul = tidy(dict(record))
    values, props = translate(tidied)
    for path, value in values.items():
        values[path] = FIELDS[path](value, path)
    if has_nul:
        props["_nul_replaced"] = True
    return Draft({path: value for path, value in values.items() if value is not None}, props)


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

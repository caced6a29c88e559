"""The event: the only definition of it. The collector writes it, the loader reads it back with the same struct.

The JSON Schema (`event.v1.schema.json`) and the data dictionary in `docs/` are generated from this file;
a test holds them current. Every field but the four that the collector guarantees may be absent.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

VERSION = 1
#: An event may say which version of the contract it is written by, under this name; one that does not is of the first. Any
#: other is refused, kept, and read by a replay once it is among these.
VERSION_KEY = "clickstream_version"
READ_VERSIONS = (VERSION,)

#: Events whose meaning the models know. Any other lower-case name is kept as a custom event.
KNOWN_EVENTS = (
    "page_view",
    "view_product",
    "click",
    "search",
    "add_to_cart",
    "remove_from_cart",
    "checkout",
    "purchase",
    "refund",
    "login",
    "view_item_list",
    "select_item",
)

#: Events that are about an order.
ORDER_EVENTS = ("purchase", "refund")

# `$` alone would let a final line break through in Python; `(?!\n)` closes that and means nothing elsewhere.
Name = Annotated[
    str, Meta(pattern=r"^[a-z][a-z0-9_.:-]{0,63}$(?!\n)", description="Lower case, at most 64 characters.")
]
Id = Annotated[str, Meta(min_length=1, max_length=256)]
#: Shorter than an id: the names of an experiment and a variant stand in one index row with the visitor's id.
Variant = Annotated[str, Meta(min_length=1, max_length=128)]
Label = Annotated[str, Meta(max_length=512)]
Text = Annotated[str, Meta(max_length=2048)]
Url = Annotated[str, Meta(max_length=4096)]
Money = Annotated[
    Decimal,
    Meta(description="Zero or more, below one billion. Digits beyond the sixth decimal are rounded, half to even."),
]
Currency = Annotated[str, Meta(pattern=r"^[A-Z]{3}$(?!\n)", description="ISO 4217, upper case; never XXX.")]
Country = Annotated[str, Meta(pattern=r"^[A-Z]{2}$(?!\n)", description="ISO 3166 alpha-2, upper case.")]
Quantity = Annotated[int, Meta(ge=1, le=1_000_000)]
Timestamp = Annotated[datetime, Meta(tz=True)]
TimeSource = Literal["client", "corrected", "received"]


class Device(Struct, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    """What the browser says of itself."""

    type: Label | None = None
    os: Label | None = None
    browser: Label | None = None
    language: Label | None = None
    screen: Label | None = None


class Geo(Struct, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    """Where the visitor is, never finer than a city. Country is ISO 3166 alpha-2."""

    country: Country | None = None
    region: Label | None = None
    city: Label | None = None


class Product(Struct, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    """The product that an event is about. `discount_price`, where given, is the price that is paid."""

    id: Id | None = None
    name: Label | None = None
    category: Label | None = None
    brand: Label | None = None
    price: Money | None = None
    discount_price: Money | None = None
    url_path: Url | None = None


class OrderItem(Struct, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    """One line of an order, of a cart or of a list that was shown. `price` is the price paid for one piece."""

    product_id: Id | None = None
    name: Label | None = None
    category: Label | None = None
    brand: Label | None = None
    price: Money | None = None
    quantity: Quantity = 1


class Order(Struct, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    """What was bought (purchase) or given back (refund). `id` makes a reload of the thank-you page harmless. `value` is what
    was paid in the end; tax, shipping and discount explain how it differs from the items, and are not added to it."""

    id: Id | None = None
    value: Money | None = None
    currency: Currency | None = None
    tax: Money | None = None
    shipping: Money | None = None
    discount: Money | None = None
    coupon: Label | None = None
    items: list[OrderItem] = []


class EventWarning(Struct, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    """What of an accepted event could not be kept as it was sent; it lies in `props`. `field` is its path."""

    code: Label
    field: Label | None = None


class Event(Struct, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    """One thing that one visitor did: one line of a raw object.

    `event_timestamp` is the time that every metric uses; `client_timestamp` is what the browser's clock said, and
    `time_source` tells how the one came from the other (see `ingest_lambda.clock`).
    """

    event_id: UUID
    event_name: Name
    event_timestamp: Timestamp
    received_at: Timestamp
    sent_at: Timestamp | None = None
    client_timestamp: Timestamp | None = None
    time_source: TimeSource = "client"
    client_id: Id | None = None
    session_id: Id | None = None
    user_id: Id | None = None
    user_login_state: Label | None = None
    identity_source: Label | None = None
    is_first_visit: bool | None = None
    page_url: Url | None = None
    page_title: Text | None = None
    referrer: Url | None = None
    device: Device | None = None
    geo: Geo | None = None
    product: Product | None = None
    quantity: Quantity | None = None
    currency: Currency | None = None
    order: Order | None = None
    items: list[OrderItem] = []
    list_name: Label | None = None
    search_query: Text | None = None
    experiment: Variant | None = None
    variant: Variant | None = None
    consent: Label | None = None
    is_gpc: bool | None = None
    is_dnt: bool | None = None
    user_agent: Text | None = None
    tracker_version: Label | None = None
    props: dict[str, Any] | None = None
    warnings: list[EventWarning] = []

    @property
    def visitor_id(self) -> str:
        """Who did it: the browser, else the browser's session, else the signed-in user. Never empty once accepted."""
        return self.client_id or self.session_id or self.user_id or ""


class Rejection(Struct, omit_defaults=True):
    """One event that was not accepted, with its bytes and its reason: one line of an object under `rejected/`."""

    code: str
    message: str
    received_at: datetime
    index: int = 0
    body: str = ""
    body_encoding: Literal["text", "base64"] = "text"
    #: Only where no more than the beginning of the body is kept: how long it was, in bytes, and its SHA-256 in hexadecimal.
    body_bytes: int | None = None
    body_sha256: str | None = None


class Reject(ValueError):
    """Raised for an event that cannot be accepted. `code` is counted in the ledger, `message` says what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    def __reduce__(self) -> tuple[type[Reject], tuple[str, str]]:
        """An exception is copied by what it says alone: from one process to another, the code would be lost."""
        return Reject, (self.code, self.message)


#: Every reason for which an event or a whole body is put under `rejected/`. A field that has no reason of its own
#: below is reported as `invalid_<field>`.
REASONS: dict[str, str] = {
    "empty_body": "The body, or its list of events, is empty.",
    "invalid_base64": "The body is flagged as base64 and is not. Its bytes are not kept: they cannot be cleaned.",
    "invalid_gzip": "The body begins as gzip and is cut short, broken, or packed twice. Its bytes are not kept.",
    "invalid_utf8": "The text is not UTF-8. The bytes are kept as base64.",
    "invalid_json": "The text is not JSON (NaN, Infinity and trailing commas are not JSON either).",
    "invalid_number": "A number has more digits than any number that means something.",
    "invalid_event": "An event must be a JSON object.",
    "unknown_version": "`clickstream_version` names a version of the contract that this collector does not know yet.",
    "event_too_large": "One event is above 64 KiB. Its beginning is kept, with its length and its hash.",
    "too_deep": "The event is nested more than 20 levels deep.",
    "too_long": "The id of a visitor, or the name of an event, is longer than the contract allows.",
    "missing_event_name": "The event has no name.",
    "invalid_event_name": "The name is not lower case words joined by `_`, as in `page_view`.",
    "missing_visitor": "The event has no client_id, session_id or user_id, or only nobody's (`NULL`, `0`, `guest`).",
    "missing_timestamp": "An imported event has no time of its own.",
    "invalid_event_id": "`event_id` is not a UUID.",
    "invalid_timestamp": "A time is neither ISO 8601 nor an epoch number, or lies outside 1900 to 2199.",
    "too_old": "More than a year before it was sent, by a clock that is right. `clickstream import` brings in history.",
    "internal_error": "A defect of ours. The event is kept, whole.",
}
#: What makes an event, and who did it. A value of these that cannot be read refuses the event; any other is set aside.
ESSENTIAL_FIELDS = frozenset(
    ("event_id", "event_name", "event_timestamp", "received_at", "client_id", "session_id", "user_id")
)
for _field in sorted(ESSENTIAL_FIELDS):
    REASONS.setdefault(f"invalid_{_field}", f"`{_field}` has the wrong type or shape.")

#: Every warning: the event stands, and what could not be read lies in its `props`. A field that has no word of its own
#: below is warned of as `invalid_<field>`.
WARNINGS: dict[str, str] = {
    "missing_order_id": "A purchase without an order id counts as an order of its own; a refund without one counts nowhere.",
    "missing_amount": "A purchase with neither a value nor prices counts as an order of 0.",
    "invalid_price": "An amount of money is not a number below one billion, as 12.50; or it is below zero and no refund.",
    "invalid_quantity": "A quantity is not a whole number from 1 to 1,000,000. A part of a piece counts as one, at its price.",
    "invalid_currency": "The currency is not a three-letter ISO 4217 code.",
    "invalid_timestamp": "`sent_at` or `client_timestamp` is neither ISO 8601 nor an epoch number.",
    "missing_variant": "An experiment without the variant that was shown says nothing, and lies in props.",
    "invalid_order": "`order` or a part of it has the wrong type or shape, or is an id that names nothing or somebody.",
    "invalid_product": "`product` or a part of it has the wrong type or shape, or is an id that names nothing or somebody.",
    "invalid_items": "No list of objects, or a line without a key that is known, or whose id tells who somebody is.",
    "too_long": "A text is longer than the contract allows: its beginning is the field, the whole is in props.",
}
for _field in Event.__struct_fields__:
    if _field not in ESSENTIAL_FIELDS:
        WARNINGS.setdefault(f"invalid_{_field}", f"`{_field}` has the wrong type or shape.")

_encoder = msgspec.json.Encoder(decimal_format="number")
_decoder = msgspec.json.Decoder(Event)


def encode(record: Event | Rejection) -> bytes:
    """One JSON line, without its newline. Prices are JSON numbers and keep every digit."""
    return _encoder.encode(record)


def decode(line: bytes) -> Event:
    """The event of a canonical line. Raises `msgspec.MsgspecError` for any other line."""
    return _decoder.decode(line)


def json_schema() -> dict[str, Any]:
    """The event as a JSON Schema, for the tracker and for anyone who writes one."""
    schema = msgspec.json.schema(Event)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Clickstream event v{VERSION}",
        **schema,
    }

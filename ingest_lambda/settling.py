"""What is settled of an event once its fields are read: who, which, when, and what it lacks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal, NamedTuple
from uuid import UUID, uuid4, uuid5

import msgspec

from ingest_lambda import clock
from ingest_lambda.contract import ORDER_EVENTS, EventWarning, Reject
from ingest_lambda.dialects.tables import EVENT_NAMESPACE
from ingest_lambda.fields import VISITOR_FIELDS
from ingest_lambda.settings import CLOCK_SKEW_BOUND
from ingest_lambda.tidy import plain
from ingest_lambda.words import GA4_NAMES

EventIdPolicy = Literal["strict", "uuid5"]
#: What tells a refund from another one of the same order, beside the order's own fields and what has no field of its own (a
#: number of the refund): who says it, and from where, does not.
_REFUND_FIELDS = frozenset(
    ("event_timestamp", "product.id", "product.price", "product.discount_price", "quantity", "currency", "items")
)
#: In props, what a way of sending says, and not the sender.
_OF_THE_WAY = frozenset(
    ("received_at", "time_source", "warnings", "sent_at", "times", "message_id", "_ignored", "_dropped")
)


class Receipt(NamedTuple):
    """What is known of the request that an event came in. `received_at` None: as if received at its own time."""

    received_at: datetime | None
    shift: timedelta = clock.NO_SHIFT
    #: None: the one in the settings, which are asked when an id needs it.
    salt: str | None = None
    make_event_id: Callable[[], UUID | str] = uuid4
    event_id_policy: EventIdPolicy = "strict"
    is_trusted: bool = False


def check_visitor(values: dict[str, Any]) -> None:
    """Somebody did it."""
    if not any(values.get(field) for field in VISITOR_FIELDS):
        raise Reject(
            "missing_visitor",
            "send client_id (or session_id, or user_id); NULL, 0, guest and the like are nobody, and an e-mail is not kept",
        )


def set_name(values: dict[str, Any]) -> None:
    """An event has a name; what is called `view` is told apart by what was viewed."""
    name = values.get("event_name")
    if name is None:
        raise Reject("missing_event_name", "send event_name, as page_view")
    if isinstance(name, str) and name in GA4_NAMES:
        values["event_name"] = GA4_NAMES[name]
    elif name == "view":
        values["event_name"] = "view_product" if values.get("product.id") else "page_view"


def missing(values: dict[str, Any]) -> list[EventWarning]:
    """What an order needs and did not come with."""
    name = values["event_name"]
    if name not in ORDER_EVENTS:
        return []
    found = [] if values.get("order.id") else [EventWarning("missing_order_id", "order.id")]
    lines = values.get("order.items", ())
    is_paid = "order.value" in values or "product.price" in values or "product.discount_price" in values
    if name == "purchase" and not is_paid and not any("price" in line for line in lines):
        found.append(EventWarning("missing_amount", "order.value"))
    return found


def set_refund(values: dict[str, Any]) -> None:
    """Nobody gives back 0: a refund that says so does not say how much."""
    if values["event_name"] == "refund" and values.get("order.value") == 0:
        del values["order.value"]


def set_event_id(values: dict[str, Any], props: dict[str, Any], receipt: Receipt) -> None:
    """Its own id, or one that is made of what it says, or a new one."""
    given = values.get("event_id")
    if given is None:
        values["event_id"] = _refund_id(values, props) or receipt.make_event_id()
        return
    try:
        values["event_id"] = UUID(given)
    except (ValueError, AttributeError, TypeError):
        if receipt.event_id_policy == "strict":
            raise Reject("invalid_event_id", "event_id: expected a UUID, or leave it out") from None
        values["event_id"] = uuid5(EVENT_NAMESPACE, str(given))


def _refund_id(values: dict[str, Any], props: dict[str, Any]) -> UUID | None:
    """A refund that has no id of its own is known by what it says, so that one which is sent again gives nothing back twice.
    Two equal refunds of an order are two when they have ids or times."""
    if values["event_name"] != "refund" or not values.get("order.id"):
        return None
    said = {path: value for path, value in values.items() if path.startswith("order.") or path in _REFUND_FIELDS}
    said = {path: _compared(value) for path, value in said.items()}
    beside = {key: value for key, value in props.items() if key not in _OF_THE_WAY and not key.startswith("gtm.")}
    if beside:
        said["props"] = plain(beside)
    return uuid5(EVENT_NAMESPACE, msgspec.json.encode(said, order="deterministic").decode())


def _compared(value: Any) -> Any:
    """Amounts as they compare: 30 and 30.00 are one."""
    if isinstance(value, list):
        return [{name: _compared(held) for name, held in line.items()} for line in value]
    if not isinstance(value, Decimal):
        return value
    return Decimal(int(value)) if value == value.to_integral_value() else value.normalize()


def set_times(values: dict[str, Any], receipt: Receipt, heard_at: datetime | None = None) -> None:
    """The time that counts, what the client said, and when it was received. `heard_at`: when a pipeline says that it received
    what it now sends on."""
    client = values.get("event_timestamp") or values.get("client_timestamp")
    received_at = values.get("received_at") or receipt.received_at or client
    if received_at is None:
        raise Reject("missing_timestamp", "an imported event needs its own time: send event_timestamp")
    values["received_at"] = received_at
    if "time_source" in values and "event_timestamp" in values:
        return  # a stored event: its time was settled when it was received
    if client is not None:
        values["client_timestamp"] = client
    if receipt.received_at is None and client is not None:  # history: its times were settled long ago
        values["event_timestamp"], values["time_source"] = client, "client"
        return
    sent_at = values.get("sent_at")
    if heard_at is not None and client is not None and heard_at < client - CLOCK_SKEW_BOUND:
        heard_at = None  # nobody hears of what is still to happen
    if heard_at is not None and heard_at <= received_at + CLOCK_SKEW_BOUND:
        values["event_timestamp"], values["time_source"] = clock.relayed(
            client, heard_at=heard_at, received_at=received_at, sent_at=sent_at
        )
        return
    moment, source = clock.resolve(client, received_at=received_at, shift=receipt.shift, sent_at=sent_at)
    values["event_timestamp"], values["time_source"] = moment, source

"""From what a client sent to the event of the contract, for the collector, the loader and the importer alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple
from uuid import UUID, uuid4, uuid5

import msgspec

from ingest_lambda import clock, privacy
from ingest_lambda.contract import Event, EventWarning, Reject
from ingest_lambda.dialects.tables import EVENT_NAMESPACE
from ingest_lambda.fields import ID_FIELDS, LINE_FIELDS, VISITOR_FIELDS
from ingest_lambda.fitting import fit
from ingest_lambda.reading import Draft, draft, parse
from ingest_lambda.tidy import plain
from ingest_lambda.words import keep

EventIdPolicy = Literal["strict", "uuid5"]
#: What tells a refund from another one of the same order, beside the order's own fields.
_REFUND_FIELDS = frozenset(
    ("event_timestamp", "product.id", "product.price", "product.discount_price", "quantity", "currency")
)
#: Only the collector says these; a client that sends them finds them in `props`.
OWN_FIELDS = frozenset({"received_at", "time_source", "warnings"})


class Receipt(NamedTuple):
    """What is known of the request that an event came in. `received_at` None: as if received at its own time."""

    received_at: datetime | None
    shift: timedelta = clock.NO_SHIFT
    #: None: the one in the settings, which are asked when an id needs it.
    salt: str | None = None
    make_event_id: Callable[[], UUID | str] = uuid4
    event_id_policy: EventIdPolicy = "strict"
    is_trusted: bool = False


def finish(
    read: Draft, receipt: Receipt, defaults: Mapping[str, Any] | None = None, *, is_clean: bool = False
) -> Event:
    """The event of a draft. `defaults` are fields by path that the request says for all its events. `is_clean`: nothing in
    it is personal, as whoever has read each of its values by `clean` knows."""
    values = {**(defaults or {}), **read.values}
    props = dict(read.props)
    warnings = list(read.warnings)
    if not receipt.is_trusted:
        for field in OWN_FIELDS & values.keys():
            keep(props, (field,), str(values.pop(field)))
    _set_name(values)
    if not is_clean:
        _scrub(values, receipt.salt)
    _check_visitor(values)
    warnings += [*fit(values, props), *_missing(values)]
    _set_event_id(values, receipt)
    _set_times(values, receipt)
    if props:
        values["props"] = props if is_clean and props == read.props else privacy.scrub_props(plain(props))
    if warnings:
        values["warnings"] = warnings
    return _convert(values)


def normalize(
    record: Mapping[str, Any],
    *,
    received_at: datetime | None,
    shift: timedelta | None = None,
    defaults: Mapping[str, Any] | None = None,
    make_event_id: Callable[[], UUID | str] = uuid4,
    event_id_policy: EventIdPolicy = "strict",
    salt: str | None = None,
) -> Event:
    """The event that one record means, or `Reject` with the reason why it means none.

    `shift` is what `clock.batch_shift` says of the batch that the record came in; without it, it is its own batch.
    """
    read = draft(record)
    moved = _own_shift(read, received_at) if shift is None else shift
    return finish(read, Receipt(received_at, moved, salt, make_event_id, event_id_policy), defaults)


def accept(
    line: bytes,
    *,
    received_at: datetime | None,
    make_event_id: Callable[[], UUID | str] = uuid4,
    event_id_policy: EventIdPolicy = "strict",
    salt: str | None = None,
) -> Event:
    """The event of a stored line in any dialect, or `Reject`. For the loader and the importer.

    A line that carries its own `received_at` keeps it. `received_at` None: as if received at the event's own time.
    """
    receipt = Receipt(received_at, clock.NO_SHIFT, salt, make_event_id, event_id_policy, is_trusted=True)
    return accept_draft(draft(parse(line)), receipt)


def accept_draft(read: Draft, receipt: Receipt, *, is_clean: bool = False) -> Event:
    """The same, for what is read already."""
    shift = _own_shift(read, receipt.received_at and read.values.get("received_at", receipt.received_at))
    return finish(read, receipt._replace(shift=shift) if shift else receipt, is_clean=is_clean)


def _own_shift(read: Draft, received_at: datetime | None) -> timedelta:
    times = [read.client_time] if read.client_time else []
    return clock.batch_shift(times, received_at=received_at, sent_at=None) if received_at else clock.NO_SHIFT


def clean(path: str, value: Any, salt: str | None = None) -> Any:
    """The value of one field without what is personal in it; None where nothing is left."""
    if path in VISITOR_FIELDS:
        return privacy.pseudonym(value, salt)
    if path in LINE_FIELDS:
        return [privacy.scrub_item(item) for item in value]
    if isinstance(value, str) and path != "event_id":  # which is a UUID in the end, or a reason to reject
        return privacy.scrub_id(value) if path in ID_FIELDS else privacy.scrub_text(value, path)
    return value


def _scrub(values: dict[str, Any], salt: str | None) -> None:
    for path, value in values.items():
        values[path] = clean(path, value, salt)


def _check_visitor(values: dict[str, Any]) -> None:
    if not any(values.get(field) for field in VISITOR_FIELDS):
        raise Reject(
            "missing_visitor",
            "send client_id (or session_id, or user_id); NULL, 0, guest and the like are nobody, and an e-mail is not kept",
        )


def _set_name(values: dict[str, Any]) -> None:
    name = values.get("event_name")
    if name is None:
        raise Reject("missing_event_name", "send event_name, as page_view")
    if name == "view":
        values["event_name"] = "view_product" if values.get("product.id") else "page_view"


def _missing(values: dict[str, Any]) -> list[EventWarning]:
    """What an order needs and did not come with."""
    name = values["event_name"]
    if name not in ("purchase", "refund"):
        return []
    found = [] if values.get("order.id") else [EventWarning("missing_order_id", "order.id")]
    lines = values.get("order.items", ())
    is_paid = "order.value" in values or "product.price" in values or "product.discount_price" in values
    if name == "purchase" and not is_paid and not any("price" in line for line in lines):
        found.append(EventWarning("missing_amount", "order.value"))
    return found


def _set_event_id(values: dict[str, Any], receipt: Receipt) -> None:
    given = values.get("event_id")
    if given is None:
        values["event_id"] = _refund_id(values) or receipt.make_event_id()
        return
    try:
        values["event_id"] = UUID(given)
    except (ValueError, AttributeError, TypeError):
        if receipt.event_id_policy == "strict":
            raise Reject("invalid_event_id", "event_id: expected a UUID, or leave it out") from None
        values["event_id"] = uuid5(EVENT_NAMESPACE, str(given))


def _refund_id(values: dict[str, Any]) -> UUID | None:
    """A refund that has no id of its own is known by what it says, so that one which is sent again gives nothing back twice.
    Two equal refunds of an order are two when they have ids or times."""
    if values["event_name"] != "refund" or not values.get("order.id"):
        return None
    said = {path: value for path, value in values.items() if path.startswith("order.") or path in _REFUND_FIELDS}
    return uuid5(EVENT_NAMESPACE, msgspec.json.encode(said, order="deterministic").decode())


def _set_times(values: dict[str, Any], receipt: Receipt) -> None:
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
    moment, source = clock.resolve(client, received_at=received_at, shift=receipt.shift, sent_at=sent_at)
    values["event_timestamp"], values["time_source"] = moment, source


def _convert(values: dict[str, Any]) -> Event:
    nested: dict[str, Any] = {}
    for path, value in values.items():
        if "." in path:
            parent, _, name = path.rpartition(".")
            nested.setdefault(parent, {})[name] = value
        else:
            nested[path] = value
    try:
        return msgspec.convert(nested, Event)
    except msgspec.ValidationError as error:
        raise _reject(str(error)) from None


def _reject(message: str) -> Reject:
    """The contract's own complaint, with the field's name first and a code that is counted."""
    expected, _, where = message.rpartition(" - at `$")
    path = where.removesuffix("`").removeprefix(".") or "event"
    expected = expected or message
    field = path.partition(".")[0].partition("[")[0]
    if field == "event_name":
        return Reject(
            "invalid_event_name", "event_name: expected lower case words joined by _, as page_view or add_to_cart"
        )
    code = "too_long" if "of length <=" in expected else f"invalid_{field}"
    return Reject(code, f"{path}: {expected[0].lower()}{expected[1:]}")

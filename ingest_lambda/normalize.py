"""From what a client sent to the event of the contract, for the collector, the loader and the importer alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple
from uuid import UUID, uuid4, uuid5

import msgspec

from ingest_lambda import clock, privacy
from ingest_lambda.contract import Event, Reject
from ingest_lambda.dialects import keep
from ingest_lambda.fields import ID_FIELDS, VISITOR_FIELDS
from ingest_lambda.reading import Draft, draft, parse
from ingest_lambda.tidy import plain

EventIdPolicy = Literal["strict", "uuid5"]
#: An id of another system that is no UUID becomes one in this namespace: the same id, the same UUID, on every import.
EVENT_NAMESPACE = UUID("6f2d1a54-93f0-5c7e-8b1f-0d9c4e5a7b21")
#: Only the collector says these; a client that sends them finds them in `props`.
OWN_FIELDS = frozenset({"received_at", "time_source"})


class Receipt(NamedTuple):
    """What is known of the request that an event came in. `received_at` None: as if received at its own time."""

    received_at: datetime | None
    shift: timedelta = clock.NO_SHIFT
    #: None: the one in the settings, which are asked when an id needs it.
    salt: str | None = None
    make_event_id: Callable[[], UUID] = uuid4
    event_id_policy: EventIdPolicy = "strict"
    is_trusted: bool = False


def finish(read: Draft, receipt: Receipt, defaults: Mapping[str, Any] | None = None) -> Event:
    """The event of a draft. `defaults` are fields by path that the request says for all its events."""
    values = {**(defaults or {}), **read.values}
    props = dict(read.props)
    if not receipt.is_trusted:
        for field in OWN_FIELDS & values.keys():
            keep(props, (field,), str(values.pop(field)))
    _set_name(values)
    _scrub(values, receipt.salt)
    _set_event_id(values, receipt)
    _set_times(values, receipt)
    if props:
        values["props"] = privacy.scrub_props(plain(props))
    return _convert(values)


def normalize(
    record: Mapping[str, Any],
    *,
    received_at: datetime | None,
    shift: timedelta | None = None,
    defaults: Mapping[str, Any] | None = None,
    make_event_id: Callable[[], UUID] = uuid4,
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
    make_event_id: Callable[[], UUID] = uuid4,
    event_id_policy: EventIdPolicy = "strict",
    salt: str | None = None,
) -> Event:
    """The event of a stored line in any dialect, or `Reject`. For the loader and the importer.

    A line that carries its own `received_at` keeps it. `received_at` None: as if received at the event's own time.
    """
    read = draft(parse(line))
    shift = _own_shift(read, read.values.get("received_at") or received_at)
    return finish(read, Receipt(received_at, shift, salt, make_event_id, event_id_policy, is_trusted=True))


def _own_shift(read: Draft, received_at: datetime | None) -> timedelta:
    times = [read.client_time] if read.client_time else []
    return clock.batch_shift(times, received_at=received_at, sent_at=None) if received_at else clock.NO_SHIFT


def _scrub(values: dict[str, Any], salt: str | None) -> None:
    for path, value in list(values.items()):
        if path in VISITOR_FIELDS:
            values[path] = privacy.pseudonym(value, salt)
        elif path == "order.items":
            values[path] = [privacy.scrub_item(item) for item in value]
        elif isinstance(value, str) and path != "event_id":  # which is a UUID in the end, or a reason to reject
            values[path] = privacy.scrub_id(value) if path in ID_FIELDS else privacy.scrub_text(value, path)
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


def _set_event_id(values: dict[str, Any], receipt: Receipt) -> None:
    given = values.get("event_id")
    if given is None:
        values["event_id"] = receipt.make_event_id()
        return
    try:
        values["event_id"] = UUID(given)
    except (ValueError, AttributeError, TypeError):
        if receipt.event_id_policy == "strict":
            raise Reject("invalid_event_id", "event_id: expected a UUID, or leave it out") from None
        values["event_id"] = uuid5(EVENT_NAMESPACE, str(given))


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
    moment, source = clock.resolve(client, received_at=received_at, shift=receipt.shift)
    values["event_timestamp"], values["time_source"] = moment, source


def _convert(values: dict[str, Any]) -> Event:
    nested: dict[str, Any] = {}
    for path, value in values.items():
        parent, _, name = path.rpartition(".")
        (nested.setdefault(parent, {}) if parent else nested)[name] = value
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

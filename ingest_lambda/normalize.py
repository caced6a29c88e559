"""From what a client sent to the event of the contract, for the collector, the loader and the importer alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec

from ingest_lambda import clock, experiments, privacy
from ingest_lambda.contract import Event, EventWarning, Reject
from ingest_lambda.fields import ID_FIELDS, LINE_FIELDS, VISITOR_FIELDS
from ingest_lambda.fitting import fit
from ingest_lambda.reading import Draft, draft, draft_line
from ingest_lambda.settling import (
    EventIdPolicy,
    Receipt,
    check_visitor,
    missing,
    set_event_id,
    set_name,
    set_refund,
    set_times,
)
from ingest_lambda.tidy import plain
from ingest_lambda.words import keep

#: Only the collector says these; a client that sends them finds them in `props`.
OWN_FIELDS = frozenset({"received_at", "time_source", "warnings"})


def finish(
    read: Draft, receipt: Receipt, defaults: Mapping[str, Any] | None = None, *, is_clean: bool = False
) -> Event:
    """The event of a draft. `defaults` are fields by path that the request says for all its events. `is_clean`: nothing in
    it is personal, as whoever has read each of its values by `clean` knows."""
    values = {**(defaults or {}), **read.values}
    props = dict(read.props)
    warnings = list(read.warnings)
    heard_at = None if receipt.is_trusted else values.get("received_at")
    if not receipt.is_trusted:
        for field in OWN_FIELDS & values.keys():
            keep(props, (field,), str(values.pop(field)))
    set_name(values)
    set_refund(values)
    warnings += experiments.take(values, props)
    if not is_clean:
        warnings += _scrub(values, receipt.salt)
    check_visitor(values)
    warnings += [*fit(values, props), *experiments.pair(values, props), *missing(values)]
    if props and not (is_clean and props == read.props):
        props = privacy.scrub_props(plain(props))
    set_event_id(values, props, receipt)
    set_times(values, receipt, heard_at)
    if props:
        values["props"] = props
    if warnings:
        values["warnings"] = _with_new(values.get("warnings"), warnings)
    return _convert(values)


def _with_new(stored: Any, warnings: list[EventWarning]) -> list[Any]:
    """The warnings of a stored event, and those of this reading that are not among them."""
    if not isinstance(stored, list):
        return warnings
    known = [(one.get("code"), one.get("field")) for one in stored if isinstance(one, dict)]
    return stored + [one for one in warnings if (one.code, one.field) not in known]


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
    return accept_draft(draft_line(line), receipt)


def accept_draft(read: Draft, receipt: Receipt, *, is_clean: bool = False) -> Event:
    """The same, for what is read already."""
    shift = _own_shift(read, receipt.received_at and read.values.get("received_at", receipt.received_at))
    return finish(read, receipt._replace(shift=shift) if shift else receipt, is_clean=is_clean)


def _own_shift(read: Draft, received_at: datetime | None) -> timedelta:
    times = [read.client_time] if read.client_time else []
    return clock.batch_shift(times, received_at=received_at, sent_at=None) if received_at else clock.NO_SHIFT


def clean(path: str, value: Any, salt: str | None = None) -> Any:
    """The value of one field without what is personal in it; None where nothing is left. `Reject` for the id of an order or a
    product that tells who somebody is, where there is no key to hash it with."""
    if path in VISITOR_FIELDS:
        return privacy.pseudonym(value, salt)
    if path in LINE_FIELDS:
        return [privacy.scrub_item(item, salt) for item in value]
    if not isinstance(value, str) or path == "event_id":  # which is a UUID in the end, or a reason to reject
        return value
    if path not in ID_FIELDS:
        return privacy.scrub_text(value, path)
    kept = privacy.thing(value, salt)
    if kept is None:
        code = "invalid_" + path.partition(".")[0]
        raise Reject(code, f"{path}: holds what tells who somebody is, and there is no key to hash it with")
    return kept


def _scrub(values: dict[str, Any], salt: str | None) -> list[EventWarning]:
    warnings: list[EventWarning] = []
    for path, value in values.items():
        if isinstance(value, str):
            try:
                values[path] = clean(path, value, salt)
            except Reject as reason:
                values[path] = None
                warnings.append(EventWarning(reason.code, path))
        elif isinstance(value, list):
            values[path] = clean(path, value, salt)
            if path in LINE_FIELDS and any(map(_is_shorter, values[path], value)):
                warnings.append(EventWarning("invalid_items", path))
    return warnings


def _is_shorter(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return len(one) < len(other)


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

"""The events of one request, sorted into accepted and rejected. No event decides over another."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeVar
from uuid import UUID, uuid4

from ingest_lambda import batch, clock, contract, settings
from ingest_lambda.contract import Event, EventWarning, Reject, Rejection
from ingest_lambda.log import log
from ingest_lambda.normalize import finish
from ingest_lambda.privacy import scrub_text
from ingest_lambda.reading import Draft, draft_line
from ingest_lambda.rejects import rejection
from ingest_lambda.request import Request
from ingest_lambda.settling import Receipt
from ingest_lambda.tidy import tidy

MAX_USER_AGENT = 2048
#: The `identity_source` of a customer whose token the API has checked. What a client says of itself is never this.
CHECKED = "cognito_verified"

T = TypeVar("T")
_COUNTRY = re.compile(r"[A-Z]{2}\Z")
#: The agent of a browser or a device. Any other is a server's, and so is its country.
_OF_A_DEVICE = re.compile(r"Mozilla/|Opera/|CFNetwork/|Dalvik/|Android|iOS|iPhone|iPad")


class Sorted(NamedTuple):
    """One JSON line for each accepted event, and one rejection for each other; and what is to be said of the accepted ones,
    with their place in the request."""

    accepted: list[bytes]
    rejected: list[Rejection]
    warnings: list[tuple[int, EventWarning]]


def sort(request: Request, *, received_at: datetime, salt: str | None, make_id: Callable[[], UUID] = uuid4) -> Sorted:
    """Read a request's body. A body that cannot be read at all is one rejection. Raises `Refusal` above a limit."""
    whole = b""  # what cannot be unpacked cannot be cleaned of personal data either, and is not kept
    try:
        whole = request.body()
        found = batch.split(whole)
    except Reject as reason:
        return Sorted([], [rejection(reason, whole, received_at)], [])
    drafts = [_attempt(_read, event) for event in found.events]
    sent_at = {"sent_at": received_at} if found.is_sent_now else _sent_at(drafts)
    said = {**sent_at, **found.envelope.values}
    receipt = Receipt(received_at, _shift(drafts, found.envelope, received_at, said.get("sent_at")), salt, make_id)
    sender = _sender(request, said)
    proven = {"user_id": request.customer, "identity_source": CHECKED} if request.customer else {}
    accepted: list[bytes] = []
    rejected: list[Rejection] = []
    warnings: list[tuple[int, EventWarning]] = []
    for index, (event, read) in enumerate(zip(found.events, drafts, strict=True)):
        outcome = read if isinstance(read, Reject) else _attempt(_event, read, found.envelope, receipt, sender, proven)
        if isinstance(outcome, Reject):
            rejected.append(rejection(outcome, event, received_at, index))
        else:
            accepted.append(contract.encode(outcome))
            warnings += ((index, warning) for warning in outcome.warnings)
    return Sorted(accepted, rejected, warnings)


def header_fields(request: Request) -> dict[str, Any]:
    """What the request's headers say for its events, where the events say nothing. Never an address."""
    headers = request.headers
    fields: dict[str, Any] = {}
    if headers.get("user-agent"):
        fields["user_agent"] = scrub_text(headers["user-agent"][: 4 * MAX_USER_AGENT], "user_agent")[:MAX_USER_AGENT]
    is_of_a_visitor = _OF_A_DEVICE.search(headers.get("user-agent", "")[:MAX_USER_AGENT])
    if is_of_a_visitor and _COUNTRY.match(headers.get("cloudfront-viewer-country", "")):
        fields["geo.country"] = headers["cloudfront-viewer-country"]
    for name, field in (("sec-gpc", "is_gpc"), ("dnt", "is_dnt")):
        if headers.get(name) in ("0", "1"):
            fields[field] = headers[name] == "1"
    return tidy(fields)[0]


def _read(event: bytes) -> Draft:
    if len(event) > settings.MAX_EVENT_BYTES:
        raise Reject(
            "event_too_large", f"one event may have {settings.MAX_EVENT_BYTES} bytes, this one has {len(event)}"
        )
    return draft_line(event)


class Sender(NamedTuple):
    """What a request says for its events: for those of its own agent, and for those that name another. These it only sends on,
    and the country that it comes from is not their visitors'."""

    agent: str | None
    own: dict[str, Any]
    others: dict[str, Any]


def _sender(request: Request, said: dict[str, Any]) -> Sender:
    defaults = {**header_fields(request), **said}
    others = {path: value for path, value in defaults.items() if path != "geo.country" or path in said}
    agent = request.headers.get("user-agent")
    return Sender(agent, defaults if said.get("user_agent", agent) == agent else others, others)


def _event(read: Draft, envelope: Draft, receipt: Receipt, sender: Sender, proven: dict[str, Any]) -> Event:
    defaults = sender.own if read.values.get("user_agent", sender.agent) == sender.agent else sender.others
    whole = Draft({**read.values, **proven}, {**envelope.props, **read.props}, envelope.warnings + read.warnings)
    event = finish(whole, receipt, defaults)
    return event if proven else without_proof(event)


def without_proof(event: Event) -> Event:
    """An event that says of itself that a token was checked does not say so any more."""
    if (event.identity_source or "").strip().lower() == CHECKED:
        event.identity_source = None
    return event


def _attempt(step: Callable[..., T], *given: Any) -> T | Reject:
    """A step's result, or why there is none. A defect of ours costs one event, which is kept, and never a batch."""
    try:
        return step(*given)
    except Reject as reason:
        return reason
    except settings.SecretUnavailable:
        raise  # the whole request is to be sent again
    except Exception as error:
        import traceback  # never needed, until it is

        frame = traceback.extract_tb(error.__traceback__)[-1]
        log("defect", error=type(error).__name__, where=f"{frame.name}:{frame.lineno}")
        return Reject("internal_error", "this event could not be read; it is kept; please report it")


def _sent_at(drafts: list[Draft | Reject]) -> dict[str, Any]:
    """When the request was sent, where only the events say it."""
    said = [read.values["sent_at"] for read in drafts if isinstance(read, Draft) and "sent_at" in read.values]
    return {"sent_at": max(said)} if said else {}


def _shift(drafts: list[Draft | Reject], envelope: Draft, received_at: datetime, sent_at: datetime | None) -> timedelta:
    # What a pipeline has received before us is settled by its clock.
    own = (read for read in drafts if isinstance(read, Draft) and "received_at" not in read.values)
    times = (read.client_time or envelope.client_time for read in own)
    return clock.batch_shift((time for time in times if time), received_at=received_at, sent_at=sent_at)

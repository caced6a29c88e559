"""What was refused, read once more with the rules of now: the event that a mended rule lets in.

The collector never does this. The loader does, with each line under `rejected/`, so that what is refused follows from the
bytes that are kept and from the rules of now, and from nothing that was done by hand.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from uuid import UUID

from ingest_lambda import clock
from ingest_lambda.contract import Event, Reject, Rejection
from ingest_lambda.normalize import finish
from ingest_lambda.reading import Draft, draft_line
from ingest_lambda.settling import Receipt
from ingest_lambda.sorting import without_proof

#: Reasons that lie in the request, or in bytes that are not kept: to read the rest would tell another story.
FINAL = frozenset({"too_old", "empty_body", "invalid_base64", "invalid_gzip", "event_too_large"})


def event_of(kept: Rejection, make_event_id: Callable[[], UUID]) -> Event:
    """The event that the kept bytes mean now. Raises `Reject` where they still mean none, whatever they hold."""
    if kept.code in FINAL or kept.body_bytes is not None:
        raise Reject(kept.code, kept.message)
    try:
        return _event(draft_line(_bytes(kept)), kept, make_event_id)
    except Reject:
        raise
    except Exception as error:  # the defect of ours that has refused it may still be there
        raise Reject("internal_error", "this event still cannot be read; please report it") from error


def _event(read: Draft, kept: Rejection, make_event_id: Callable[[], UUID]) -> Event:
    """As `sorting` does, the request being over. No id is hashed: what is personal was taken out of the bytes, and is nobody."""
    sent_at = read.values.get("sent_at")
    times = [read.client_time] if read.client_time and "received_at" not in read.values else []
    shift = clock.batch_shift(times, received_at=kept.received_at, sent_at=sent_at)
    return without_proof(finish(read, Receipt(kept.received_at, shift, "", make_event_id)))


def _bytes(kept: Rejection) -> bytes:
    return base64.b64decode(kept.body) if kept.body_encoding == "base64" else kept.body.encode()

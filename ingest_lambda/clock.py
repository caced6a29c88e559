"""What to believe of a client's clock.

A batch comes from one device, so one shift serves all of it: the order of a device's events never changes.
The raw client time stays on the event as `client_timestamp`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from ingest_lambda.contract import Reject, TimeSource
from ingest_lambda.settings import CLOCK_SKEW_BOUND, MAX_EVENT_AGE

NO_SHIFT = timedelta(0)


def batch_shift(times: Iterable[datetime], *, received_at: datetime, sent_at: datetime | None) -> timedelta:
    """What to add to every client time of a batch.

    With `sent_at`, the skew of the clock is known: it is added once it is beyond the bound. Where no time of the batch is
    believable even so (all in the future, or a year back), all are moved so that the newest event is now; but none by a clock
    that is right and tells of the past.
    """
    said = list(times)
    if not said:
        return NO_SHIFT
    skew = received_at - sent_at if sent_at else NO_SHIFT
    shift = skew if abs(skew) > CLOCK_SKEW_BOUND else NO_SHIFT
    if is_right(received_at, sent_at) and max(said) < received_at:
        return NO_SHIFT
    oldest, latest = received_at - MAX_EVENT_AGE, received_at + CLOCK_SKEW_BOUND
    return shift if any(oldest <= time + shift <= latest for time in said) else received_at - max(said)


def is_right(received_at: datetime, sent_at: datetime | None) -> bool:
    """Whether the clock is known to be right."""
    return sent_at is not None and abs(received_at - sent_at) <= CLOCK_SKEW_BOUND


def relayed(
    client: datetime | None, *, heard_at: datetime, received_at: datetime, sent_at: datetime | None = None
) -> tuple[datetime, TimeSource]:
    """The same of an event that a pipeline received at `heard_at`, by a clock that is right, and has sent on: the time that it
    had then, however late we hear of it. Raises `Reject` where that is more than a year ago."""
    shift = batch_shift([client] if client else [], received_at=heard_at, sent_at=sent_at)
    moment, source = resolve(client, received_at=heard_at, shift=shift, sent_at=sent_at)
    if moment < received_at - MAX_EVENT_AGE:
        raise _too_old(received_at - moment)
    return moment, source


def resolve(
    client: datetime | None, *, received_at: datetime, shift: timedelta, sent_at: datetime | None = None
) -> tuple[datetime, TimeSource]:
    """The time that counts, and how it was found. Raises `Reject` for what a right clock says was more than a year ago: to
    count it now would be wrong, and to open any old date to anyone costly.

    One event can still be years away from the rest of its batch; it is held at the nearest believable time, which keeps
    it the first, or the last.
    """
    if client is None:
        return received_at, "received"
    if is_right(received_at, sent_at) and client < received_at - MAX_EVENT_AGE:
        raise _too_old(received_at - client)
    moment = min(max(client + shift, received_at - MAX_EVENT_AGE), received_at + CLOCK_SKEW_BOUND)
    return moment, "client" if moment == client else "corrected"


def _too_old(age: timedelta) -> Reject:
    return Reject(
        "too_old", f"event_timestamp: {age.days} days ago, by a clock that is right: import history as a file"
    )

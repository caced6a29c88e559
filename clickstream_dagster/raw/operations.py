"""The operational numbers in the raw bucket: one object for each hour, which may be written again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import msgspec
import obstore
from obstore.store import ObjectStore

from ingest_lambda import landing
from ingest_lambda.operations import OperationalMetric


@dataclass(frozen=True)
class OperationsObject:
    """One object as the listing shows it."""

    hour: datetime
    etag: str


class Unreadable(ValueError):
    """An object under operations/ is not what the function writes."""


def list_objects(store: ObjectStore, since: datetime | None) -> list[OperationsObject]:
    """The objects of the hours from `since` on, or all of them."""
    after = landing.hour_prefix(since, landing.OPERATIONS) if since else None
    found = obstore.list(store, prefix=f"{landing.OPERATIONS}/", offset=after)
    return [
        OperationsObject(hour, meta["e_tag"] or "")
        for page in found
        for meta in page
        if (hour := landing.operations_hour(meta["path"]))
    ]


def read(store: ObjectStore, listed: OperationsObject) -> list[OperationalMetric]:
    """Its numbers. Raises `Unreadable`."""
    key = landing.operations_key(listed.hour)
    try:
        lines = bytes(obstore.get(store, key).bytes()).splitlines()
        found = [msgspec.json.decode(line, type=OperationalMetric) for line in lines if line.strip()]
    except msgspec.MsgspecError as error:
        raise Unreadable(f"{key}: {error}") from error
    if strange := {one.hour for one in found} - {listed.hour}:
        raise Unreadable(f"{key} has numbers of {min(strange).isoformat()}")
    return found

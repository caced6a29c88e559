"""The notes of test visits in the raw store."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import msgspec
import obstore
from obstore.store import ObjectStore

from ingest_lambda import canary, landing
from ingest_lambda.canary import Canary


def notes(store: ObjectStore, since: datetime, known: Collection[str]) -> list[Canary]:
    """Those of the hours from `since` on, but for the visits in `known`. A note that cannot be read is as if it were not there:
    no stranger can write one."""
    after = landing.hour_prefix(since, landing.OPERATIONS)
    listed = obstore.list(store, prefix=f"{landing.OPERATIONS}/", offset=after)
    keys = [meta["path"] for page in listed for meta in page if canary.is_note(meta["path"])]
    unknown = (key for key in keys if key.rpartition("/")[2].removesuffix(".json") not in known)
    return [note for key in unknown if (note := _read(store, key))]


def _read(store: ObjectStore, key: str) -> Canary | None:
    try:
        return msgspec.json.decode(bytes(obstore.get(store, key).bytes()), type=Canary)
    except msgspec.MsgspecError:
        return None

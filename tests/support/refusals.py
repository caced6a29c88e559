"""Histories with events that the rules of yesterday refuse and those of today accept: by the collector, as a line of an object,
as an object that cannot be unpacked."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import strategies as st

from clickstream_dagster.raw import lines
from ingest_lambda import contract, landing, normalize
from ingest_lambda.contract import Event, Reject, Rejection
from support.histories import RawFile, events, raw_files

MARK = "mended"
REASON = "invalid_page_title"


@contextmanager
def yesterday() -> Iterator[None]:
    """The rules before they were mended."""
    accept = normalize.set_name

    def refuse(values: dict[str, Any]) -> None:
        if values.get("page_title") == MARK:
            raise Reject(REASON, "nobody has heard of this title")
        accept(values)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(normalize, "set_name", refuse)
        patch.setattr(lines, "MAX_OBJECT_BYTES", 10)  # of what is unpacked
        yield


@st.composite
def refused_files(draw: st.DrawFn) -> list[RawFile]:
    """A history, some of which is refused by yesterday's rules."""
    files = draw(raw_files())
    for part in range(draw(st.integers(1, 3))):
        kind = draw(st.sampled_from(["collector", "line", "object"]))
        told = [draw(events(draw(st.integers(0, 30)))) for _ in range(draw(st.integers(1, 3)))]
        hour = told[0].received_at.replace(minute=0, second=0, microsecond=0)
        bodies = [_body(event, has_id=draw(st.booleans())) for event in told]
        if kind == "collector":
            refused = [
                Rejection(
                    REASON, "unheard of", event.received_at.replace(hour=hour.hour, day=hour.day), 0, body.decode()
                )
                for event, body in zip(told, bodies, strict=True)
            ]
            key, held = landing.rejected_key(hour, UUID(int=100 + part)), [contract.encode(one) for one in refused]
        else:
            key = landing.event_key(hour, UUID(int=100 + part))
            held = bodies if kind == "line" else [*map(contract.encode, told), *bodies]
        data = b"\n".join(held)
        if kind == "object":
            key, data = f"{key}.gz", gzip.compress(data, mtime=0)
        files.append(RawFile(key, data, hour))
    return files


def _body(event: Event, *, has_id: bool) -> bytes:
    """As a client would send it: no canonical line, which is read by no rule."""
    said = msgspec.json.decode(contract.encode(event)) | {"page_title": MARK}
    for name in ("received_at", "time_source", "warnings", *([] if has_id else ["event_id"])):
        said.pop(name, None)
    return msgspec.json.encode(said)

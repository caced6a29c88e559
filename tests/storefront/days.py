"""What happens in a browser happens now. A story of several days is played act by act, and each act is put back into its day: in
the raw store, as if the collector had taken it then, and in the shop's books."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from shop_site import Shop

TIMES = ("event_timestamp", "received_at", "sent_at", "client_timestamp")


@contextmanager
def days_ago(shop: Shop, days: int) -> Iterator[None]:
    """What is done in the block was done so many days ago. Its pages must be left in it: they send something as they go."""
    began = datetime.now(UTC)
    yield
    gap = timedelta(days=days)
    for file in _told_since(shop.home / "raw", began):
        _put_back(file, gap)
    # `updated_at` stays: by it a reader finds what is new.
    shop.rows("update orders set created_at = created_at - %s where created_at >= %s", gap, began)
    shop.rows("update refunds set created_at = created_at - %s where created_at >= %s", gap, began)


def _told_since(raw: Path, began: datetime) -> list[Path]:
    """The objects stored since then, once none has come for two seconds."""
    found: list[Path] = []
    while True:
        before, found = found, [file for file in raw.rglob("*.json") if file.stat().st_mtime >= began.timestamp()]
        if found and len(found) == len(before):
            return found
        time.sleep(2)


def _put_back(file: Path, gap: timedelta) -> None:
    lines = [_moved(msgspec.json.decode(line), gap) for line in file.read_bytes().splitlines()]
    hour = datetime.fromisoformat(lines[0]["received_at"])
    folder = file.parents[4] / f"{hour:%Y/%m/%d/%H}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / file.name).write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
    if folder != file.parent:
        file.unlink()


def _moved(line: dict[str, Any], gap: timedelta) -> dict[str, Any]:
    return line | {name: (datetime.fromisoformat(line[name]) - gap).isoformat() for name in TIMES if name in line}

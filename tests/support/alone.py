"""What the test processes of one checkout make for all of them, one at a time."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from infra_cfn.packages.contents import ROOT


@contextmanager
def alone(name: str) -> Iterator[None]:
    """Wait until no other process is in a block of this name. A process that is killed leaves it."""
    place = ROOT / "build" / f"{name}.lock"
    place.parent.mkdir(exist_ok=True)
    with place.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield

"""Tell whoever watches how far a run is. Runs are in process, so the command line listens here; in Lambda nobody does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Listener = Callable[[str, int, int], None]
_listeners: list[Listener] = []


def report(step: str, done: int, total: int) -> None:
    """A step has done so much of so much."""
    for listener in _listeners:
        listener(step, done, total)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Call the listener at each report inside the block."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)

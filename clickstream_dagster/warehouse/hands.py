"""Two tables at a time: each after those that it reads, and none beside another that moves the same sums.

A rebuild is PostgreSQL's work, of which one connection gets one core. The second connection is opened when there is something
for it to do, and a server that has no room for it makes the work slower, not impossible.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, closing
from typing import Generic, Self, TypeVar

from clickstream_dagster.warehouse.connection import Connection, WarehouseUnreachable, beside
from clickstream_dagster.warehouse.models import Model, moves_with

T = TypeVar("T")
HANDS = 2


class Hands(Generic[T]):
    """Do `work` with models, up to `HANDS` at a time, each on a connection of its own."""

    def __init__(self, connection: Connection, work: Callable[[Connection, Model], T]) -> None:
        self._work = work
        self._first = connection
        self._free = [connection]
        self._room = HANDS - 1
        self._busy: dict[Future[T], tuple[Model, Connection]] = {}
        self._held = ExitStack()
        self._pool = ThreadPoolExecutor(HANDS, "rebuild")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._pool.shutdown()  # what is begun comes to its end, whatever happened beside it
        self._held.close()

    def begin(self, model: Model) -> bool:
        """Begin with a model; False when it is begun already, no hand is free, or what moves with it is being moved."""
        moving = {name for other, _ in self._busy.values() for name in (other.name, *moves_with(other))}
        if moving & {model.name, *moves_with(model)} or not (self._free or self._has_opened()):
            return False
        connection = self._free.pop()
        self._busy[self._pool.submit(self._work, connection, model)] = model, connection
        return True

    def finished(self) -> Iterator[T]:
        """Wait for the next to be done. Raises what it raised."""
        for future in wait(self._busy, return_when=FIRST_COMPLETED).done:
            self._free.append(self._busy.pop(future)[1])
            yield future.result()

    def _has_opened(self) -> bool:
        if not self._room:
            return False
        self._room -= 1
        try:
            self._free.append(self._held.enter_context(closing(beside(self._first))))
        except WarehouseUnreachable:
            return False
        return True

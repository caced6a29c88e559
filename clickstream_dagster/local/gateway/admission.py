"""How many requests are worked on at a time. What does not fit is told to come again, at once: a queue without an end would
answer everybody too late when the store hangs, and hold all their bodies meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

#: Threads that collect. Most of their time they wait for the store.
THREADS = 16
#: How long a request waits for one of them, in seconds. As long as the store answers, that is a hundred times as many requests.
PATIENCE = 4.0
#: Bytes of bodies that are held at a time, whole or in part.
MAX_HELD_BYTES = 64_000_000


class Busy(Exception):
    """There is no room for this request now."""


class Admission:
    """The gateway's threads, and the room for bodies."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="collect")
        self._free = asyncio.Semaphore(THREADS)
        self._held = 0

    @asynccontextmanager
    async def holding(self) -> AsyncIterator[Callable[[int], None]]:
        """Gives a function to be told of bytes as they come. It raises `Busy` when all bodies together are too many."""
        mine = 0

        def hold(count: int) -> None:
            nonlocal mine
            mine += count
            self._held += count
            if self._held > MAX_HELD_BYTES:
                raise Busy

        try:
            yield hold
        finally:
            self._held -= mine

    async def work(self, work: Callable[[], Any]) -> Any:
        """Do it in a thread. Raises `Busy` when none has become free in time."""
        try:
            await asyncio.wait_for(self._free.acquire(), PATIENCE)
        except TimeoutError:
            raise Busy from None
        doing = asyncio.get_running_loop().run_in_executor(self._pool, work)
        # The thread is free when its work is done, and not when the sender has left.
        doing.add_done_callback(lambda _: self._free.release())
        return await asyncio.shield(doing)

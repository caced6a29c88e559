"""A bad line between the browser and the dashboard: bytes come in order, but late."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit


@dataclass
class Line:
    """Where to reach the dashboard over the line, and by up to how many seconds it delays whatever is sent, both ways."""

    url: str
    most_seconds: float = 0.0
    chance: random.Random = field(default_factory=lambda: random.Random(3))


@contextmanager
def slow_line(url: str) -> Iterator[Line]:
    """A line to a site, without delays at first."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    line = Line(url)
    place = urlsplit(url)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_connection(place.hostname, place.port)
        with suppress(asyncio.CancelledError):
            await asyncio.gather(_pass_on(line, reader, there[1]), _pass_on(line, there[0], writer))

    server = asyncio.run_coroutine_threadsafe(asyncio.start_server(connected, "127.0.0.1", 0), loop).result()
    port = server.sockets[0].getsockname()[1]
    line.url = urlunsplit(place._replace(netloc=f"127.0.0.1:{port}"))
    try:
        yield line
    finally:
        asyncio.run_coroutine_threadsafe(_end(server), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


async def _end(server: asyncio.Server) -> None:
    server.close()
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _pass_on(line: Line, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    due: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    async def write() -> None:
        while True:
            when, data = await due.get()
            await asyncio.sleep(when - loop.time())
            if not data:
                writer.close()
                return
            writer.write(data)

    async def read() -> None:
        last = 0.0
        while True:
            data = await reader.read(65_536)
            last = max(last, loop.time() + line.chance.uniform(0, line.most_seconds))
            due.put_nowait((last, data))
            if not data:
                return

    await asyncio.gather(read(), write(), return_exceptions=True)

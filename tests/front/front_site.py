"""A small app behind the front, on a real server: what it was asked, and what a client is answered."""

from __future__ import annotations

import asyncio
import http.client
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPResponse

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from clickstream_dagster.local.gateway.serving import listen

#: What the app behind the front keeps to itself.
SECRET = "the revenue of yesterday"


@dataclass
class Site:
    """The server. `reached` are the paths that the app saw."""

    port: int
    reached: list[str] = field(default_factory=list)

    @property
    def host(self) -> str:
        """Its host and port."""
        return f"127.0.0.1:{self.port}"

    def ask(self, path: str, method: str = "GET", *pairs: tuple[str, str], body: bytes = b"") -> HTTPResponse:
        """One request with exactly these headers; Host is the server's own where none is given."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.putrequest(method, path, skip_host=any(name.lower() == "host" for name, _ in pairs))
        for name, value in (*pairs, ("content-length", str(len(body)))):
            connection.putheader(name, value)
        connection.endheaders(body)
        response = connection.getresponse()
        response.text = response.read().decode()  # type: ignore[attr-defined]
        connection.close()
        return response

    def socket(self, path: str, *pairs: tuple[str, str]) -> str | int:
        """What a WebSocket says first, or the status that it is refused with."""

        async def first() -> str | int:
            place = f"ws://{self.host}{path}"
            for name, value in pairs:
                if name.lower() == "host":  # the client writes Host itself, from the address
                    place = f"ws://{value}{path}"
            others = [(name, value) for name, value in pairs if name.lower() != "host"]
            try:
                async with connect(
                    place, host="127.0.0.1", port=self.port, additional_headers=others, proxy=None
                ) as opened:
                    return str(await opened.recv())
            except InvalidStatus as refused:
                return refused.response.status_code

        return asyncio.run(first())


def app(site: Site) -> ASGIApp:
    """Tells the secret to everyone: in two parts, and by WebSocket."""

    async def telling(scope: Scope, receive: Receive, send: Send) -> None:
        site.reached.append(scope["path"])
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            await send({"type": "websocket.send", "text": SECRET})
            await send({"type": "websocket.close"})
            return
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x-frame-options", b"SAMEORIGIN")]})
        for part in (SECRET[:5], SECRET[5:]):
            await send({"type": "http.response.body", "body": part.encode(), "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    return telling


@contextmanager
def served(made: ASGIApp, site: Site | None = None) -> Iterator[Site]:
    """Serve an app until the block ends."""
    with listen(port=0) as listener:
        found = site or Site(0)
        found.port = listener.getsockname()[1]
        logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
        server = uvicorn.Server(uvicorn.Config(made, lifespan="off", log_config=None))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield found
        server.should_exit = True
        thread.join(timeout=20)
        assert not thread.is_alive()

"""TLS before a server that speaks none: HTTP behind a proxy, and PostgreSQL, whose clients ask for TLS before they begin it."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_SSL_REQUEST = bytes.fromhex("0000000804d2162f")


@dataclass(frozen=True)
class Certificate:
    """One that signs itself, as that of the shop's database does."""

    file: Path
    key: Path

    @property
    def text(self) -> str:
        return self.file.read_text()


def certificate(folder: Path, name: str) -> Certificate:
    """For a host (`DNS:localhost`, `IP:127.0.0.1`), made as `infra_cfn/oltp/bootstrap.sh` makes it."""
    made = Certificate(folder / f"{name.replace(':', '-')}.crt", folder / f"{name.replace(':', '-')}.key")
    request = ["openssl", "req", "-new", "-x509", "-days", "2", "-nodes", "-subj", f"/CN={name.partition(':')[2]}"]
    places = ["-addext", f"subjectAltName={name}", "-keyout", str(made.key), "-out", str(made.file)]
    subprocess.run([*request, *places], check=True, capture_output=True)
    return made


@contextmanager
def tls(shown: Certificate, port: int, target: int | str, *, postgres: bool = False) -> Iterator[None]:
    """Listen on that port of 127.0.0.1 with this certificate, before a port of this machine or a Unix socket."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(shown.file, shown.key)
    loop = asyncio.new_event_loop()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            if postgres:
                assert await reader.readexactly(8) == _SSL_REQUEST, "a client that wants no TLS"
                writer.write(b"S")
                await writer.drain()
                await writer.start_tls(context)
            async with _opened(target) as (behind, before):
                await asyncio.wait(
                    [asyncio.ensure_future(_pump(reader, before)), asyncio.ensure_future(_pump(behind, writer))],
                    return_when=asyncio.FIRST_COMPLETED,
                )
        writer.close()

    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    serving = asyncio.start_server(connected, "127.0.0.1", port, ssl=None if postgres else context)
    server = asyncio.run_coroutine_threadsafe(serving, loop).result()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)


@asynccontextmanager
async def _opened(target: int | str) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    if isinstance(target, str):
        reader, writer = await asyncio.open_unix_connection(target)
    else:
        reader, writer = await asyncio.open_connection("127.0.0.1", target)
    try:
        yield reader, writer
    finally:
        writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while part := await reader.read(65_536):
            writer.write(part)
            await writer.drain()

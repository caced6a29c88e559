"""What does a durable 200 cost? The gateway on a folder that syncs, against the same one on obstore's own, which does not.

Both serve at the same time and are asked in turn, by clients on this machine that send batches of ten events. The ratio is what
waiting for the disk costs; it depends on the disk, and on how many clients wait at once.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import tempfile
import threading
import time

import uvicorn
from obstore.store import LocalStore, ObjectStore

from clickstream_dagster.local.gateway.app import app
from clickstream_dagster.local.gateway.serving import config, listen
from ingest_lambda.folder import FolderStore

BATCH = 10
CLIENTS = (1, 16, 64)
ROUNDS = 3
SECONDS = 3.0
EVENT = {
    "event_name": "view_product",
    "page_url": "https://shop.example/product/1?utm_source=news&utm_medium=email",
    "product": {"id": "p1", "name": "Mouse", "price": 12.5},
}


def main() -> None:
    with tempfile.TemporaryDirectory(dir=".") as folder:
        ports = [serve(FolderStore(f"{folder}/ours")), serve(LocalStore(f"{folder}/plain", mkdir=True))]
        for clients in CLIENTS:
            found = [[asyncio.run(load(port, clients)) for port in ports] for _ in range(ROUNDS)]
            ours, plain = (statistics.median(turn[place][0] for turn in found) for place in (0, 1))
            slow = statistics.median(turn[0][1] for turn in found)
            print(
                f"{clients:>3} clients: {ours:>7,.0f} events/s synced, {plain:>7,.0f} not (x{ours / plain:.2f}); "
                f"p99 of a synced request {slow * 1000:.0f} ms"
            )


def serve(store: ObjectStore) -> int:
    """Serve a gateway until the program ends; its port."""
    listener = listen(port=0)
    server = uvicorn.Server(config(app(store)))
    threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True).start()
    while not server.started:
        time.sleep(0.01)
    return int(listener.getsockname()[1])


async def load(port: int, clients: int) -> tuple[float, float]:
    """Events a second, and the 99th percentile of a request's seconds."""
    end = time.perf_counter() + SECONDS
    seconds = [one for found in await asyncio.gather(*(client(port, n, end) for n in range(clients))) for one in found]
    return len(seconds) * BATCH / SECONDS, sorted(seconds)[int(len(seconds) * 0.99)]


async def client(port: int, number: int, end: float) -> list[float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    body = json.dumps([{**EVENT, "client_id": f"v{number}-{n}"} for n in range(BATCH)]).encode()
    head = (
        "POST /clickstream HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n"
    )
    seconds = []
    while time.perf_counter() < end:
        started = time.perf_counter()
        writer.write(head.format(len(body)).encode() + body)
        answer = (await reader.readuntil(b"\r\n\r\n")).lower()
        assert answer.startswith(b"http/1.1 200"), answer
        await reader.readexactly(int(answer.partition(b"content-length: ")[2].partition(b"\r\n")[0]))
        seconds.append(time.perf_counter() - started)
    writer.close()
    return seconds


if __name__ == "__main__":
    main()

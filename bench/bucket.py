"""A bucket with nothing behind it: lists and gives the files of a folder out of memory, by S3's protocol, and checks no one.

Run: python bench/bucket.py FOLDER; prints its port. So that a reader is measured, not the server: an emulator written for
tests answers some hundred times a second, this one ten thousand times and more on one core.
"""

from __future__ import annotations

import asyncio
import hashlib
import subprocess
import sys
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import uvloop

NAME, PAGE = "raw", 1_000
_DATE = "Thu, 01 Jan 2026 01:00:00 GMT"


class Bucket:
    """Keys in order, and the answer to each, ready to send."""

    def __init__(self, folder: Path) -> None:
        self.answers: dict[str, bytes] = {}
        self.lines: dict[str, str] = {}
        for path in sorted(file for file in folder.rglob("*") if file.is_file()):
            key, body = path.relative_to(folder).as_posix(), path.read_bytes()
            tag = hashlib.sha256(body).hexdigest()[:32]
            self.answers[key] = _answer("200 OK", body, f'ETag: "{tag}"\r\nLast-Modified: {_DATE}\r\n')
            self.lines[key] = (
                f"<Contents><Key>{key}</Key><LastModified>2026-01-01T01:00:00.000Z</LastModified>"
                f"<ETag>&quot;{tag}&quot;</ETag><Size>{len(body)}</Size></Contents>"
            )
        self.keys = sorted(self.answers)

    def answer(self, target: str) -> bytes:
        """What a GET of this path and query gets."""
        parts = urlsplit(target)
        key = unquote(parts.path).removeprefix(f"/{NAME}").removeprefix("/")
        if not key:
            return self._page({name: values[0] for name, values in parse_qs(parts.query).items()})
        return self.answers.get(key) or _answer("404 Not Found", b"<Error><Code>NoSuchKey</Code></Error>")

    def _page(self, asked: dict[str, str]) -> bytes:
        prefix, delimiter = asked.get("prefix", ""), asked.get("delimiter", "")
        after = max(asked.get("start-after", ""), asked.get("continuation-token", ""))
        place = max(bisect_left(self.keys, prefix), bisect_right(self.keys, after))
        found: list[str] = []
        folders: dict[str, None] = {}
        key = after
        while place < len(self.keys) and len(found) + len(folders) < PAGE and self.keys[place].startswith(prefix):
            key = self.keys[place]
            name, slash, _ = key[len(prefix) :].partition(delimiter) if delimiter else (key, "", "")
            if slash:
                folders[prefix + name + slash] = None
                key = prefix + name + slash + "\uffff"
            else:
                found.append(self.lines[key])
            place = bisect_right(self.keys, key)
        more = place < len(self.keys) and self.keys[place].startswith(prefix)
        text = "".join(found) + "".join(f"<CommonPrefixes><Prefix>{one}</Prefix></CommonPrefixes>" for one in folders)
        token = f"<NextContinuationToken>{key}</NextContinuationToken>" if more else ""
        head = f"<Name>{NAME}</Name><Prefix>{prefix}</Prefix><KeyCount>{len(found)}</KeyCount><MaxKeys>{PAGE}</MaxKeys>"
        whole = f"{head}<IsTruncated>{str(more).lower()}</IsTruncated>{token}{text}"
        return _answer("200 OK", f'<?xml version="1.0"?><ListBucketResult>{whole}</ListBucketResult>'.encode())


def _answer(status: str, body: bytes, more: str = "Content-Type: application/xml\r\n") -> bytes:
    return f"HTTP/1.1 {status}\r\n{more}Content-Length: {len(body)}\r\n\r\n".encode() + body


class Connection(asyncio.Protocol):
    """Answers each GET of a connection that stays open. None of them has a body."""

    def __init__(self, bucket: Bucket) -> None:
        self.bucket, self.waiting = bucket, b""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        *heads, self.waiting = (self.waiting + data).split(b"\r\n\r\n")
        for head in heads:
            self.transport.write(self.bucket.answer(head.split(b" ", 2)[1].decode()))


async def serve(folder: Path) -> None:
    bucket = Bucket(folder)
    server = await asyncio.get_running_loop().create_server(lambda: Connection(bucket), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def bucket_of(folder: Path) -> Iterator[str]:
    """Serve a folder as a bucket, in a process of its own; its endpoint."""
    server = subprocess.Popen([sys.executable, __file__, str(folder)], stdout=subprocess.PIPE, text=True)
    assert server.stdout
    try:
        yield f"http://127.0.0.1:{server.stdout.readline().strip()}"
    finally:
        server.kill()
        server.wait()


if __name__ == "__main__":
    uvloop.install()
    asyncio.run(serve(Path(sys.argv[1])))

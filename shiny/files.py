"""The dashboard's files: compressed once for everybody, and kept by a browser until their address changes."""

from __future__ import annotations

import asyncio
import gzip
from pathlib import Path
from posixpath import normpath
from zlib import crc32

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

WWW = Path(__file__).parent / "www"
#: Of what is in www/. It changes when a file does, so that a browser may keep each for ever.
VERSION = f"1.{crc32(b''.join(file.read_bytes() for file in sorted(WWW.rglob('*')) if file.is_file()))}"
#: Below the dashboard's path.
FILES = f"lib/dashboard-{VERSION}"

#: Each address has a version in it.
FOR_EVER = "public, max-age=31536000, immutable"
#: Smaller ones gain nothing.
_LEAST_BYTES = 1_000
_IS_COMPRESSED = ("image/", "font/", "application/font")


class Kept:
    """Middleware round files that never change: each is read and compressed once, and answered from memory afterwards. There
    are as many as there are files below `folder`, some megabytes; an address without a file is not kept."""

    def __init__(self, app: ASGIApp, folder: str) -> None:
        self._app, self._folder = app, folder
        self._kept: dict[tuple[str, bool], Response] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_file = scope["type"] == "http" and scope["path"].removeprefix(scope.get("root_path", "")).startswith(
            self._folder
        )
        if not is_file or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        is_gzip = "gzip" in Headers(scope=scope).get("accept-encoding", "")
        key = (scope["path"], is_gzip)
        answer = self._kept.get(key)
        if answer is None:
            status, headers, body = await _whole(self._app, scope, receive)
            answer = await asyncio.to_thread(_packed, status, headers, body, is_gzip)
            if status == 200 and scope["path"] == normpath(scope["path"]):  # each file once, however it may be spelled
                self._kept[key] = answer
        await answer(scope, receive, send)


async def _whole(app: ASGIApp, scope: Scope, receive: Receive) -> tuple[int, Headers, bytes]:
    status, headers, parts = 500, Headers(), []

    async def take(message: Message) -> None:
        nonlocal status, headers
        if message["type"] == "http.response.start":
            status, headers = message["status"], Headers(raw=message["headers"])
        elif message["type"] == "http.response.body":
            parts.append(message.get("body", b""))

    plain = {**scope, "headers": [], "extensions": {}}  # the whole file, whatever this browser has of it
    await app(plain, receive, take)
    return status, headers, b"".join(parts)


def _packed(status: int, headers: Headers, body: bytes, is_gzip: bool) -> Response:
    kind = headers.get("content-type", "application/octet-stream")
    kept = {"Content-Type": kind, "Vary": "Accept-Encoding"}
    if status == 200:
        kept["Cache-Control"] = FOR_EVER
    if is_gzip and len(body) >= _LEAST_BYTES and not kind.startswith(_IS_COMPRESSED):
        body = gzip.compress(body, compresslevel=6, mtime=0)
        kept["Content-Encoding"] = "gzip"
    return Response(body, status, kept)

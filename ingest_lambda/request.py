"""An API Gateway request (payload format 2.0, also a function URL's): who may send what, and its bytes."""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from collections.abc import Mapping
from typing import Any

from ingest_lambda import settings
from ingest_lambda.contract import Reject
from ingest_lambda.hosts import EVERY_ADDRESS, is_own_origin, is_served

PATHS = ("/clickstream", "/v1/events")
#: What CloudFront adds to each request that it passes on, with the secret of `settings.origin_secret`.
DOOR_HEADER = "x-clickstream-origin-secret"
#: The same for customers who are signed in: the API's authorizer has checked their token before it calls the collector.
SIGNED_IN_PATHS = tuple(f"{path}/auth" for path in PATHS)
ALLOW = "POST, OPTIONS"
#: text/plain needs no preflight, so a beacon can send it from any page.
CONTENT_TYPES = ("application/json", "text/plain", "")

_GZIP_MAGIC = b"\x1f\x8b"
_GZIP_WINDOW = 31  # zlib's word for "gzip, whatever its window"
_ORIGIN = re.compile(r"[\x21-\x7e]{1,300}\Z")


class Refusal(Exception):
    """A request that is answered without storing anything: it is not ours to count."""

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})


class Request:
    """The parts of a request that the collector reads. The caller's address is not one of them."""

    def __init__(self, event: Mapping[str, Any]) -> None:
        context = event.get("requestContext") or {}
        http = context.get("http") or {}
        stage = f"/{context.get('stage', '')}/"
        path = str(event.get("rawPath") or http.get("path") or "")
        self.path = path[len(stage) - 1 :] if path.startswith(stage) else path
        self.method = str(http.get("method") or "").upper()
        self.headers = {str(name).lower(): str(value) for name, value in (event.get("headers") or {}).items()}
        self._claims = ((context.get("authorizer") or {}).get("jwt") or {}).get("claims") or {}
        self._body = event.get("body") or ""
        self._is_base64 = bool(event.get("isBase64Encoded"))

    @property
    def origin(self) -> str:
        """The site that the request was sent from; empty for one that no browser sent."""
        return self.headers.get("origin", "")

    @property
    def customer(self) -> str:
        """Who is signed in, by the token that the API has checked; empty on the open paths."""
        return str(self._claims.get("sub") or "") if self.path in SIGNED_IN_PATHS else ""

    def cors_headers(self) -> dict[str, str]:
        """What lets the sending page read the answer, and how long it is to wait. Never with credentials."""
        if not self.origin or not self._is_origin_allowed():
            return {"vary": "Origin"}
        return {
            "access-control-allow-origin": self.origin,
            "access-control-expose-headers": "retry-after",
            "vary": "Origin",
        }

    def check(self) -> None:
        """Raise `Refusal` for a request that is not for the collector."""
        if not self._came_through_the_door():
            raise Refusal(403, "wrong_door", "send events to the shop's own address of the collector")
        if self.path not in PATHS + SIGNED_IN_PATHS:
            raise Refusal(404, "not_found", f"send events to {PATHS[0]}")
        if self.origin and not self._is_origin_allowed():
            raise Refusal(403, "origin_not_allowed", "this site is not in CLICKSTREAM_ALLOWED_ORIGINS")
        if self.method not in ("POST", "OPTIONS"):
            raise Refusal(405, "method_not_allowed", "send events by POST", {"allow": ALLOW})
        if self.method == "POST":
            self._check_customer()
            self._check_content()

    def body(self) -> bytes:
        """The bytes that the client meant. Raises `Refusal` above a limit, `Reject` for a broken encoding."""
        sent = self._sent_bytes()
        if len(sent) > settings.MAX_BODY_BYTES:
            raise _too_large("a body", settings.MAX_BODY_BYTES)
        # The bytes say whether they are gzip, more reliably than a header that a proxy may have kept after unpacking.
        return gunzip(sent) if sent.startswith(_GZIP_MAGIC) else sent

    def _sent_bytes(self) -> bytes:
        if not isinstance(self._body, str):
            return bytes(self._body)
        if not self._is_base64:
            return self._body.encode("utf-8", "surrogatepass")
        if len(self._body) * 3 // 4 > settings.MAX_BODY_BYTES + 2:
            raise _too_large("a body", settings.MAX_BODY_BYTES)
        try:
            return base64.b64decode(self._body, validate=True)
        except (binascii.Error, ValueError):
            raise Reject("invalid_base64", "the body is flagged as base64 and is not") from None

    def _is_origin_allowed(self) -> bool:
        if not _ORIGIN.match(self.origin):
            return False
        allowed = settings.allowed_origins()
        return not allowed or self.origin in allowed or self._is_own_page()

    def _came_through_the_door(self) -> bool:
        """Where CloudFront stands before the API, with the firewall: only it knows the secret that it sends along."""
        secret = settings.origin_secret()
        if not secret:
            return True
        import hmac  # loads OpenSSL, which a collector without CloudFront never needs

        return hmac.compare_digest(self.headers.get(DOOR_HEADER, "").encode(), secret.encode())

    def _is_own_page(self) -> bool:
        """A page of the collector's own host is no other site. The host must be one that we
        serve: a page of a stranger's name that leads here sends that name as its host, too."""
        host = self.headers.get("host", "")
        return is_own_origin(self.origin, host) and is_served(host, (*settings.hosts(), *EVERY_ADDRESS))

    def _check_customer(self) -> None:
        if self.path in SIGNED_IN_PATHS and not self.customer:
            open_path = self.path.removesuffix("/auth")
            raise Refusal(401, "not_signed_in", f"no token was checked; send to {open_path} without one")

    def _check_content(self) -> None:
        kind = self.headers.get("content-type", "").split(";")[0].strip().lower()
        if kind not in CONTENT_TYPES:
            raise Refusal(
                415, "unsupported_media_type", "send the header content-type: application/json, or text/plain"
            )
        coding = self.headers.get("content-encoding", "").strip().lower()
        if coding not in ("", "identity", "gzip", "x-gzip"):
            raise Refusal(415, "unsupported_media_type", "send the body plain or as gzip", {"accept-encoding": "gzip"})


def gunzip(packed: bytes) -> bytes:
    """Unpack gzip without ever holding more than the limits. A second layer of gzip is not followed."""
    parts: list[bytes] = []
    room = limit = min(
        settings.MAX_DECOMPRESSED_BYTES, max(settings.MIN_BOMB_BYTES, len(packed) * settings.MAX_GZIP_RATIO)
    )
    try:
        while packed:
            if len(parts) == settings.MAX_GZIP_MEMBERS:
                raise Refusal(
                    413, "too_many_members", f"a gzip body may have {len(parts)} members: pack the events at once"
                )
            member = zlib.decompressobj(_GZIP_WINDOW)
            parts.append(member.decompress(packed, room + 1))
            room -= len(parts[-1])
            if room < 0:
                raise _too_large("this body, unpacked,", limit)
            if not member.eof:
                raise Reject("invalid_gzip", "the gzip body is cut short")
            packed = member.unused_data
    except zlib.error:
        raise Reject("invalid_gzip", "the gzip body is broken") from None
    unpacked = b"".join(parts)
    if unpacked.startswith(_GZIP_MAGIC):
        raise Reject("invalid_gzip", "the body is packed twice")
    return unpacked


def _too_large(what: str, limit: int) -> Refusal:
    return Refusal(413, "body_too_large", f"{what} may have {limit} bytes: send fewer events at a time")

"""A rejected event as it is kept: its own bytes, but for what is personal in them, and no more of them than an event has."""

from __future__ import annotations

import base64
from datetime import datetime

from ingest_lambda import settings
from ingest_lambda.contract import Reject, Rejection
from ingest_lambda.privacy import scrub_bytes

#: What is read beyond the limit and thrown away, so that a cut never leaves the half of a token or an address that the
#: whole would have been known by.
_MARGIN = 4096


def rejection(reason: Reject, body: bytes, received_at: datetime, index: int = 0) -> Rejection:
    """A rejection with its body, or the beginning of one that is longer than an event may be. An event of a batch never
    is: only what is no event is cut."""
    limit = settings.MAX_REJECT_BYTES
    clean = scrub_bytes(body[: limit + _MARGIN])
    if len(body) > limit:
        clean = clean[: max(0, len(clean) - _MARGIN)]
    return _with_body(Rejection(reason.code, reason.message, received_at, index), clean, body)


def bounded(kept: Rejection) -> Rejection:
    """A rejection that was written by another hand, or before there was a limit, with no more of its body than that."""
    if len(kept.body) * 4 <= settings.MAX_REJECT_BYTES or len(kept.body.encode()) <= settings.MAX_REJECT_BYTES:
        return kept
    body = kept.body.encode()
    return _with_body(kept, body, body)


def _with_body(kept: Rejection, clean: bytes, body: bytes) -> Rejection:
    """The rejection with what is kept of its body, as a text column can hold it. Where that is not all of it, the length
    and the SHA-256 of the whole tell whether two were the same. A short body has no hash: it could be guessed from it."""
    limit = settings.MAX_REJECT_BYTES
    text = _text(clean[:limit], is_cut=len(clean) > limit or len(body) > limit)
    if text is None:
        limit = limit // 4 * 3  # base64 makes four characters of three bytes
        kept.body, kept.body_encoding = base64.b64encode(clean[:limit]).decode(), "base64"
    else:
        kept.body, kept.body_encoding = text, kept.body_encoding
    if len(clean) > limit or len(body) > settings.MAX_REJECT_BYTES:
        import hashlib  # loads OpenSSL, which few rejects need

        kept.body_bytes = kept.body_bytes or len(body)
        kept.body_sha256 = kept.body_sha256 or hashlib.sha256(body).hexdigest()
    return kept


def _text(clean: bytes, is_cut: bool) -> str | None:
    """The text that bytes are; none where they are none, or hold what no text column can. A character that a cut has
    halved goes."""
    try:
        text = clean.decode()
    except UnicodeDecodeError as error:
        if not is_cut or error.start < len(clean) - 3:
            return None
        text = clean[: error.start].decode()
    return None if "\x00" in text else text

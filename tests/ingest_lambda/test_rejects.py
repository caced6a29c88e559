"""What is kept of a rejected body: 64 KiB at most, nothing personal, and enough to tell two of them apart."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from ingest_lambda import settings
from ingest_lambda.contract import Reject, Rejection
from ingest_lambda.rejects import bounded, rejection

NOW = datetime(2026, 3, 14, 15, tzinfo=UTC)
REASON = Reject("invalid_json", "no JSON")
LIMIT = settings.MAX_REJECT_BYTES


@pytest.mark.parametrize(
    "body",
    [
        *(
            mark * LIMIT * 2
            for mark in (b"x", b'"', b"\xff", b"\x00", "é".encode(), "日".encode(), b"anna@mail.example ")
        ),
        b"a" + "日".encode() * LIMIT,
        b"x" * (LIMIT + 1),
    ],
)
def test_a_long_body_keeps_its_beginning_its_length_and_its_hash(body: bytes) -> None:
    kept = rejection(REASON, body, NOW)
    assert 0 < len(kept.body.encode()) <= LIMIT
    assert (kept.body_bytes, kept.body_sha256) == (len(body), hashlib.sha256(body).hexdigest())
    assert bounded(kept) == kept
    assert kept.body_encoding == ("base64" if body[:1] in b"\xff\x00" else "text")


@pytest.mark.parametrize("body", [b"", b"{", b"x" * LIMIT, b"\xff" * 9])
def test_a_body_as_long_as_an_event_is_kept_whole_and_without_a_hash(body: bytes) -> None:
    kept = rejection(REASON, body, NOW)
    assert (kept.body.encode() if kept.body_encoding == "text" else base64.b64decode(kept.body)) == body
    assert (kept.body_bytes, kept.body_sha256) == (None, None)


@pytest.mark.parametrize(
    "secret", ["anna.muster@mail.example", "4111 1111 1111 1111", "eyJhbGciOiJIUzI1NiJ9." + "musterab" * 90]
)
def test_no_cut_leaves_a_part_of_what_the_whole_was_known_by(secret: str) -> None:
    # Wherever a cut could fall: in what is read, and in what is kept.
    for end in range(LIMIT - 300, LIMIT + 4096 + 300, 37):
        text = " " * (end - len(secret) // 2) + secret + " " * LIMIT
        assert not {"muster", "1111"} & set(
            rejection(REASON, text.encode(), NOW).body[-9000:].replace("ab", " ").split()
        )
        assert "muster" not in rejection(REASON, text.encode(), NOW).body


def test_what_was_written_before_there_was_a_limit_is_cut_when_it_is_loaded() -> None:
    old = Rejection("invalid_json", "no JSON", NOW, 0, "x" * 8_000_000)
    kept = bounded(old)
    assert (len(kept.body), kept.body_bytes) == (LIMIT, 8_000_000)


def test_a_refused_request_costs_no_more_than_it_sent_or_64_kib(collector: Any) -> None:
    body = gzip.compress(b'"' * 900_000)
    request = {**collector.request(""), "body": base64.b64encode(body).decode(), "isBase64Encoded": True}
    assert collector.send(request).status == 400
    [stored] = collector.lines("rejected")
    assert len(stored) < 2 * LIMIT + 1_000
    assert json.loads(stored)["body_bytes"] == 900_000


def test_a_bad_event_of_a_batch_is_kept_whole(collector: Any) -> None:
    bad = json.dumps({"event_name": "Not A Name", "props": {"x": "y" * 60_000}})
    assert collector.post(f'[{{"event_name":"a","client_id":"c"}},{bad}]').status == 200
    assert collector.rejected()[0]["body"] == bad

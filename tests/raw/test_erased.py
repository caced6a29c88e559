"""Whom a refused text names: whoever it says, and not whoever has called himself what all texts say."""

from __future__ import annotations

import time

import pytest

from clickstream_dagster.raw.erased import VISITOR, Erased, hashed, names_in

SALT = bytes(32)
BODY = (
    '{"event_name": 1, "client_id": "ann", "page_url": "https://www.shop.example/p?x=1", "ts": "2026-05-01T10:00:00.000Z", '
    '"user_agent": "Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 Version/17.4.1", "n": 1234567890}'
)
LINE = b'{"code": "invalid_event_name", "message": "expected text", "received_at": "2026-05-01T10:00:00Z", "body": "x"}'


@pytest.mark.parametrize(
    "name",
    [
        *("received_at", "event_name", "client_id", "www.shop.example", "AppleWebKit", "605.1.15", "1234567890"),
        *("2026-05-01T10:00:00.000Z", "2026-05-01T10", "expected"),
    ],
)
def test_who_calls_himself_what_refused_texts_say_takes_none_of_them_along(name: str) -> None:
    """Erased, he would else take every refused event with him, of the past and of the future."""
    erased = Erased([(SALT, hashed(SALT, VISITOR, name))])
    assert not erased.is_named_in(BODY.encode()) and not erased.is_named_in(LINE)
    assert erased.is_named_in(f'{{"clientId": "{name}"'.encode())


@pytest.mark.parametrize(
    "name", ["mallory-4711", "1234567890.1234567890", "0b8fe8a2-6f5e-4f0c-a8a4-6b5c1f9d2e11", "1" * 16]
)
def test_an_id_is_found_wherever_it_stands(name: str) -> None:
    assert name in names_in(f'{{"x": ["{name}"'.encode())


@pytest.mark.parametrize(
    "body",
    ["\\" * 64_000, "a" * 64 + ":" + "\\" * 31_000 + '"' + "\\" * 32_000, "a" * 64_000, ("a" * 64 + ':\\\\"') * 950],
)
def test_a_refused_text_costs_what_its_length_does(body: str) -> None:
    began = time.process_time()
    names_in(body.encode())
    assert time.process_time() - began < 0.5

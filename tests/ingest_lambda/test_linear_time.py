"""Whatever strangers send is read in time that grows as its length does: every pattern, and all of them together.

Times are of this process's CPU and only their growth counts, so that a busy machine breaks nothing.
"""

from __future__ import annotations

import base64
import gzip
import importlib
import json
import os
import pkgutil
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import clickstream_dagster.local.importer
import clickstream_dagster.raw
import ingest_lambda
from clickstream_dagster.raw import agents, channel_file, channels, erased, sources
from ingest_lambda import pairs, settings
from ingest_lambda.privacy import pseudonym, scrub_bytes, scrub_id, scrub_props, scrub_text
from support.hostile_texts import hostile_texts

ROOMS = (ingest_lambda, clickstream_dagster.raw, clickstream_dagster.local.importer)
SMALL, LARGE = 4_096, 16_384
#: Four times the length may take four times the time; twice that is noise, and four times that is the square.
WORST_GROWTH = 9
#: Seconds below which nothing is measured.
UNNOTICED = 0.01


def patterns() -> dict[str, tuple[re.Pattern[Any], bool]]:
    """Every pattern of these rooms, and whether it is looked for anywhere in a text, or matched where it stands. (Those
    that are matched again and again are tested by what calls them, below.)"""
    found: dict[str, tuple[re.Pattern[Any], bool]] = {}
    for room in ROOMS:
        for info in pkgutil.iter_modules(room.__path__):
            module = importlib.import_module(f"{room.__name__}.{info.name}")
            source = Path(str(module.__file__)).read_text()
            for name, value in vars(module).items():
                is_matched = bool(re.search(rf"\b{name}(?:\)?\.(?:full)?match\(| if )", source)) or isinstance(
                    value, tuple
                )
                is_searched = bool(re.search(rf"\b{name}\.(?:search|sub|finditer|findall|split)\(", source))
                found.update({f"{info.name}.{name}": (held, is_searched or not is_matched) for held in _held(value)})
    return found


def _held(value: Any) -> Iterator[re.Pattern[Any]]:
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, tuple):
        for held in value:
            yield from _held(held)


def cpu(step: Callable[[Any], Any], text: Any) -> float:
    """The best of two: CPU seconds."""
    times = []
    for _ in range(2):
        started = time.process_time()
        step(text)
        times.append(time.process_time() - started)
        if times[0] < UNNOTICED:
            break
    return min(times)


def is_linear(step: Callable[[Any], Any], small: Any, large: Any) -> bool:
    """Whether four times the text takes about four times the time. What seems not to is measured again."""
    return any((took := cpu(step, large)) < UNNOTICED or took < WORST_GROWTH * cpu(step, small) for _ in range(3))


PATTERNS = patterns()


@pytest.mark.parametrize("name", PATTERNS)
def test_a_pattern_is_linear(name: str) -> None:
    assert next(slow_texts(*PATTERNS[name]), None) is None


def slow_texts(
    pattern: re.Pattern[Any], is_searched: bool, small_size: int = SMALL, large_size: int = LARGE
) -> Iterator[str]:
    is_bytes = isinstance(pattern.pattern, bytes)

    def read(text: Any) -> None:
        for _ in pattern.finditer(text) if is_searched else (pattern.match(text), pattern.fullmatch(text)):
            pass

    for small, large in zip(hostile_texts(pattern, small_size), hostile_texts(pattern, large_size), strict=True):
        given = (small.encode("latin-1", "replace"), large.encode("latin-1", "replace")) if is_bytes else (small, large)
        if not is_linear(read, *given):
            yield large[:60]


@pytest.mark.parametrize("pattern", [r"(?<!\w)eyJ[\w-]{8,}\.[\w-]{4,}", r"[\w.]+@\w+", r"\s+$", r"x.*y"])
def test_a_pattern_that_is_not_linear_is_found(pattern: str) -> None:
    assert any(True for _ in slow_texts(re.compile(pattern, re.ASCII), True, 4_096, 16_384))


def test_every_pattern_is_one_that_the_test_sees() -> None:
    inline = re.compile(
        r"\bre\.(?:search|match|fullmatch|sub|split|findall|finditer)\(|^ +(?:return|\w+ =) .*\bre\.compile\(",
        re.MULTILINE,
    )
    for room in ROOMS:
        for file in Path(room.__path__[0]).glob("*.py"):
            found = [match[0] for match in inline.finditer(file.read_text())]
            assert not found, f"{file.name}: name the pattern beside the others: {found}"


RULES = channels.Rules(channel_file.SHIPPED.read_text(), ("shop.example",))


def address_anew(text: str) -> None:
    """Read an address as if none like it had come before."""
    for cached in (sources._place, sources._name, sources._referring, sources._keyed):
        cached.cache_clear()
    sources.origin(text, text)


READERS: dict[str, Callable[[str], Any]] = {
    "scrub_text": scrub_text,
    "scrub_id": scrub_id,
    "scrub_props": lambda text: scrub_props({"a": text, text: [text], "name": text}),
    "scrub_bytes": lambda text: scrub_bytes(text.encode("utf-8", "surrogatepass")),
    "a personal name": lambda text: scrub_props({text + "_email": "x", "email": text}),
    "pseudonym": lambda text: pseudonym(text, "pepper"),
    "an address": address_anew,
    "an origin": lambda text: RULES.label(
        sources.Origin("", text[:200], text[:200], text[:200], (text[:40],), text[:200]), ()
    ),
    "an agent": agents.label,
    "whom a refused text names": lambda text: erased.names_in(text.encode("utf-8", "surrogatepass")),
}
WORST = (
    *("-eyJ", "eyJaaaaaaaa.", '\\"tel\\":\\"', '{"address":', '"email":{', "@a.", "@ab.c", "a@b.co", "%25", "a%40b.co", "=a"),
    *("a=b%3Dc%3D", "://a", "1.2.3.40 ", "A/1.1.1.10 ", "2001:db8::", "+1 2 3 4 5", "tel:1234567 ", "GB12 ", "1 ", "1-"),
    *("DE89 3704 0044 0532 0130 00 ", "4111 1111 1111 1111 ", "4111.", "/reset/", "/reset/a1b2c3d4e5", "Bearer+", "SG."),
    *("\\", '"', "[", "{", "&#64;", '" @ b.co', "name=A B&", "\uff11", "\xa0", "key=a1b2c3d4&", "code=a&state=b&"),
    *("Android", "search.", "a.", "Tablet P", "?utm_medium=a_cpc&", "YW5uYUBtYWlsLmV4YW1wbGU"),
)  # fmt: skip


@pytest.mark.parametrize("reader", READERS)
def test_all_patterns_together_are_linear(reader: str) -> None:
    step = READERS[reader]
    for seed in WORST:
        small, large = ((seed * (size // len(seed) + 1))[:size] + "!" for size in (16_384, 65_536))
        assert is_linear(step, small, large), seed
        # On a quiet machine 64 KiB take less than 30 ms; a busy one may take ten times that, and the square takes seconds.
        assert cpu(step, large) < 0.5, seed


def test_texts_made_of_the_patterns_are_linear_for_all_of_them_together() -> None:
    for pattern, _ in PATTERNS.values():
        if isinstance(pattern.pattern, str):
            for text in list(hostile_texts(pattern, 16_384))[::151]:
                assert cpu(scrub_bytes, text.encode("utf-8", "surrogatepass")) < 0.25, (pattern.pattern, text[:60])


@pytest.mark.parametrize(
    "seed", ["-eyJ", "@ab.c", "1.2.3.40 ", "GB12 ", '{"address":', '\\"tel\\":\\"', "name=A B&", "["]
)
def test_the_worst_body_is_answered(collector: Any, seed: str) -> None:
    """4 MB of events, as large as they may be, and 1 MB that is no event. On a quiet machine each takes less than a
    second; the square took minutes."""
    text = (seed * 65_000)[: 65_000 // (1 + seed.count('"') + seed.count("\\"))]
    event = json.dumps({"event_name": "a", "client_id": "c", "props": {"a": text, "b": ""}})
    body = ("[" + ",".join([event] * (3_900_000 // len(event))) + "]").encode()
    noise = json.dumps({"event_name": "a", "client_id": "c", "props": {"b": os.urandom(20_000).hex()}}).encode()
    shut = gzip.compress(body[:-1] + b"," + noise + b"]", 1)  # the noise keeps the ratio that of events
    for sent, status in ((shut, 200), ((seed * 1_000_000)[: settings.MAX_BODY_BYTES].encode(), 400)):
        request = {**collector.request(""), "body": base64.b64encode(sent).decode(), "isBase64Encoded": True}
        started = time.process_time()
        assert collector.send(request).status in (status, 413)
        assert time.process_time() - started < 10


def test_a_name_that_says_a_hidden_address_is_read_once() -> None:
    assert pairs.holds_hidden_email("YW5uYUBtYWlsLmV4YW1wbGU=")
    assert not pairs.holds_hidden_email("YW5uYUBtYWlsLmV4YW1wbGU=" * 4_000)

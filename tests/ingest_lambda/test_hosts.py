"""Which Host headers are ours, and which Origin is a page of that host."""

from __future__ import annotations

import pytest

from ingest_lambda.hosts import is_own_origin, is_served

OURS = ("127.0.0.1", "127.0.0.1:8787", "localhost:1", "LocalHost", "[::1]:3000", "shop.example", "SHOP.example:443")
STRANGERS = (
    "",
    "evil.example",
    "127.0.0.1.evil.example",
    "localhost.evil.example:8787",
    "evil.example/127.0.0.1",
    "shop.example.evil.example",
    "x@127.0.0.1",
    "127.0.0.1:8787@evil.example",
    "127.0.0.1, evil.example",
    "127.0.0.1:8787:8787",
    "127.0.0.1\n",
    "[::1",
    "::1",
    "10.0.0.5",
    "0.0.0.0",
    "[::ffff:127.0.0.1]",
    "2130706433",
    "127.1",
)


@pytest.mark.parametrize("host", OURS)
def test_loopback_and_what_is_named_is_ours_at_any_port(host: str) -> None:
    assert is_served(host, ["Shop.example"])


@pytest.mark.parametrize("host", STRANGERS)
def test_nothing_else_is(host: str) -> None:
    assert not is_served(host, ["shop.example"])


@pytest.mark.parametrize("listening", ["0.0.0.0", "::", "[::]"])
def test_who_listens_on_every_address_answers_to_every_address_and_to_no_other_name(listening: str) -> None:
    for host in ("10.0.0.5:3000", "[2001:db8::1]:3000", "127.0.0.1"):
        assert is_served(host, [listening])
    for host in ("evil.example", "10.0.0.5.evil.example", "10.0.0", "2130706433"):
        assert not is_served(host, [listening])


def test_an_ipv6_address_is_written_with_or_without_brackets() -> None:
    assert is_served("[2001:db8::1]:3000", ["2001:db8::1"])
    assert is_served("[2001:db8::1]:3000", ["[2001:db8::1]"])
    assert not is_served("[2001:db8::2]:3000", ["2001:db8::1"])


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://127.0.0.1:3000", "127.0.0.1:3000"),
        ("https://shop.example", "shop.example"),
        ("https://shop.example", "shop.example:443"),
        ("http://SHOP.example", "shop.example:80"),
    ],
)
def test_a_page_of_the_same_host_and_port_is_our_own(origin: str, host: str) -> None:
    assert is_own_origin(origin, host)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://127.0.0.1:8787", "127.0.0.1:3000"),
        ("http://localhost:3000", "127.0.0.1:3000"),
        ("null", "null"),
        ("", ""),
        ("http://", ""),
        ("file://127.0.0.1", "127.0.0.1"),
        ("chrome-extension://127.0.0.1", "127.0.0.1"),
        ("https://shop.example.evil.example", "shop.example"),
    ],
)
def test_every_other_page_is_another_site_s(origin: str, host: str) -> None:
    assert not is_own_origin(origin, host)

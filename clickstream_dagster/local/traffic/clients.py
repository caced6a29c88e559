"""The browsers that people use, and how each names itself."""

from __future__ import annotations

from typing import NamedTuple


class Client(NamedTuple):
    """A kind of browser. Its weight is its share of the new visitors, in percent."""

    weight: int
    type: str
    os: str
    browser: str
    screen: str
    user_agent: str


_MAC = "Macintosh; Intel Mac OS X 10_15_7"
_IPHONE = "iPhone; CPU iPhone OS 18_6 like Mac OS X"
_IPAD = "iPad; CPU OS 18_6 like Mac OS X"
_WINDOWS = "Windows NT 10.0; Win64; x64"


def _chromium(system: str, kind: str = "Safari/537.36") -> str:
    return f"Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 {kind}"


def _safari(system: str, kind: str = "Mobile/15E148 Safari/604.1") -> str:
    return f"Mozilla/5.0 ({system}) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 {kind}"


_FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0"
_EDGE = _chromium(_WINDOWS, "Safari/537.36 Edg/141.0.0.0")
_ANDROID = _chromium("Linux; Android 10; K", "Mobile Safari/537.36")

CLIENTS = (
    Client(30, "desktop", "Windows", "Chrome", "1920x1080", _chromium(_WINDOWS)),
    Client(8, "desktop", "Windows", "Edge", "2560x1440", _EDGE),
    Client(6, "desktop", "Linux", "Firefox", "1920x1080", _FIREFOX),
    Client(9, "desktop", "macOS", "Safari", "1512x982", _safari(_MAC, "Safari/605.1.15")),
    Client(22, "mobile", "iOS", "Safari", "393x852", _safari(_IPHONE)),
    Client(21, "mobile", "Android", "Chrome", "412x915", _ANDROID),
    Client(4, "tablet", "iPadOS", "Safari", "820x1180", _safari(_IPAD)),
)

"""What a page view says of where it came from: its address, cut into the parts that models and rules look at.

What that means is said by `channels.py`, once for each distinct origin. What repeats itself is cached: places, parameters' names
and origins, but no whole addresses, since a click id makes an address the only one of its kind.
"""

from __future__ import annotations

import hashlib
import unicodedata
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import unquote_plus, urlsplit

#: Nothing longer names a campaign; whoever writes more into an address makes no table of ours large.
MAX_TAG = 200
#: So many parameters of an address, and so much of their names, are looked at for the click ids of networks.
MAX_PARAMETERS = 40
MAX_NAME = 40
_UTM = ("utm_source", "utm_medium", "utm_campaign")
_NO_BREAKS = str.maketrans("", "", "\n\t\r")


class Origin(NamedTuple):
    """What an event says of its origin: all that the rules of channels.yml look at. `key` is a hash of the rest."""

    key: str
    utm_source: str | None
    utm_medium: str | None
    utm_campaign: str | None
    #: Names of the address's parameters, since that of a click id tells who sent it.
    parameters: tuple[str, ...]
    #: Host of another site; with its scheme, where it is an app.
    referrer_host: str | None


class Page(NamedTuple):
    """The parts of a page address that models group by."""

    host: str | None = None
    path: str | None = None
    query: str = ""


def page(url: str | None) -> Page:
    """Host, path and query of an address; nothing for one that cannot be parsed."""
    if not url:
        return Page()
    address, _, query = url.partition("#")[0].partition("?")
    here = _place(address)
    if not query or here.path is None:
        return here
    if "\n" in query or "\t" in query or "\r" in query:  # as urlsplit and browsers read it
        query = query.translate(_NO_BREAKS)
    return Page(here.host, here.path, query)


@lru_cache(maxsize=65_536)
def _place(address: str) -> Page:
    """Host and path of what stands before the query: its click ids make most addresses unique, the places repeat. What
    follows a `?` or a `#` changes neither."""
    try:
        parts = urlsplit(address)
        host = parts.hostname
    except ValueError:
        return Page()
    return Page(_plain(host)[:MAX_TAG] if host else None, parts.path or "/")


def origin(url: str | None, referrer: str | None) -> Origin | None:
    """What this page view says of its origin; None when it says nothing, as most clicks inside a shop."""
    return origin_of(page(url), referrer)


def origin_of(here: Page, referrer: str | None) -> Origin | None:
    """The same, of an address that is cut already."""
    tags = _tags(here.query) if "=" in here.query else {}
    host = (
        _referring(page(referrer).host, (referrer or "")[:12].lower() == "android-app:", here.host)
        if referrer
        else None
    )
    if not tags and not host:
        return None
    source, medium, campaign = (tags.get(name) or None for name in _UTM)
    return _keyed(source, medium, campaign, tuple(sorted(tags)[:MAX_PARAMETERS]), host)


def _tags(query: str) -> dict[str, str]:
    """The parameters of a query by name. Of those that are no campaign's, only the name is read."""
    tags = {}
    for field in query.replace("&amp;", "&").split("&"):
        name, _, text = field.partition("=")
        if text:
            known = _name(name)
            tags[known] = folded(unquote_plus(text))[:MAX_TAG] if known in _UTM else ""
    return tags


@lru_cache(maxsize=4_096)
def _name(text: str) -> str:
    return folded(unquote_plus(text))[:MAX_NAME]


@lru_cache(maxsize=16_384)
def _referring(host: str | None, is_app: bool, own: str | None) -> str | None:
    if host == own:
        return None
    return f"android-app://{host}"[:MAX_TAG] if host and is_app else host


@lru_cache(maxsize=16_384)
def _keyed(*said: Any) -> Origin:
    return Origin(hashlib.md5(repr(said).encode(errors="replace"), usedforsecurity=False).hexdigest(), *said)


def folded(text: str) -> str:
    """A text as it is compared: without case, in any alphabet, and without the blanks around it."""
    return unicodedata.normalize("NFKC", text).casefold().replace("\0", "").strip()


def _plain(host: str) -> str:
    return host.lower().rstrip(".").removeprefix("www.")

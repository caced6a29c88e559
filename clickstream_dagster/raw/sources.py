"""What a page view says of where it came from: its address, cut into the parts that models and rules look at.

What that means is said by `channels.py`, once for each distinct origin. All lookups are cached, because traffic repeats itself.
"""

from __future__ import annotations

import hashlib
import unicodedata
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit

#: Nothing longer names a campaign; whoever writes more into an address makes no table of ours large.
MAX_TAG = 200
#: So many parameters of an address, and so much of their names, are looked at for the click ids of networks.
MAX_PARAMETERS = 40
MAX_NAME = 40


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


@lru_cache(maxsize=65_536)
def page(url: str | None) -> Page:
    """Host and path of an address; nothing for one that cannot be parsed."""
    try:
        parts = urlsplit(url or "")
        host = parts.hostname
    except ValueError:
        return Page()
    return Page(_plain(host)[:MAX_TAG] if host else None, (parts.path or "/") if url else None, parts.query)


@lru_cache(maxsize=65_536)
def origin(url: str | None, referrer: str | None) -> Origin | None:
    """What this page view says of its origin; None when it says nothing, as most clicks inside a shop."""
    here = page(url)
    tags: dict[str, str] = {}
    if "=" in here.query:
        for name, value in parse_qsl(here.query.replace("&amp;", "&")):
            tags[folded(name)[:MAX_NAME]] = value
    utm = tuple(folded(tags.get(name, ""))[:MAX_TAG] or None for name in ("utm_source", "utm_medium", "utm_campaign"))
    parameters = tuple(sorted(tags)[:MAX_PARAMETERS])
    host = page(referrer).host
    if host == here.host:
        host = None
    elif host and referrer and referrer[:12].lower() == "android-app:":
        host = f"android-app://{host}"[:MAX_TAG]
    if not parameters and not host:
        return None
    said = (*utm, parameters, host)
    key = hashlib.md5(repr(said).encode(errors="replace"), usedforsecurity=False).hexdigest()
    return Origin(key, *said)  # type: ignore[arg-type]


def folded(text: str) -> str:
    """A text as it is compared: without case, in any alphabet, and without the blanks around it."""
    return unicodedata.normalize("NFKC", text).casefold().replace("\0", "").strip()


def _plain(host: str) -> str:
    return host.lower().rstrip(".").removeprefix("www.")

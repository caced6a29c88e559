"""Whose lines they are: the ids that were erased, of which only salted hashes are kept.

The loader and `clickstream erase` ask the same question of a line, so that what the one takes out the other never brings back.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from urllib.parse import unquote_plus

from ingest_lambda.contract import Event

#: Whose an event is: `visitor_id` says it of a browser, `user_id` of whoever has signed in.
VISITOR, USER = "visitor", "user"
#: In a text that is no event, an id is what stands under one of these names, however they are spelled (`clientId`).
_NAMES = frozenset(
    (
        *("clientid", "userid", "anonymousid", "sessionid", "visitorid", "customerid", "appinstanceid"),
        *("distinctid", "domainuserid", "networkuserid", "domainsessionid", "userpseudoid"),
        *("cid", "uid", "duid", "nuid", "sid", "ga"),
    )
)
_PAIR = re.compile(
    r"""([A-Za-z_][\w$-]{0,63})(?:\\*["'])?\s{0,9}[:=]\s{0,9}(?:(\\*["'])((?:(?!\2).){1,300})\2|([^\s&,;}\]"'\\]{1,300}))"""
)
#: Or any word that is too long to be something else by chance.
_WORDS = (re.compile(r"[\w.@|:~+-]{8,300}"), re.compile(r"[\w-]{8,300}"))
_MIN_NUMBER = 16
_ESCAPED = re.compile(r"(?<!\\)\\+(?:u([0-9a-fA-F]{4})|/)")


def hashed(salt: bytes, kind: str, name: str) -> bytes:
    """What is kept of an id."""
    return hashlib.blake2b(f"{kind}:{name}".encode(errors="replace"), key=salt, digest_size=16).digest()


class Erased:
    """The ids that were erased, as (salt, hash)."""

    def __init__(self, hashes: Iterable[tuple[bytes, bytes]]) -> None:
        self.hashes = frozenset(hashes)
        self._salts = tuple({salt for salt, _ in self.hashes})
        self.has = lru_cache(1 << 16)(self._has)

    def __bool__(self) -> bool:
        return bool(self.hashes)

    def _has(self, kind: str, name: str) -> bool:
        return any((salt, hashed(salt, kind, name)) in self.hashes for salt in self._salts)

    def is_of(self, event: Event) -> bool:
        """Whether it is an event of one of them."""
        if self.has(VISITOR, event.visitor_id):
            return True
        return event.user_id is not None and self.has(USER, event.user_id)

    def is_named_in(self, body: bytes) -> bool:
        """Whether a text that is no event names one of them."""
        return any(self.has(VISITOR, name) or self.has(USER, name) for name in names_in(body))


def names_in(body: bytes) -> set[str]:
    """What a text that is no event may mean as an id, in time that grows with its length alone."""
    return set(_names(body))


def _names(body: bytes) -> Iterator[str]:
    text = _ESCAPED.sub(lambda found: chr(int(found[1], 16)) if found[1] else "/", body.decode(errors="replace"))
    for said in {text, unquote_plus(text)}:
        for key, _, quoted, bare in _PAIR.findall(said):
            if key.replace("_", "").replace("-", "").replace("$", "").lower() in _NAMES:
                yield (quoted or bare).strip()
        for word in (word for words in _WORDS for word in words.findall(said)):
            if len(word) >= _MIN_NUMBER or not word.isdecimal():
                yield from (word, word.strip(".:-+~|@"))

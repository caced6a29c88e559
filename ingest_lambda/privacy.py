"""What is taken out of an event before it is first written anywhere.

No IP address is ever read into an event. Personal values go by their name (`personal.py`) and by their shape (below).
Every function here is idempotent, so an event that is read back and cleaned again stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ingest_lambda import settings
from ingest_lambda.cards import CARD, scrub_cards
from ingest_lambda.personal import is_id, is_personal

REMOVED, EMAIL, TOKEN, IP = "[removed]", "[email]", "[token]", "[ip]"
PLACEHOLDERS = frozenset({REMOVED, EMAIL, CARD, TOKEN, IP})

# All patterns are ASCII, with every repeat bounded or free of overlap: they run in linear time, and on UTF-8 bytes that
# were decoded as latin-1 they never cut a character in two.
_AT = r"(?:@|%40|%2540|\\u0040)"
_AT_DOMAIN = re.compile(
    _AT
    + r"(?!\dx\.)"  # logo@2x.png is a picture
    + r"(?:[A-Za-z0-9\x80-\U0010ffff][A-Za-z0-9\x80-\U0010ffff-]{0,62}\.)+[A-Za-z\x80-\U0010ffff]{2,24}",
    re.ASCII,
)
_NOT_BEFORE_AT = frozenset(' \t\n\r\f\v@<>()[]",;:/?&=#\\|')
_MAX_BEFORE_AT = 64
_TOKENS = re.compile(
    r"(?<!\w)eyJ[\w-]{8,}\.[\w-]{4,}(?:\.[\w-]*)?"  # a JSON Web Token
    r"|\b[Bb]earer(?:\s|%20|\+){1,3}[\w.~+/=-]{16,}"
    r"|\b(?:sk|rk)_(?:live|test)_\w{8,}|\bgh[pousr]_\w{20,}|\bxox[abprs]-[\w-]{10,}|\bA[KS]IA[0-9A-Z]{16}\b",
    re.ASCII,
)
# What any of the patterns needs: most texts have none of it, and are read once.
_SUSPECT = re.compile(r"[@=]|40|%3|eyJ|earer|[rs]k_|gh[pousr]_|xox|A[KS]IA|[0-9]{4}")
_USERINFO = re.compile(r"(?<=://)[^/?#\s@\"\[\]]{1,256}@", re.ASCII)
_PARAM = re.compile(r"(^|[?&#;\s])([^\s=&#;?/\"]{1,64})=([^&#;\s\"]+)", re.ASCII)
# The same inside a value that was percent-encoded, as in ?next=%2Flogin%3Ftoken%3Dabc
_ENCODED_PARAM = re.compile(r"(%3[Ff]|%26|%23|=)([^\s%=&#]{1,64})%3[Dd]((?:(?!%26|%23)[^&#;\s\"])+)", re.ASCII)
_JSON_KEY = re.compile(r'\\?"((?:[^"\\]|\\[^"]){1,64})\\?"\s*:\s*', re.ASCII)
_JSON_VALUE = re.compile(
    r'\\"[^"]*"|"(?:[^"\\]|\\.)*(?:"|\Z)|\{[^{}]*\}|\[[^\[\]]*\]|[^\s,"{}\[\]]+', re.ASCII | re.DOTALL
)
_IPV4 = r"(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_QUOTED_IP = re.compile(rf'(?<="){_IPV4}(?=\\?")', re.ASCII)
_IPV4_ONLY = re.compile(_IPV4 + r"(?::\d{1,5})?\Z", re.ASCII)
_IPV6_LIKE = re.compile(r"[0-9A-Fa-f:.]{2,45}(?:%\w{1,16})?\Z", re.ASCII)


def scrub_text(text: str, name: str = "") -> str:
    """A text without e-mail addresses, card numbers, tokens and personal parameters; every other character stays.

    `name` is what the text is called: an id keeps its digits.
    """
    if not _SUSPECT.search(text):
        return text
    if "=" in text or "%3" in text:
        text = _PARAM.sub(_param, _ENCODED_PARAM.sub(_encoded_param, text))
    if "://" in text:
        text = _USERINFO.sub(REMOVED + "@", text)
    if "@" in text or "40" in text:
        text = _scrub_emails(text)
    text = _TOKENS.sub(TOKEN, text)
    return text if is_id(name) else scrub_cards(text)


def scrub_id(text: str) -> str:
    """An id, or a name: e-mail addresses and tokens go, digits stay whatever they look like."""
    return _TOKENS.sub(TOKEN, _scrub_emails(text))


def pseudonym(visitor_id: str, salt: str | None = None) -> str | None:
    """A visitor's id; one that tells who it is becomes a keyed hash (the same person, the same hash), or nothing.

    What was taken out of a rejected event (`[email]`) is nobody: as an id it would merge strangers.
    """
    if visitor_id in PLACEHOLDERS:
        return None
    text = visitor_id.strip()
    if scrub_id(text) == text and not is_ip(text):
        return visitor_id
    salt = settings.hash_salt() if salt is None else salt
    if not salt:
        return None
    import hmac  # loads OpenSSL, which few visitors need

    return "h_" + hmac.new(salt.encode(), text.lower().encode(), "sha256").hexdigest()[:32]


def scrub_item(item: dict[str, Any]) -> dict[str, Any]:
    """One line of an order."""
    return {
        key: value if not isinstance(value, str) else scrub_id(value) if is_id(key) else scrub_text(value)
        for key, value in item.items()
    }


def scrub_props(value: Any, name: str = "") -> Any:
    """Properties, at any depth: personal keys are removed, every text is scrubbed."""
    if isinstance(value, str):
        return IP if is_ip(value) else scrub_text(value, name)
    if isinstance(value, Mapping):
        return {scrub_id(key): scrub_props(held, key) for key, held in value.items() if not is_personal(key)}
    if isinstance(value, list):
        return [scrub_props(held, name) for held in value]
    if isinstance(value, int) and value > 10**12 and scrub_text(str(value), name) == CARD:
        return CARD
    return value


def scrub_bytes(body: bytes) -> bytes:
    """A body that was not understood, by the same patterns. What matches none of them stays byte for byte."""
    codec = _wide_codec(body) or "latin-1"
    text = body.decode(codec, "surrogatepass") if codec != "latin-1" else body.decode(codec)
    clean = scrub_text(_QUOTED_IP.sub(IP, _scrub_pairs(text)))
    return body if clean == text else clean.encode(codec, "surrogatepass" if codec != "latin-1" else "strict")


def is_ip(text: str) -> bool:
    """Whether a text is an IP address, with or without a port, or a list of them, and nothing else."""
    if "," in text:
        return all(is_ip(part.strip()) for part in text.split(","))
    if _IPV4_ONLY.match(text):
        return True
    if text.count(":") < 2 or not _IPV6_LIKE.match(text):
        return False
    from ipaddress import AddressValueError, IPv6Address  # seldom needed, and not free to import

    try:
        return bool(IPv6Address(text))
    except AddressValueError:
        return False


def _scrub_emails(text: str) -> str:
    """Found from the `@` backwards: searched from the front, a long word without one would be read over and over."""
    kept: list[str] = []
    done = 0
    for found in _AT_DOMAIN.finditer(text):
        start = found.start()
        first = max(done, start - _MAX_BEFORE_AT)
        while start > first and text[start - 1] not in _NOT_BEFORE_AT:
            start -= 1
        if start < found.start():
            kept += text[done:start], EMAIL
            done = found.end()
    return "".join(kept) + text[done:]


def _param(match: re.Match[str]) -> str:
    before, name, value = match.groups()
    return f"{before}{name}={REMOVED if is_personal(_unquote(name)) else IP if is_ip(value) else value}"


def _encoded_param(match: re.Match[str]) -> str:
    return match[0] if not is_personal(match[2]) else match[0][: match.start(3) - match.start()] + REMOVED


def _scrub_pairs(text: str) -> str:
    """JSON-looking text without the values of personal keys, however little of it is JSON."""
    kept: list[str] = []
    done = 0
    for key in _JSON_KEY.finditer(text):
        value = _JSON_VALUE.match(text, key.end()) if key.start() >= done and is_personal(key[1]) else None
        if value:
            kept += text[done : key.end()], f'"{REMOVED}"'
            done = value.end()
    return "".join(kept) + text[done:]


def _wide_codec(body: bytes) -> str | None:
    """UTF-16 is not accepted, but must not be a way around the patterns."""
    zeros = body[:64:2].count(0), body[1:64:2].count(0)
    if max(zeros) < 4 or len(body) % 2:
        return None
    return "utf-16-le" if zeros[1] > zeros[0] else "utf-16-be"


def _unquote(name: str) -> str:
    if "%" not in name:
        return name
    from urllib.parse import unquote

    return unquote(name)

"""What is taken out of an event before it is first written anywhere.

No caller's address is ever read into an event. Personal values go by their name (`personal.py`, `shapes.py`) and by
their shape (`emails.py`, `tokens.py`, `addresses.py`, `numbers.py`, `cards.py`). docs/security.md says what is not found.

Every function here is idempotent, so that an event that is read back and cleaned again stays as it is, and takes time in
proportion to the text: no repeat can begin inside what another attempt has read, or else it is bounded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from ingest_lambda import settings
from ingest_lambda.addresses import IP, is_ip, scrub_ips
from ingest_lambda.cards import CARD, scrub_cards
from ingest_lambda.emails import EMAIL, scrub_emails
from ingest_lambda.numbers import IBAN, PHONE, SSN, scrub_numbers, scrub_phones
from ingest_lambda.pairs import (
    REMOVED,
    holds_hidden_email,
    is_name_of_a_person,
    is_of_a_product,
    scrub_json,
    scrub_params,
)
from ingest_lambda.personal import MAX_NAME, is_id, is_personal, is_version
from ingest_lambda.tokens import TOKEN, scrub_tokens

PLACEHOLDERS = frozenset({REMOVED, EMAIL, CARD, TOKEN, IP, PHONE, IBAN, SSN})

# What any of the patterns needs: most texts have none of it, and are read twice. Each alternative of the first begins with
# a character that words seldom have, which is what makes it quick.
_SUSPECT = re.compile(
    r"@|=|\\|%[2-4eE]|&[#c]|::|\)|\]|yJ|Bearer|bearer|xox|k_|k-|gh[pousr]_|Iza|[KS]IA|whsec_|npm_|SG\.|glpat|hooks\."
)
_SUSPECT_NUMBER = re.compile(r"[0-9](?:[0-9]{3}|[ ./:+-][0-9]|[A-Za-z]{1,8}[0-9])")
# A word of hexadecimal digits, not all of them decimal: no card and no telephone; and it does not begin as an IBAN does.
_UUID = re.compile(r"(?![a-f]{2}[0-9]{2})(?=.*[a-f])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
_USERINFO = re.compile(r"(?<=://)[^/?#\s@\"\[\]]{1,256}+@", re.ASCII)
# Full-width digits and marks, and the spaces and hyphens that are none of ASCII's, as what they stand for.
_WIDE = "\uff10\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19\uff20\uff0e\uff0d\uff0b\uff1a\uff0f\u2010\u2011"
_SPACES = "\xa0\u2007\u2009\u202f\u3000"
_FOLD = str.maketrans(_WIDE + _SPACES, "0123456789@.-+:/--" + " " * len(_SPACES))
_FOLDED = re.compile(f"[{_WIDE}{_SPACES}]")
# Shorter than any token that is known by its beginning, and without a mark of the rest.
_PLAIN_THING = re.compile(r"[\w-]{1,14}\Z", re.ASCII)
_SHORT = 256
_PAIR = ("key", "name")
_AN_ID = re.compile(r"[^\s@]{1,256}@[^\s@]{1,256}\Z")


def scrub_text(text: str, name: str = "") -> str:
    """A text without what is personal in it; every other character stays.

    `name` is what the text is called: an id keeps its digits, a version its dots.
    """
    return _scrub_short(text, name) if len(text) <= _SHORT else _scrub(text, name)


def _scrub(text: str, name: str) -> str:
    if text.isascii() or not _FOLDED.search(text):
        return _scrub_folded(text, name)
    folded = text.translate(_FOLD)
    clean = _scrub_folded(folded, name)
    return text if clean == folded else clean


#: The screens, versions, categories and pages of a batch come again and again.
_scrub_short = lru_cache(maxsize=1024)(_scrub)


def _scrub_folded(text: str, name: str) -> str:
    if not _SUSPECT.search(text) and not _SUSPECT_NUMBER.search(text):
        return text
    return text if len(text) == 36 and _UUID.match(text) else _scrub_suspect(text, name)


def _scrub_suspect(text: str, name: str) -> str:
    has_versions = is_version(name)
    if is_ip(text) and not has_versions:
        return IP
    text = scrub_params(text)
    if "://" in text:
        text = _USERINFO.sub(REMOVED + "@", text)
    text = scrub_tokens(scrub_emails(text, has_versions=has_versions))
    if not has_versions:
        text = scrub_ips(text)
    return text if is_id(name) else scrub_cards(scrub_numbers(text))


def scrub_id(text: str) -> str:
    """An id, or a name: e-mail addresses and tokens go, digits stay whatever they look like."""
    return scrub_tokens(scrub_emails(text)) if "/" in text or _SUSPECT.search(text) else text


def pseudonym(visitor_id: str, salt: str | None = None) -> str | None:
    """A visitor's id; one that tells who it is becomes a keyed hash (the same person, the same hash), or nothing.

    What was taken out of a rejected event (`[email]`) is nobody: as an id it would merge strangers.
    """
    if visitor_id in PLACEHOLDERS:
        return None
    text = visitor_id.strip()
    return _hashed(text, salt) if _tells_who(text if text.isascii() else text.translate(_FOLD)) else visitor_id


def thing(text: str, salt: str | None = None) -> str | None:
    """The id of an order or a product. One that holds an e-mail address, a telephone number or a token becomes a keyed hash,
    or nothing: what is left of it without them would make one of many."""
    if _PLAIN_THING.match(text) or scrub_phones(scrub_id(text)) == text:
        return text
    return _hashed(text.strip(), salt)


def _hashed(text: str, salt: str | None) -> str | None:
    salt = settings.hash_salt() if salt is None else salt
    if not salt:
        return None
    import hmac  # loads OpenSSL, which few visitors need

    return "h_" + hmac.new(salt.encode(), text.lower().encode(), "sha256").hexdigest()[:32]


def _tells_who(text: str) -> bool:
    is_clean = scrub_phones(scrub_id(text)) == text and not is_ip(text)
    return not is_clean or ("@" in text and bool(_AN_ID.match(text))) or holds_hidden_email(text)


def scrub_item(item: dict[str, Any], salt: str | None = None) -> dict[str, Any]:
    """One line of an order."""
    clean = {
        key: value if not isinstance(value, str) else thing(value, salt) if is_id(key) else scrub_text(value)
        for key, value in item.items()
    }
    return clean if None not in clean.values() else {key: value for key, value in clean.items() if value is not None}


def scrub_props(value: Any, name: str = "") -> Any:
    """Properties, at any depth: personal keys are removed, every text is scrubbed. `name` is what they are called."""
    if isinstance(value, str):
        return scrub_text(value, name)
    if isinstance(value, Mapping):
        return _scrub_mapping(value, name)
    if isinstance(value, list):
        return [scrub_props(held, name) for held in value]
    if isinstance(value, int) and value > 10**12 and scrub_text(str(value), name) == CARD:
        return CARD
    return value


def _scrub_mapping(value: Mapping[str, Any], parent: str) -> dict[str, Any]:
    gone = {key for key, held in value.items() if is_personal(key, held, parent)}
    if "value" in value and _is_personal_pair(value, parent):
        gone.add("value")
    if gone and not is_of_a_product(parent) and not any(map(is_of_a_product, value)):
        # Beside a telephone or an e-mail address, a name is a person's.
        gone |= {key for key, held in value.items() if isinstance(held, str) and is_name_of_a_person(key, held)}
    return {scrub_text(key): scrub_props(held, key[-MAX_NAME:]) for key, held in value.items() if key not in gone}


def _is_personal_pair(value: Mapping[str, Any], parent: str) -> bool:
    """`{"key": "_billing_phone", "value": …}` is a name and its value, as shops' systems write what has no field."""
    return any(isinstance(name, str) and is_personal(name, value["value"], parent) for name in map(value.get, _PAIR))


def scrub_bytes(body: bytes) -> bytes:
    """A body that was not understood, by the same patterns. What matches none of them stays byte for byte."""
    codec, errors = _wide_codec(body) or "utf-8", "surrogatepass"
    if codec == "utf-8":
        errors = "surrogateescape"  # a byte that is no character stays that byte
    text = body.decode(codec, errors)
    clean = scrub_text(scrub_json(text))
    return body if clean == text else clean.encode(codec, errors)


def _wide_codec(body: bytes) -> str | None:
    """UTF-16 is not accepted, but must not be a way around the patterns."""
    zeros = body[:64:2].count(0), body[1:64:2].count(0)
    if max(zeros) < 4 or len(body) % 2:
        return None
    return "utf-16-le" if zeros[1] > zeros[0] else "utf-16-be"

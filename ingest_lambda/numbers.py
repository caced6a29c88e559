"""Numbers that are a person's: telephones, bank accounts and social security numbers, by their shape."""

from __future__ import annotations

import re

from ingest_lambda.personal import is_id

PHONE, IBAN, SSN = "[phone]", "[iban]", "[ssn]"

_GAP = r"(?:%20|[ ().+/-]){0,2}"
# Each begins with a character that few texts have. A country's code behind a plus, ...
_AFTER_PLUS = re.compile(rf"\+(?<![\w)%+]\+)[1-9](?:{_GAP}[0-9]){{7,14}}+(?![0-9])", re.ASCII)
_AFTER_CODED_PLUS = re.compile(rf"%2[Bb][1-9](?:{_GAP}[0-9]){{7,14}}+(?![0-9])", re.ASCII)
# ... or any number behind the word for a telephone, which is looked at when there is a number.
_AFTER_COLON = re.compile(rf"(?::|%3[Aa])({_GAP}(?:\+|%2[Bb])?[0-9](?:{_GAP}[0-9]){{6,14}}+)(?![0-9])", re.ASCII)
_PHONE_WORDS = ("tel", "telefon", "telephone", "phone", "mobile", "mobil", "handy", "fax", "sms", "callto", "whatsapp")
# A number with a sign and one or two decimals, with nothing like it on either side.
_DECIMAL = re.compile(r"(?:[+-]|%2[Bb])[0-9]{1,2}\.[0-9]{1,2}(?![0-9.])", re.ASCII)
_CHAT = re.compile(r"(?<=wa\.me/)\+?[0-9]{7,15}(?![0-9])")
_SSN = re.compile(
    r"\b(?:ssn|social security(?: (?:number|no\.?))?)[\s:#=]{0,3}[0-9]{3}([- ]?)[0-9]{2}\1[0-9]{4}(?![0-9])",
    re.ASCII | re.IGNORECASE,
)
# The beginning of an IBAN, from its check digits, as these are rarer than the letters before them; and what follows it.
_ACCOUNT = re.compile(
    r"[0-9]{2}(?<=[A-Za-z]{2}[0-9]{2})(?<![\w-][A-Za-z]{2}[0-9]{2})(?=[ %+-]?[0-9A-Za-z]{4})", re.ASCII
)
_REST = re.compile(r"(?:(?:%20|[ +-])?[0-9A-Za-z]){11,30}+")
_GROUP = re.compile(r"[0-9A-Za-z]++")
_NAME_BEFORE = re.compile(r"[\"'\\ ]{0,4}(?:=|:|[dD]3%)[\"'\\ ]{0,4}([\w\[\].-]{1,64})", re.ASCII)
#: How long a country's IBAN is; any other number that begins so is a product's.
_IBAN_LENGTHS = {
    entry[:2]: int(entry[2:])
    for entry in [
        "AD24",
        "AE23",
        "AL28",
        "AT20",
        "AZ28",
        "BA20",
        "BE16",
        "BG22",
        "BH22",
        "BR29",
        "BY28",
        "CH21",
        "CR22",
        "CY28",
        "CZ24",
        "DE22",
        "DK18",
        "DO28",
        "EE20",
        "EG29",
        "ES24",
        "FI18",
        "FO18",
        "FR27",
        "GB22",
        "GE22",
        "GI23",
        "GL18",
        "GR27",
        "GT28",
        "HR21",
        "HU28",
        "IE22",
        "IL23",
        "IQ23",
        "IS26",
        "IT27",
        "JO30",
        "KW30",
        "KZ20",
        "LB28",
        "LC32",
        "LI21",
        "LT20",
        "LU20",
        "LV21",
        "LY25",
        "MC27",
        "MD24",
        "ME22",
        "MK19",
        "MR27",
        "MT31",
        "MU30",
        "NL18",
        "NO15",
        "PK24",
        "PL28",
        "PS29",
        "PT25",
        "QA29",
        "RO24",
        "RS22",
        "SA24",
        "SC31",
        "SE24",
        "SI19",
        "SK24",
        "SM27",
        "ST25",
        "SV28",
        "TN24",
        "TR26",
        "UA29",
        "VA22",
        "VG24",
        "XK20",
    ]
}


def scrub_numbers(text: str) -> str:
    """A text without telephone numbers, bank accounts and social security numbers; every other character stays."""
    text = _scrub_accounts(scrub_phones(text))
    return _SSN.sub(SSN, text) if "ssn" in text.lower() or "ecurity" in text else text


def scrub_phones(text: str) -> str:
    """A text without telephone numbers."""
    if "+" in text:
        text = _AFTER_PLUS.sub(_unless_decimal, text)
    if "%2" in text:
        text = _AFTER_CODED_PLUS.sub(_unless_decimal, text)
    if ":" in text or "%3" in text:
        text = _AFTER_COLON.sub(_phone, text)
    return _CHAT.sub(PHONE, text) if "wa.me/" in text else text


def _unless_decimal(match: re.Match[str]) -> str:
    """A telephone number; not the strength of a lens, `+2.00 -1.25 180`."""
    return match[0] if _DECIMAL.search(match[0]) else PHONE


def _phone(match: re.Match[str]) -> str:
    before = match.string[max(0, match.start() - 12) : match.start()].rstrip(".").lower()
    return match[0][: match.start(1) - match.start()] + PHONE if before.endswith(_PHONE_WORDS) else match[0]


def is_named_id(text: str, start: int) -> bool:
    """Whether what begins at `start` is the value of a name that says id: `order_id=`, `"sku":`."""
    before = _NAME_BEFORE.match(text[max(0, start - 80) : start][::-1])
    return before is not None and is_id(before[1][::-1])


def _scrub_accounts(text: str) -> str:
    kept: list[str] = []
    done = 0
    for found in _ACCOUNT.finditer(text):
        start = found.start() - 2
        end = _account_end(text, start) if start >= done else 0
        if end and not is_named_id(text, start):
            kept += text[done:start], IBAN
            done = end
    return "".join(kept) + text[done:]


def _account_end(text: str, start: int) -> int:
    """Where an IBAN ends: it has its country's length, ends where a word does, and leaves 1 when divided by 97."""
    length = _IBAN_LENGTHS.get(text[start : start + 2].upper(), 0)
    rest = _REST.match(text, start + 4) if length else None
    if not rest:
        return 0
    code = ""
    for group in _GROUP.finditer(text[start : rest.end()].replace("%20", "   ")):
        code += group[0].upper()
        end = start + group.end()
        if len(code) >= length:
            is_whole = end < rest.end() or not text[end : end + 1].isalnum()
            return end if length == len(code) and is_whole and is_iban(code) else 0
    return 0


def is_iban(code: str) -> bool:
    """The check of ISO 13616, over capitals and digits."""
    return int("".join(str(int(mark, 36)) for mark in code[4:] + code[:4])) % 97 == 1

"""What a value looks like, where its name alone does not say enough: `pin=1234` is a secret, `pin=enamel` is a product.

Each check reads a value once, and only its beginning: `MAX_LENGTH` characters tell what it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable

Shape = Callable[[str], bool]
MAX_LENGTH = 512

#: A switch, or nothing: never personal, whatever it is called.
_FLAGS = frozenset(("", "0", "1", "-1", "true", "false", "yes", "no", "on", "off", "null", "none", "undefined", "nan"))
_SPACE = re.compile(r"%20|[+\s]", re.ASCII)
_WORD_AND_NUMBER = re.compile(r"[A-Za-z]++[0-9]{0,4}\Z|[0-9]{1,4}[A-Za-z]++\Z")  # SUMMER20, 2026spring
_UUID = re.compile(r"[0-9A-Fa-f]{8}-?(?:[0-9A-Fa-f]{4}-?){3}[0-9A-Fa-f]{12}\Z")
_TURN = re.compile(r"[A-Za-z](?=[0-9])|[0-9](?=[A-Za-z])")
_COORDINATE = re.compile(r"[+-]?[0-9]{1,3}\.[0-9]{2,20}\Z")
_POSTCODE = re.compile(
    r"(?:[A-Za-z]{1,2}[- ])?[0-9]{4,6}(?:-[0-9]{3,4})?\Z|[A-Za-z]{1,2}[0-9][0-9A-Za-z]? ?[0-9][A-Za-z]{2}\Z"
)
_BIC = re.compile(r"[A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?\Z")
_PHONE_MARKS = str.maketrans("", "", "0123456789 +-./()")
_PART = re.compile(r"[0-9A-Za-z]++")
_JOINERS = str.maketrans("", "", "-_.~/=%")
_NAME_MARKS = str.maketrans("", "", ".'’-")


def said(value: str) -> bool:
    """Anything but a switch."""
    return value.strip().lower() not in _FLAGS


def phone(value: str) -> bool:
    """6 to 15 digits, and between them what people write there."""
    text = _spaced(value)
    return 6 <= _digits(text) <= 15 and not text.translate(_PHONE_MARKS)


def street(value: str) -> bool:
    """Words and a number, as in `Main Street 5`. The address of a page is none."""
    text = _spaced(value)
    return bool(" " in text and _digits(text) and any(map(str.isalpha, text))) and not _is_page(text)


def address(value: str) -> bool:
    """Several words that are not the address of a page, or the address of a purse."""
    text = _spaced(value)
    return not _is_page(text) and (
        ((" " in text or "," in text) and any(map(str.isalpha, text))) or _is_random(text, 20)
    )


def postcode(value: str) -> bool:
    """A number of four to six digits, also with a country before it, or letters and digits as in the United Kingdom."""
    return bool(_POSTCODE.match(_spaced(value)))


def coordinate(value: str) -> bool:
    """Degrees with decimals. A whole degree is a hundred kilometres wide."""
    return bool(_COORDINATE.match(value.strip()))


def pin(value: str) -> bool:
    """Four to eight digits."""
    text = value.strip()
    return 4 <= len(text) <= 8 and text.isdecimal()


def number(value: str) -> bool:
    """The number of an account, a passport, a birthday: four digits at least."""
    return _digits(value[:MAX_LENGTH]) >= 4


def card(value: str) -> bool:
    """Eight digits at least, or a card's last four behind a mask."""
    digits = _digits(value[:MAX_LENGTH])
    return digits >= 8 or (digits >= 4 and ("**" in value or "xx" in value.lower() or "••" in value))


def bic(value: str) -> bool:
    """The code of a bank; `bic=pen` is a pen."""
    return bool(_BIC.match(value.strip()))


def ip(value: str) -> bool:
    """Whatever might tell a machine; `ip=67` is a grade of tightness."""
    return len(value) > 6 and any(mark.isdigit() or mark == ":" for mark in value[:MAX_LENGTH])


def name(value: str) -> bool:
    """One to four words of letters, the first of them with a capital."""
    return _is_name(_spaced(value), 1)


def full_name(value: str) -> bool:
    """Two to four such words, each with a capital."""
    return _is_name(_spaced(value), 2)


def password(value: str) -> bool:
    """One word, other than a switch: a season pass has more."""
    return said(value) and not (value.isdecimal() and len(value) < 4) and "-" not in value and " " not in _spaced(value)


def secret(value: str) -> bool:
    """Letters and digits in one, as no word has them: 8 or more."""
    return _is_random(value, 8)


def sid(value: str) -> bool:
    """Letters and digits in one: 6 or more. A shorter one, or one without digits, names a section or a partner."""
    return _is_random(value, 8) or (6 <= len(value) <= MAX_LENGTH and value.isalnum() and bool(_TURN.search(value)))


def long_secret(value: str) -> bool:
    """The same, 16 or more, so that no coupon and no product's number is one; or an order's key."""
    return _is_random(value, 16) or value.startswith("wc_order_")


def oauth(value: str) -> bool:
    """A code or a state of a sign-in, where both stand in one address. A coupon and a state of a country have capitals only."""
    is_mixed = len(value) >= 6 and bool(_TURN.search(value[:MAX_LENGTH]))
    return not value.isupper() and (is_mixed or _is_random(value, 8))


def _is_random(value: str, least: int) -> bool:
    """Whether it is one piece of letters and digits in no order that a word, a date, a slug or a coupon has."""
    text = value[:MAX_LENGTH].strip()
    core = text.translate(_JOINERS)
    if len(core) < least or not core.isascii() or not core.isalnum() or _WORD_AND_NUMBER.match(text):
        return False
    if _UUID.match(text):
        return True
    longest = max(_PART.findall(text), key=len)
    if longest.isalpha() or longest.isdecimal():
        return len(longest) >= 20 and not longest.islower() and not longest.istitle()
    # Else a slug: words and numbers, joined.
    return len(longest) >= min(least, 12) and not _WORD_AND_NUMBER.match(longest)


def _is_name(text: str, least: int) -> bool:
    words = text[:MAX_LENGTH].translate(_NAME_MARKS).split()
    if not least <= len(words) <= 4 or not all(map(str.isalpha, words)):
        return False
    return words[0][0].isupper() if least == 1 else all(word[0].isupper() and not word[1:].isupper() for word in words)


def _is_page(text: str) -> bool:
    return "://" in text or "%3A%2F" in text or text.startswith(("/", "www.", "#", "?"))


def _digits(text: str) -> int:
    return sum(map(str.isdecimal, text))


def _spaced(value: str) -> str:
    """A value of an address with its spaces; `%2B` is the plus that it was."""
    return _SPACE.sub(" ", value[:MAX_LENGTH].strip()).replace("%2B", "+").replace("%2b", "+").strip()

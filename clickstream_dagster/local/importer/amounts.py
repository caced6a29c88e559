"""Numbers as people and shops write them: 1,299.50, 1.299,50, 1'299.50, 1,29,900.00, 12.50 EUR, (10.00)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

#: The other one of the two signs: where one stands before the cents, the other parts the thousands.
OTHER = {".": ",", ",": "."}
_SPACES = str.maketrans("", "", " \xa0\u2009\u202f'’")
#: What a currency is called beside an amount. No single letter, which may be a thousand or a million.
_CURRENCY = (
    r"(?:[A-Z]{3}|[A-Za-z]{0,3}[$€£¥₹₽₺₩₫₴₪฿₱₦]|[Ee]uro|eur|kr\.?|zł|Kč|Ft|[Ll]ei|TL|S?Fr\.?|Rs\.?|руб\.?|лв\.?)?"
)
_DRESSED = re.compile(rf"(\(?-?){_CURRENCY}(-?)([0-9][0-9.,]*){_CURRENCY}(-?\)?)\Z")

_CODE = re.compile(r"^[A-Z]{3}(?![A-Za-z$])|(?<![A-Za-z])[A-Z]{3}$")


def _grouped(sign: str, least: int = 1) -> str:
    """Thousands parted by a sign, as everywhere or as in India."""
    return rf"(?:[0-9]{{1,3}}(?:\{sign}[0-9]{{3}}){{{least},}}|[0-9]{{1,2}}(?:\{sign}[0-9]{{2}})+\{sign}[0-9]{{3}})"


_NUMBER = {sign: re.compile(rf"[+-]?(?:{_grouped(group)}|[0-9]+)(?:\{sign}[0-9]+)?\Z") for sign, group in OTHER.items()}
#: A number that can only mean one of the two: its digits behind the sign are not three, or what is before it cannot be
#: thousands, or it has both signs, or one of them more than once.
_EVIDENCE = {
    sign: re.compile(
        rf"[+-]?(?:[0-9]+\{sign}(?:[0-9]{{1,2}}|[0-9]{{4,}})|(?:0|[0-9]{{4,}})\{sign}[0-9]{{3}}"
        rf"|{_grouped(group)}\{sign}[0-9]+|{_grouped(group, 2)})\Z"
    )
    for sign, group in OTHER.items()
}
#: A number that can mean either: a thousand and some, or one and three decimals.
_EITHER = {sign: re.compile(rf"[+-]?[1-9][0-9]{{0,2}}\{sign}[0-9]{{3}}\Z") for sign in OTHER}


class Undecided(ValueError):
    """The numbers of a file could have either decimal sign; the message is one of them."""


def bare(text: str) -> str:
    """A number without spaces and currency, its minus before it."""
    text = text.translate(_SPACES).replace("−", "-")
    found = _DRESSED.match(text)
    if not found:
        return text
    before, inside, number, behind = found.groups()
    return f"-{number}" if before or inside or behind else number


def named_currency(text: str) -> str | None:
    """The code of a currency that stands beside a number: EUR in 12.50 EUR."""
    found = _CODE.search(text.strip()) if _DRESSED.match(text.translate(_SPACES)) else None
    return found[0] if found else None


def read_number(text: str, decimal: str) -> str | None:
    """The number with a point before its decimals; None for what is none with this sign."""
    if not _NUMBER[decimal].match(text):
        return None
    return text.replace(OTHER[decimal], "").replace(decimal, ".")


def is_either(text: str) -> bool:
    """Whether both signs make a number of it."""
    return any(pattern.match(text) for pattern in _EITHER.values())


def decimal_of(texts: Iterable[str]) -> str | None:
    """The decimal sign that numbers have; None where none has any sign. Raises `Undecided` where more of them could be
    thousands than have that sign for certain."""
    found: Counter[str] = Counter()
    either: dict[str, list[str]] = {sign: [] for sign in OTHER}
    for text in map(bare, texts):
        for sign in OTHER:
            found[sign] += bool(_EVIDENCE[sign].match(text))
            if _EITHER[sign].match(text):
                either[sign].append(text)
    best = max(OTHER, key=lambda sign: found[sign])
    doubtful = either[best] if found[best] else either["."] + either[","]
    if len(doubtful) > found[best]:
        raise Undecided(doubtful[0])
    return best if found[best] else None

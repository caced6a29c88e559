"""Card numbers in a text, told from the ids and the times that a shop's addresses are full of."""

from __future__ import annotations

import re

from ingest_lambda.personal import is_id

CARD = "[card]"

_SEPARATOR = r"(?:[ -]|%20|\+)"
_DIGITS = re.compile(rf"(?:(?<=%20)|(?<![\w.%-]))\d{{1,19}}(?:{_SEPARATOR}\d{{1,19}}){{0,40}}(?![\w-]|\.\d)", re.ASCII)
_NAME_BEFORE = re.compile(r"([\w\[\].-]{1,64})\\?[\"']?\s{0,3}(?:=|:|%3[Dd])\s{0,3}\\?[\"']?\Z", re.ASCII)


_DOUBLED = str.maketrans("0123456789", "0246813579")  # twice a digit, as the sum of the digits of that


def scrub_cards(text: str) -> str:
    """A text without card numbers; every other character stays."""
    return _DIGITS.sub(_scrub_run, text)


def _scrub_run(match: re.Match[str]) -> str:
    """A run of digits, or groups of them, without the card numbers in it.

    Shops number their orders, products and times with digits that pass a card's check one time in ten. So a number
    stays whose name says id (`order_id=`, `"sku":`), or that is unbroken and a segment of a path (`/orders/4111…`).
    A card in a free text is caught, and so is one in a path once it is written in groups of four, as no id is.
    """
    text, start = match.string, match.start()
    if sum(map(str.isdigit, match[0])) < 13:
        return match[0]
    clean = _without_cards(match[0], in_path=start > 0 and text[start - 1] == "/")
    if clean == match[0]:
        return clean
    before = _NAME_BEFORE.search(text, max(0, start - 80), start)
    return match[0] if before and is_id(before[1]) else clean


def _without_cards(run: str, in_path: bool) -> str:
    groups = list(re.finditer(r"\d+", run.replace("%20", "   ")))
    kept: list[str] = []
    done = first = 0
    while first < len(groups):
        last = _card_end(groups, first, in_path)
        if last is not None:
            kept += run[done : groups[first].start()], CARD
            done = groups[last].end()
        first = first + 1 if last is None else last + 1
    return "".join(kept) + run[done:]


def _card_end(groups: list[re.Match[str]], first: int, in_path: bool) -> int | None:
    """The last group of the longest card number that begins with group `first`."""
    digits, found = "", None
    for last in range(first, len(groups)):
        digits += groups[last][0]
        if len(digits) > 19:
            break
        if is_card(digits) and not (in_path and last == first):
            found = last
        if len(groups[last][0]) < 4:  # only the last group of a card number is ever that short
            break
    return found


def is_card(digits: str) -> bool:
    """13 to 19 digits that begin as a card network's do (an epoch time never does) and pass the Luhn check."""
    if not 13 <= len(digits) <= 19 or not (digits[0] in "3456" or "22" <= digits[:2] <= "27"):
        return False
    doubled = digits[-2::-2].translate(_DOUBLED)
    return sum(map(int, digits[-1::-2] + doubled)) % 10 == 0

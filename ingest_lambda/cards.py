"""Card numbers in a text, told from the ids and the times that a shop's addresses are full of."""

from __future__ import annotations

import re

from ingest_lambda.numbers import is_named_id

CARD = "[card]"

# Groups of digits as people and pages part them. A match ends where the groups do, so none is read twice.
_GAP = r"(?:[ -]|%20|\+|%C2%A0)"
_DIGITS = re.compile(
    rf"[0-9](?:(?<=%20[0-9])|(?<![\w.%-][0-9]))[0-9]{{0,18}}+(?:{_GAP}[0-9]{{1,19}}+){{0,40}}(?![\w-]|\.[0-9])",
    re.ASCII,
)
# With the marks of dates, versions and paths between them, only the groups that a card has: four of four, or 4-6-5.
_MARKED = re.compile(
    r"[0-9](?<![\w./-][0-9])[0-9]{3}([./_])(?:[0-9]{4}\1[0-9]{4}\1[0-9]{4}|[0-9]{6}\1[0-9]{5})(?![\w-]|[./_][0-9])",
    re.ASCII,
)
_FOUR_DIGITS = re.compile("[0-9]{4}")
_GROUP = re.compile("[0-9]++")
_DOUBLED = str.maketrans("0123456789", "0246813579")  # twice a digit, as the sum of the digits of that


def scrub_cards(text: str) -> str:
    """A text without card numbers; every other character stays."""
    return _MARKED.sub(_scrub_marked, _DIGITS.sub(_scrub_run, text)) if _FOUR_DIGITS.search(text) else text


def _scrub_marked(match: re.Match[str]) -> str:
    is_kept = not is_card(match[0].replace(match[1], "")) or is_named_id(match.string, match.start())
    return match[0] if is_kept else CARD


def _scrub_run(match: re.Match[str]) -> str:
    """A run of digits, or groups of them, without the card numbers in it.

    Shops number their orders, products and times with digits that pass a card's check one time in ten. So a number
    stays whose name says id (`order_id=`, `"sku":`), or that is unbroken and a segment of a path (`/orders/4111…`).
    A card in a free text is caught, and so is one in a path once it is written in groups of four, as no id is.
    """
    text, start = match.string, match.start()
    if len(match[0]) < 13 or sum(map(str.isdigit, match[0])) < 13:
        return match[0]
    clean = _without_cards(match[0], in_path=start > 0 and text[start - 1] == "/")
    return match[0] if clean == match[0] or is_named_id(text, start) else clean


def _without_cards(run: str, in_path: bool) -> str:
    groups = list(_GROUP.finditer(run.replace("%20", "   ").replace("%C2%A0", "      ")))
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
    """Digits that begin as a card network's do, are as many as it has, and pass the Luhn check: no epoch time and no
    EAN of 13 digits does."""
    if not _has_network(digits, len(digits)):
        return False
    doubled = digits[-2::-2].translate(_DOUBLED)
    return sum(map(int, digits[-1::-2] + doubled)) % 10 == 0


def _has_network(digits: str, length: int) -> bool:
    if digits[:1] == "4":
        return length in (16, 19)
    if digits[:2] in ("34", "37"):
        return length == 15
    if digits[:1] == "3":
        return digits[1:2] in "05689" and 14 <= length <= 19
    if digits[:1] == "6" or digits[:2] in ("50", "56", "57", "58"):
        return 16 <= length <= 19
    return length == 16 and ("51" <= digits[:2] <= "55" or "22" <= digits[:2] <= "27")

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
#: The first four digits of what networks issue, from and to, and how many digits there are. Maestro may have 12 to 19, and
#: UnionPay 16 to 19; what they issue has 16 or 19.
_ISSUED = (
    ("2200", "2204", (16, 19)),  # Mir
    ("2221", "2720", (16,)),  # Mastercard
    ("3000", "3059", (14, 16)),  # Diners Club
    ("3095", "3095", (14, 16)),
    ("3400", "3499", (15,)),  # American Express
    ("3528", "3589", (16,)),  # JCB
    ("3600", "3699", (14,)),  # Diners Club
    ("3700", "3799", (15,)),  # American Express
    ("3800", "3999", (14, 16)),  # Diners Club
    ("4000", "4999", (16, 19)),  # Visa
    ("5018", "5020", (16, 19)),  # Maestro, Dankort
    ("5038", "5038", (16, 19)),
    ("5041", "5041", (16,)),  # Elo
    ("5060", "5067", (16, 19)),  # Verve, Elo
    ("5080", "5090", (16,)),  # RuPay, Elo
    ("5100", "5599", (16,)),  # Mastercard
    ("5612", "5612", (16, 19)),  # Maestro
    ("5893", "5893", (16, 19)),
    ("6011", "6011", (16, 19)),  # Discover
    ("6060", "6099", (16,)),  # RuPay
    ("6200", "6299", (16, 19)),  # UnionPay
    ("6304", "6304", (16, 19)),  # Maestro
    ("6362", "6399", (16,)),  # Elo, InstaPayment
    ("6440", "6599", (16, 19)),  # Discover, RuPay
    ("6759", "6763", (16, 19)),  # Maestro
    ("8100", "8299", (16, 19)),  # UnionPay, RuPay
    ("9792", "9792", (16,)),  # Troy
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
        # Only the last group of a card number is ever shorter than four, and none goes on after what is as long as an EAN.
        if not 4 <= len(groups[last][0]) < 13:
            break
    return found


def is_card(digits: str) -> bool:
    """Digits that begin as a card network's do, are as many as it issues, and pass the Luhn check: no EAN, no campaign's id of
    17 digits and no time does."""
    if len(digits) not in _issued_lengths(digits):
        return False
    doubled = digits[-2::-2].translate(_DOUBLED)
    return sum(map(int, digits[-1::-2] + doubled)) % 10 == 0


def _issued_lengths(digits: str) -> tuple[int, ...]:
    start = digits[:4]
    return next((lengths for first, last, lengths in _ISSUED if first <= start <= last), ())

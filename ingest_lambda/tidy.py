"""Makes a record fit for PostgreSQL and for JSON: depth, forbidden characters, numbers beyond a double."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from ingest_lambda.contract import Reject
from ingest_lambda.settings import MAX_DEPTH

REPLACEMENT = "\ufffd"
#: Digits that a double holds exactly, and the exponents that it reaches with all of them.
EXACT_DIGITS = 15
EXACT_EXPONENT = 290
EXACT_INTEGER = 2**53

# jsonb cannot hold U+0000, and UTF-8 no half of a surrogate pair.
_FORBIDDEN = re.compile("[\x00\ud800-\udfff]")


def is_tidy(line: bytes) -> bool:
    """Whether a JSON text can hold nothing that `tidy` would change or refuse: a forbidden character needs an escape or is not
    ASCII, and a nesting needs its brackets. Most events can not, and it is told from their bytes at once."""
    return line.isascii() and b"\\" not in line and line.count(b"{") + line.count(b"[") <= MAX_DEPTH


def tidy(record: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """A copy of a record without forbidden characters, and whether one was U+0000."""
    seen_nul = [False]
    copy: dict[str, Any] = _tidy(record, 1, seen_nul)
    return copy, seen_nul[0]


def _tidy(value: Any, depth: int, seen_nul: list[bool]) -> Any:
    if isinstance(value, str):
        return _text(value, seen_nul)
    if not isinstance(value, (dict, list, tuple)):
        return value
    if depth > MAX_DEPTH:
        raise Reject("too_deep", f"an event may be nested {MAX_DEPTH} levels deep")
    if isinstance(value, dict):
        return {_text(key, seen_nul): _tidy(held, depth + 1, seen_nul) for key, held in value.items()}
    return [_tidy(held, depth + 1, seen_nul) for held in value]


def _text(text: str, seen_nul: list[bool]) -> str:
    if text.isascii() and "\x00" not in text:
        return text
    seen_nul[0] = seen_nul[0] or "\x00" in text
    return _FORBIDDEN.sub(REPLACEMENT, text)


def plain(value: Any) -> Any:
    """Properties as JSON holds them. A number that would change on its way through a double becomes text."""
    if isinstance(value, dict):
        return {key: plain(held) for key, held in value.items()}
    if isinstance(value, list):
        return [plain(held) for held in value]
    if isinstance(value, float):
        value = Decimal(repr(value))
    if isinstance(value, Decimal):
        return float(value) if _fits_double(value) else str(value)
    if isinstance(value, int) and abs(value) > EXACT_INTEGER:
        return str(value)
    return value


def _fits_double(number: Decimal) -> bool:
    if not number.is_finite():
        return False
    return len(number.as_tuple().digits) <= EXACT_DIGITS and abs(number.adjusted()) <= EXACT_EXPONENT

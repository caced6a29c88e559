"""The time in a cell. Without an offset it is the local time of the mapping's zone, or of the shop's."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from itertools import zip_longest
from typing import NamedTuple
from zoneinfo import ZoneInfo

from ingest_lambda.contract import Reject
from ingest_lambda.fields import timestamp

_CLOCK = r"(?:[T ]+(?P<H>[0-9]{1,2}):(?P<M>[0-9]{2})(?::(?P<S>[0-9]{2})(?:[.,](?P<f>[0-9]{1,9}))?)?)?"
_ZONE = r" ?(?P<zone>UTC|GMT|Z|[+-][0-9]{2}(?::?[0-9]{2})?)?\Z"
_ISO = re.compile(r"(?P<Y>[0-9]{4})-(?P<m>[0-9]{2})-(?P<d>[0-9]{2})" + _CLOCK + _ZONE)
#: With the year first, the month follows it.
_YEAR_FIRST = re.compile(r"(?P<Y>[0-9]{4})([-/.])(?P<m>[0-9]{1,2})\2(?P<d>[0-9]{1,2})" + _CLOCK + _ZONE)
#: As Google Analytics writes a day.
_DAY = re.compile(r"(?P<Y>(?:19|20|21)[0-9]{2})(?P<m>[0-9]{2})(?P<d>[0-9]{2})(?P<H>)(?P<M>)(?P<S>)(?P<f>)(?P<zone>)\Z")
#: As in mails and feeds: Sat, 14 Mar 2026 10:00:00 +0100.
_MAIL = re.compile(r"(?:[A-Z][a-z]{2}, ?)?[0-9]{1,2} [A-Z][a-z]{2} [0-9]{4} [0-9]{1,2}:")
#: With dots the day always comes first.
_DOTTED = re.compile(r"(?P<d>[0-9]{1,2})\.(?P<m>[0-9]{1,2})\.(?P<Y>[0-9]{4})" + _CLOCK + _ZONE)
#: With slashes it depends on who wrote it.
_SLASHED = re.compile(r"[0-9]{1,2}/[0-9]{1,2}/[0-9]{2,4}(?![0-9/])")
_DIGITS = re.compile(r"[0-9]+(?:\.[0-9]+)?\Z")
_DIRECTIVE = re.compile(r"%.")
#: What a time is made of, from the largest part on.
_PARTS = "YmdHMS"
_UTC_NAMES = ("UTC", "GMT", "Z")


def read_time(text: str, path: str, formats: tuple[str, ...], zone: ZoneInfo) -> str:
    """The time as the contract reads it. Raises `Reject`."""
    if formats:
        return _by_formats(text, path, formats, zone)
    found = _ISO.match(text) or _DOTTED.match(text) or _YEAR_FIRST.match(text) or _DAY.match(text)
    try:
        if found:
            return _by_parts(text, found, zone)
        if not _DIGITS.match(text):  # an epoch is the contract's matter
            is_mail = _MAIL.match(text)
            moment = parsedate_to_datetime(text) if is_mail else datetime.fromisoformat(text)
            if moment.tzinfo and not is_mail:
                return text
            return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).isoformat()
    except (ValueError, OverflowError):
        pass
    if _SLASHED.match(text):
        raise Reject(
            "invalid_timestamp",
            f"{path}: a date with slashes begins with the day or with the month; say which in the mapping, as "
            f'time_formats: ["%d/%m/%Y %H:%M"] or ["%m/%d/%Y %H:%M"]',
        )
    if path == "event_timestamp" and not _is_known(text):
        raise Reject(
            "invalid_timestamp",
            f"{path}: expected 2026-03-14 10:00:00, with an offset or without, 14.03.2026 10:00, 20260314 or an epoch number; "
            'say another way of writing in the mapping, as time_formats: ["%d %B %Y"]',
        )
    return text


def _is_known(text: str) -> bool:
    """Whether the contract reads it: an epoch number, a leap second."""
    try:
        return timestamp(text, "") is not None
    except Reject:
        return False


def _by_parts(text: str, found: re.Match[str], zone: ZoneInfo) -> str:
    said = found["zone"]
    if found.re is _ISO and len(found["H"] or "00") == 2 and _is_plain(text, said, zone):
        return text  # as the contract reads it anyway
    clock = f"{int(found['H'] or 0):02}:{found['M'] or '00'}:{found['S'] or '00'}.{(found['f'] or '0')[:6]:0<6}"
    offset = "+00:00" if said in _UTC_NAMES else said or ""
    moment = datetime.fromisoformat(f"{found['Y']}-{int(found['m']):02}-{int(found['d']):02}T{clock}{offset}")
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).isoformat()


def _is_plain(text: str, said: str | None, zone: ZoneInfo) -> bool:
    return said not in ("UTC", "GMT") and not text.endswith(f" {said}") if said else zone.key == "UTC"


def _by_formats(text: str, path: str, formats: tuple[str, ...], zone: ZoneInfo) -> str:
    for one, is_utc, pattern in _variants(formats):
        try:
            moment = _by_digits(text, pattern) or datetime.strptime(text, one)
        except ValueError:
            continue
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC if is_utc else zone)).isoformat()
    raise Reject(
        "invalid_timestamp", f"{path}: the cell does not match {' or '.join(map(repr, formats))}, as the mapping says"
    )


def _by_digits(text: str, pattern: re.Pattern[str] | None) -> datetime | None:
    """A time with every digit where the format has it, as nearly all are, at a fifth of what `strptime` takes."""
    found = pattern.fullmatch(text) if pattern else None
    if not found:
        return None
    parts = [*map(int, found.group(*_PARTS[: found.re.groups])), 0, 0, 0]
    return datetime(*parts[:6])  # type: ignore[arg-type]


class _Variant(NamedTuple):
    """One way of writing a time. `is_utc`: it says so in so many words. `pattern`: all of it, where it is made of digits."""

    format: str
    is_utc: bool
    pattern: re.Pattern[str] | None


@lru_cache(maxsize=64)
def _variants(formats: tuple[str, ...]) -> tuple[_Variant, ...]:
    """Each format, and with a fraction behind its seconds: an export leaves that out where it is zero."""
    both = [(one, one.replace("%S", "%S.%f")) for one in formats]
    wanted = [one for plain, exact in both for one in ((plain,) if "%f" in plain or plain == exact else (plain, exact))]
    return tuple(map(_variant, wanted))


def _variant(one: str) -> _Variant:
    digits = _digits(one)
    return _Variant(
        one,
        _DIRECTIVE.sub(" ", one).rstrip().endswith(_UTC_NAMES),
        re.compile(digits) if digits else None,
    )


def _digits(one: str) -> str:
    """A pattern of a fixed length; none for a format that names a part in words, or leaves one out between others."""
    directives = [found[0][1] for found in _DIRECTIVE.finditer(one)]
    if len(directives) < 3 or sorted(directives, key=_PARTS.find) != list(_PARTS[: len(directives)]):
        return ""
    named = (f"(?P<{name}>[0-9]{{{4 if name == 'Y' else 2}}})" for name in directives)
    between = (re.escape(text) for text in _DIRECTIVE.split(one))
    return "".join(part for pair in zip_longest(between, named, fillvalue="") for part in pair)

"""One body, its events. A body that is partly not JSON still gives up every event that is."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import Any, NamedTuple

import msgspec

from ingest_lambda import settings
from ingest_lambda.contract import Reject
from ingest_lambda.dialects.common import Words, own
from ingest_lambda.reading import Draft, draft_line
from ingest_lambda.request import Refusal
from ingest_lambda.words import keep

_BOM = b"\xef\xbb\xbf"
_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?'
# From one bracket to the next, over whatever texts lie between; between the events themselves, commas count too.
_TO_BRACKET = re.compile(rb'(?:[^"\[\]{}]++|' + _STRING + rb")*+[\[\]{}]", re.DOTALL)
_TO_COMMA = re.compile(rb'(?:[^"\[\]{},]++|' + _STRING + rb")*+[\[\]{},]", re.DOTALL)
_MEMBER = re.compile(rb"(" + _STRING + rb")\s*:\s*", re.DOTALL)
_LINE_OF_ITS_OWN = re.compile(rb"[\r\n]\{")
# What `gtag(…)` was called with is one event, and no list of them.
_COMMAND = re.compile(rb'\[\s*"(?:event|config|consent|get|js|set)"\s*[,\]]')
#: Each event repeats what was ignored beside it.
_MAX_IGNORED = 10
_OUR_NAMES = frozenset((b'"event_name"', b'"eventName"', b'"event_type"', b'"event"'))
_json = msgspec.json.Decoder(msgspec.Raw)
EnvelopeWords = Callable[[Mapping[str, Any]], Words]


class Batch(NamedTuple):
    """The events of a body, as bytes, and what its envelope says for all of them. `is_sent_now`: by a server, whose clock is
    right, as it happens."""

    events: list[bytes]
    envelope: Draft
    is_sent_now: bool = False


def split(body: bytes) -> Batch:
    """One event, a list, `{"sent_at", "events": [...]}`, the `batch` of Segment, or one event on each line.

    The text is cut where its brackets say, and only then is each piece read as JSON: so a number, a character or a
    nesting that no parser takes costs its own event and no other.
    """
    text = body.removeprefix(_BOM).strip()
    has_list = text.startswith(b"{") and (b'"events"' in text or b'"batch"' in text)
    members, rest = _members(text) if has_list else ({}, b"")
    listed, words = _listed(members)
    if listed:
        # What follows the envelope is one more piece: it is no event, so it is refused, and kept.
        events = _capped(chain(pieces(listed), [rest]))
        beyond = _too_much(members, len(events))
        batch = Batch(events + beyond, _envelope(members, words), is_sent_now=b'"timestamp_micros"' in members)
    elif _COMMAND.match(text):
        batch = Batch([text], Draft({}, {}))
    elif text.startswith(b"["):
        batch = Batch(_capped(pieces(text)), Draft({}, {}))
    elif _LINE_OF_ITS_OWN.search(text) and not _is_json(text):
        batch = Batch(_capped(text.splitlines()), Draft({}, {}))
    else:
        batch = Batch(_capped([text]), Draft({}, {}))
    if not batch.events:
        raise Reject("empty_body", "the body holds no event")
    return batch


def _listed(members: dict[bytes, bytes]) -> tuple[bytes, EnvelopeWords]:
    """The list among an envelope's members, taken out of them, and whose words the envelope is in."""
    events = members.pop(b'"events"', b"")
    if events.startswith(b"["):
        is_ours = b'"name"' not in events or any(name in events for name in _OUR_NAMES)
        if is_ours and b'"params"' not in events:
            return events, own
        from ingest_lambda.dialects import measurement_protocol  # here, as in `detection`: our own words need it never

        return events, measurement_protocol.envelope
    calls = members.get(b'"batch"', b"")
    if calls.startswith(b"[") and _OUR_NAMES.isdisjoint(members):
        from ingest_lambda.dialects import segment

        return members.pop(b'"batch"'), segment.envelope
    return b"", own


def pieces(text: bytes) -> Iterator[bytes]:
    """What lies between the commas of a list or an object, whatever it is, and what follows the closing bracket."""
    depth = start = at = 1
    # What is nested deeper than an event has bytes is no event, and neither is what follows it.
    while 0 < depth <= settings.MAX_EVENT_BYTES and (
        stretch := (_TO_COMMA if depth == 1 else _TO_BRACKET).match(text, at)
    ):
        at = stretch.end()
        mark = text[at - 1 : at]
        depth += (mark in b"[{") - (mark in b"]}")
        if depth == 0 or mark == b",":
            yield text[start : at - 1]
            start = at
    yield text[start:]


def _capped(found: Iterable[bytes]) -> list[bytes]:
    """The pieces that are not blank. Reading stops at the limit, so a body of commas is soon read."""
    limit = settings.MAX_EVENTS + 2  # with what follows the closing brackets
    events = list(islice(found, limit + 1))
    kept = [event.strip() for event in events if event.strip()]
    if len(events) > limit or len(kept) > settings.MAX_EVENTS:
        raise Refusal(
            413, "too_many_events", f"one request may have {settings.MAX_EVENTS} events: send fewer at a time"
        )
    return kept


def _members(text: bytes) -> tuple[dict[bytes, bytes], bytes]:
    """An object's keys, in their quotes, and its values as they were written; and what follows its closing bracket. The
    last of two equal keys wins. An object with more members than a request has events is no envelope."""
    found = [piece.strip() for piece in islice(pieces(text), settings.MAX_EVENTS + 1)]
    if len(found) > settings.MAX_EVENTS:
        return {}, b""
    matches = [(_MEMBER.match(piece), piece) for piece in found]
    # A body that was cut short has no closing bracket: its last piece is a member too.
    rest = b"" if matches[-1][0] else found[-1]
    return {match[1]: piece[match.end() :] for match, piece in matches if match}, rest


def _too_much(members: dict[bytes, bytes], events: int) -> list[bytes]:
    """What is said for all events is stored with each: of that, no more than would make them a body as large as one may be.
    The members beyond it are taken out, and are pieces of their own that are refused, and kept."""
    room = settings.MAX_DECOMPRESSED_BYTES // max(events, 1)
    beyond: list[bytes] = []
    for key in sorted(members, key=lambda key: len(members[key])):
        room -= len(key) + len(members[key])
        if room < 0:
            beyond.append(b"{" + key + b":" + members.pop(key) + b"}")
    return beyond


def _envelope(members: dict[bytes, bytes], words: EnvelopeWords) -> Draft:
    """What a batch says for all its events; a value that cannot be read is as if it were not there, and noted in their
    props. An event id is not such a thing: it would make them all one event."""
    said = Draft({}, {})
    for key, value in members.items():
        try:
            one = draft_line(b"{" + key + b":" + value + b"}", words)
        except Reject as error:
            ignored = said.props.setdefault("_ignored", [])
            if len(ignored) < _MAX_IGNORED:
                ignored.append(f"beside events: {error.message}")
            continue
        warnings = tuple(warning for warning in one.warnings if warning not in said.warnings)
        said = Draft({**said.values, **one.values}, {**said.props, **one.props}, said.warnings + warnings)
    event_id = said.values.pop("event_id", None)
    if event_id is not None:
        keep(said.props, ("event_id",), event_id)
    return said


def _is_json(text: bytes) -> bool:
    try:
        _json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return False
    return True

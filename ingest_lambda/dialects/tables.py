"""How a table of one dialect is read: which of its keys is which field, what is dropped, and what goes to `props`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid5

from ingest_lambda.contract import Reject
from ingest_lambda.dialects.common import Leaf, Words, settle
from ingest_lambda.words import snake

#: An id of another system that is no UUID becomes one in this namespace: the same id, the same UUID, every time.
EVENT_NAMESPACE = UUID("6f2d1a54-93f0-5c7e-8b1f-0d9c4e5a7b21")
#: In a table, the places of a campaign. They are no fields: they become the query of the page.
CAMPAIGN = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")
_HUMP = re.compile("(?<=[a-z0-9])(?=[A-Z])")
_BETWEEN_WORDS = re.compile("[^a-z0-9]+")
_OF_A_QUERY = re.compile(r"[?&#]utm_[a-z]+=")


class Table:
    """A dialect's keys, as `context.page.url`, and the field that each means; of two for one field the first in the table
    counts. `dropped` is what is not kept: it says who a person is, or opens the sender's account. What lies in a place
    of `homes` goes to props without that place's name."""

    def __init__(
        self,
        name: str,
        fields: Mapping[str, str],
        dropped: frozenset[str] = frozenset(),
        homes: frozenset[str] = frozenset(),
    ) -> None:
        self.name = name
        self.fields = {key: (path, rank) for rank, (key, path) in enumerate(fields.items())}
        self.dropped = dropped
        self.homes = homes
        places = [*fields, *dropped, *(home + "." for home in homes)]
        self.known = {*self.fields, *dropped}
        self.parents = {place[:at] for place in places for at, mark in enumerate(place) if mark == "."}

    def read(self, record: Mapping[str, Any], event_name: str | None) -> Words:
        """What a record says. `event_name` None: it is what an envelope says for its events."""
        words = Words({}, {}, [])
        dropped: list[str] = []
        settle(self._leaves(record, "", (), dropped), words)
        if event_name is not None:
            words.values["event_name"] = event_name
        if dropped:
            words.props["_dropped"] = sorted(dropped)
        _set_event_id(words, self.name)
        _set_campaign(words)
        return words

    def _leaves(
        self, record: Mapping[str, Any], prefix: str, source: tuple[str, ...], dropped: list[str]
    ) -> Iterator[Leaf]:
        for key, value in record.items():
            place = prefix + key
            if place not in self.known and (snaked := prefix + snake(key)) in self.known:
                place = snaked  # `orderId` is `order_id`
            if value is None or value == "" or value == {} or value == []:
                continue
            if place in self.dropped:
                dropped.append(place)
            elif place in self.fields:
                path, rank = self.fields[place]
                yield path, (*source, key), value, rank
            elif place in self.parents and isinstance(value, Mapping):
                yield from self._leaves(value, place + ".", () if place in self.homes else (*source, key), dropped)
            else:
                yield None, (*source, key), value, 0


def event_name(said: Any, events: Mapping[str, str], dialect: str) -> str:
    """`Product Viewed`, `productViewed` and `product_viewed` are one event; one that the table does not have keeps its name."""
    if not isinstance(said, str):
        raise Reject("missing_event_name", f"{dialect}: an event needs its name")
    name = _BETWEEN_WORDS.sub("_", _HUMP.sub("_", said[:256]).lower()).strip("_")
    if not name or not name[0].isalpha():
        raise Reject("invalid_event_name", f"{dialect}: the event's name has no Latin letter to begin with")
    return events.get(name, name)


def event_uuid(given: Any, dialect: str) -> str | None:
    """A message's id as a UUID; none for what is no id."""
    if not isinstance(given, str):
        return None
    try:
        return str(UUID(given))
    except ValueError:
        return str(uuid5(EVENT_NAMESPACE, f"{dialect}:{given}"))


def _set_event_id(words: Words, dialect: str) -> None:
    given = words.values.pop("event_id", None)
    if made := event_uuid(given, dialect):
        words.values["event_id"] = made
    if given is not None and made != given:
        words.props.setdefault("message_id", given)


def _set_campaign(words: Words) -> None:
    """A campaign that the page's query does not say is added to it: visits are told from one another by that."""
    said = {name: words.values.pop(name) for name in CAMPAIGN if name in words.values}
    if not said:
        return
    url = words.values.get("page_url")
    texts = {name: value for name, value in said.items() if isinstance(value, str)}
    if isinstance(url, str) and texts and len(texts) == len(said) and not _OF_A_QUERY.search(url):
        page, mark, fragment = url.partition("#")
        words.values["page_url"] = page + ("&" if "?" in page else "?") + urlencode(texts) + mark + fragment
    else:
        words.props.setdefault("campaign", said)

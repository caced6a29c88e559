"""Which field a client's key means, by the words of `words.py`: our own two dialects, and what all dialects share.

A key that the contract does not name is kept in `props`, under its own name and its parent's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from ingest_lambda.contract import EventWarning
from ingest_lambda.fields import FIELDS
from ingest_lambda.words import ALIASES, CONTAINERS, ORDER_WORDS, keep, snake

ORDER_EVENTS = ("purchase", "refund")
_RANKS = {word: rank for rank, word in enumerate(ORDER_WORDS, start=1)}


class Leaf(NamedTuple):
    """One value of a record: the field it means (none: it goes to props) and the keys that lead to it. Of several values
    for a field the one of the smallest rank counts: the contract's own word has 0."""

    path: str | None
    source: tuple[str, ...]
    value: Any
    rank: int


class Words(NamedTuple):
    """The fields of a record by path, its props, and what of it could not be read."""

    values: dict[str, Any]
    props: dict[str, Any]
    warnings: list[EventWarning]


def own(record: Mapping[str, Any]) -> Words:
    """What a record of ours says."""
    words = Words({}, {}, [])
    is_order = any(field_name(key) == "event_name" and value in ORDER_EVENTS for key, value in record.items())
    settle(_leaves(record, is_order, words.props, words.warnings), words)
    return words


def settle(leaves: Iterable[Leaf], words: Words) -> None:
    """Of several values for a field the one of the smallest rank is the field; the others are kept in props."""
    values, props = words.values, words.props
    for leaf in sorted(leaves, key=lambda leaf: leaf.rank):
        if leaf.path is None or leaf.path in values:
            keep(props, leaf.source, leaf.value)
        elif leaf.value not in (None, ""):  # JSON's null and the empty text of `document.referrer` mean "none"
            values[leaf.path] = leaf.value


def _leaves(
    record: Mapping[str, Any], is_order: bool, props: dict[str, Any], warnings: list[EventWarning]
) -> Iterator[Leaf]:
    for key, value in record.items():
        name = field_name(key)
        if name not in CONTAINERS:
            yield _leaf(key, (key,), value, is_order)
        elif isinstance(value, Mapping):
            for inner, held in value.items():
                yield _leaf(f"{name}.{inner}", (inner,) if name == "props" else (key, inner), held, is_order)
        elif name == "ecom":
            yield Leaf(None, (key,), value, 1)
        elif value is not None and value != "":
            warnings.append(EventWarning(f"invalid_{name}", name))
            keep(props, (key,), value)


def _leaf(key: str, source: tuple[str, ...], value: Any, is_order: bool) -> Leaf:
    if is_order and (path := ORDER_WORDS.get(snake(key))):
        return Leaf(path, source, value, _RANKS[snake(key)])
    path = field_name(key)
    return Leaf(path if path in FIELDS else None, source, value, int(key != path))


@lru_cache(maxsize=1024)
def field_name(key: str) -> str:
    """The path of the field that a key means; a key that means none, in snake case."""
    name = snake(key)
    return ALIASES.get(name, name)

"""Which field a client's key means, by the words of `words.py`: our own two dialects, and what all dialects share.

A key that the contract does not name is kept in `props`, under its own name and its parent's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple

from ingest_lambda.contract import ORDER_EVENTS, EventWarning, Reject
from ingest_lambda.fields import FIELDS
from ingest_lambda.words import ALIASES, CONTAINERS, ORDER_WORDS, keep, snake

_by_rank = itemgetter(3)
_AMOUNTS = frozenset(("order.value", "product.price", "quantity"))
_RANKS = {word: rank for rank, word in enumerate(ORDER_WORDS, start=1)}


#: One value of a record: the field it means (none: it goes to props), the keys that lead to it, the value, its rank. Of several
#: values for a field the one of the smallest rank counts: the contract's own word has 0.
Leaf = tuple[str | None, tuple[str, ...], Any, int]


class Words(NamedTuple):
    """The fields of a record by path, its props, and what of it could not be read."""

    values: dict[str, Any]
    props: dict[str, Any]
    warnings: list[EventWarning]


def own(record: Mapping[str, Any]) -> Words:
    """What a record of ours says."""
    words = Words({}, {}, [])
    names = ("event_name",) if "event_name" in record else record
    is_order = any(record[key] in ORDER_EVENTS for key in names if field_name(key) == "event_name")
    settle(_leaves(record, is_order, words.props, words.warnings), words)
    return words


def settle(leaves: Iterable[Leaf], words: Words) -> None:
    """Of several values for a field the one of the smallest rank is the field; the others are kept in props."""
    values, props = words.values, words.props
    others = []
    for leaf in leaves:
        path, _, value, rank = leaf
        if rank or path is None or path in values:
            others.append(leaf)
        elif value is not None and value != "":  # JSON's null and the empty text of `document.referrer` mean "none"
            values[path] = value
    sources: dict[str, tuple[str, ...]] = {}
    for path, source, value, _ in sorted(others, key=_by_rank) if len(others) > 1 else others:
        if path is None:
            keep(props, source, value)
        elif path in values:
            warnings = _unread(path, values[path])
            if warnings and not _unread(path, value):
                words.warnings.extend(warnings)
                taken = sources.get(path, tuple(path.split(".")))
                values[path], sources[path], source, value = value, source, taken, values[path]
            keep(props, source, value)
        elif value is not None and value != "":
            values[path], sources[path] = value, source


def _unread(path: str, value: Any) -> list[EventWarning]:
    """What is wrong with a value that another one could stand for."""
    if path not in _AMOUNTS:
        return []
    try:
        FIELDS[path](value, path)
    except Reject as reason:
        return [EventWarning(reason.code, path)]
    return []


def _leaves(
    record: Mapping[str, Any], is_order: bool, props: dict[str, Any], warnings: list[EventWarning]
) -> Iterator[Leaf]:
    for key, value in record.items():
        name = field_name(key)
        if name not in CONTAINERS:
            path, rank = _meaning(key, is_order)
            yield path, (key,), value, rank
        elif isinstance(value, Mapping):
            for inner, held in value.items():
                path, rank = _meaning(f"{name}.{inner}", is_order)
                yield path, (inner,) if name == "props" else (key, inner), held, rank
        elif name == "ecom":
            yield None, (key,), value, 1
        elif value is not None and value != "":
            warnings.append(EventWarning(f"invalid_{name}", name))
            keep(props, (key,), value)


@lru_cache(maxsize=1024)
def _meaning(key: str, is_order: bool) -> tuple[str | None, int]:
    """The field that a key means, if any, and its rank."""
    if is_order and (path := ORDER_WORDS.get(snake(key))):
        return path, _RANKS[snake(key)]
    path = field_name(key)
    return path if path in FIELDS else None, int(key != path)


@lru_cache(maxsize=1024)
def field_name(key: str) -> str:
    """The path of the field that a key means; a key that means none, in snake case."""
    name = snake(key)
    return ALIASES.get(name, name)

"""Texts that a pattern likes least, made of the pattern itself: what it repeats is pumped, its beginnings are repeated, and
what it needs in the end is missing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from re import _constants as codes  # the parse tree is the one thing that knows all of a pattern
from re import _parser as parser
from typing import Any

Tree = list[tuple[Any, Any]]
_REPEATS = (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT)
_ENDINGS = ("", "\x01", "!", "a", "0")


def hostile_texts(pattern: re.Pattern[Any], length: int) -> Iterator[str]:
    """Texts of about `length` characters."""
    tree = list(parser.parse(pattern.pattern, pattern.flags))
    for seed in dict.fromkeys(_seeds(tree)):
        if seed:
            body = (seed * (length // len(seed) + 1))[:length]
            yield from (body + ending for ending in _ENDINGS)
    for before, seed in dict.fromkeys(_pumped(tree, "")):
        if seed:
            yield from (before + seed * (length // len(seed)) + ending for ending in _ENDINGS[:3])


def _seeds(tree: Tree) -> Iterator[str]:
    """Every beginning of the pattern, and the whole of it, as it is and with its end spoilt."""
    for choice in range(3):
        for end in range(1, len(tree) + 1):
            text = _example(tree[:end], choice)
            yield from (text, text + "-", text + " ", text[:-1], text + text[-1:] * 9)
        for inner in _branches(tree):
            yield from (_example(inner[:end], choice) for end in range(1, len(inner) + 1))


def _branches(tree: Tree) -> Iterator[Tree]:
    for code, given in tree:
        for inner in _inside(code, given):
            yield inner
            yield from _branches(inner)


def _pumped(tree: Tree, before: str) -> Iterator[tuple[str, str]]:
    """What stands before each repeat, and what it repeats."""
    for at, (code, given) in enumerate(tree):
        here = before + _example(tree[:at], 0)
        for inner in _inside(code, given):
            if code in _REPEATS:
                yield from ((here, _example(inner, choice)) for choice in range(4))
            yield from _pumped(inner, here)


def _inside(code: Any, given: Any) -> list[Tree]:
    if code in _REPEATS:
        return [list(given[2])]
    if code is codes.SUBPATTERN:
        return [list(given[3])]
    if code is codes.BRANCH:
        return [list(branch) for branch in given[1]]
    if code is codes.ATOMIC_GROUP:
        return [list(given)]
    return []


def _example(tree: Tree, choice: int) -> str:
    return "".join(_one(code, given, choice) for code, given in tree)


def _one(code: Any, given: Any, choice: int) -> str:
    if code is codes.LITERAL:
        return chr(given)
    if code is codes.NOT_LITERAL:
        return "a" if given != ord("a") else "b"
    if code is codes.ANY:
        return "a"
    if code is codes.IN:
        return _of_set(given, choice)
    if code in _REPEATS:
        low, high, inner = given
        return _example(list(inner), choice) * max(low, min(int(high), 1 + choice))
    if code is codes.BRANCH:
        return _example(list(given[1][choice % len(given[1])]), choice)
    return "".join(_example(inner, choice) for inner in _inside(code, given))  # an assertion says nothing


def _of_set(given: Any, choice: int) -> str:
    kinds = {codes.CATEGORY_DIGIT: "0", codes.CATEGORY_SPACE: " ", codes.CATEGORY_WORD: "a"}
    if given[0][0] is codes.NEGATE:
        matcher = re.compile("a|0|-| |\\.|x")
        excluded = {chr(held) for code, held in given[1:] if code is codes.LITERAL}
        ranges = [held for code, held in given[1:] if code is codes.RANGE]
        allowed = [
            mark
            for mark in matcher.pattern.replace("\\", "").split("|")
            if mark not in excluded and not any(low <= ord(mark) <= high for low, high in ranges)
        ]
        return (allowed or ["é"])[choice % len(allowed or ["é"])]
    found = [
        chr(held) if code is codes.LITERAL else chr(held[choice % 2]) if code is codes.RANGE else kinds.get(held, ".")
        for code, held in given
    ]
    return found[choice % len(found)]

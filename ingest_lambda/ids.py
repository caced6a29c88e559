"""Which texts are ids, and which only stand where one should be: a script's word for "none", a template that nobody filled in,
or a number that a spreadsheet has rounded. As an id, each of them would make one of all strangers who have it."""

from __future__ import annotations

import re
import unicodedata

_MARKS = "\"' "
_TEMPLATE = re.compile(r"\{[{%]|\$[{(]|<%|\A%[A-Za-z_.]+%\Z|\A\{[A-Za-z_. ]+\}\Z|\A\[[A-Za-z_. ]+\]\Z")
_OF_A_TEMPLATE = frozenset("{$<%[+")
_ROUNDED = re.compile(r"[0-9](?:[.,][0-9]{1,20})?[Ee]\+[0-9]{1,3}\Z")
_BETWEEN_PARTS = re.compile(r"[\W_]+")
_OF_GOOGLE = re.compile(r"ga1\.[0-9]\.")
#: What an order or a product is not called.
_NONE = frozenset({"null", "undefined", "nan", "none"})
_NONES = tuple(_NONE)
_NO_NAME = _NONE | {
    *(
        "(none)",
        "(not set)",
        "not set",
        "not_set",
        "n/a",
        "#n/a",
        "<na>",
        "<null>",
        "\\n",
        "unknown",
        "nil",
        "true",
        "false",
    ),
    *("#ref!", "#value!", "#name?", "#null!", "#num!", "#div/0!"),
}
#: What is nobody: an id made of these words alone says what somebody is, and not who. An order or a product may be number 0.
_NOBODY = _NONE | {
    *(
        "0",
        "nil",
        "void",
        "not",
        "set",
        "unset",
        "notset",
        "no",
        "unknown",
        "empty",
        "missing",
        "default",
        "deleted",
        "na",
    ),
    *(
        "true",
        "false",
        "object",
        "id",
        "client",
        "user",
        "visitor",
        "customer",
        "distinct",
        "email",
        "amp",
        "nobody",
        "guest",
    ),
    *("anonymous", "anon", "authenticated", "unauthenticated", "logged", "in", "out", "gast", "besucher", "anonym"),
    *("invité", "anonyme", "visiteur", "invitado", "anonimo", "anónimo", "ospite", "anônimo", "convidado"),
}
_NO_NUMBER = frozenset("0-")


def is_unfilled(text: str) -> bool:
    """Whether it is a template, or a number without its last digits."""
    if _OF_A_TEMPLATE.isdisjoint(text):
        return False
    return bool(_TEMPLATE.search(text) or _ROUNDED.match(text))


def _names(char: str) -> bool:
    """A letter, a digit or a picture; not a dash or another sign of punctuation."""
    return char.isalnum() or (not char.isascii() and unicodedata.category(char) == "So")


def is_none(text: str, *, of_a_visitor: bool) -> bool:
    """Whether it means that there is no id."""
    bare = text.strip(_MARKS).lower()
    if bare in _NO_NAME or not any(map(_names, bare)):
        return True
    if not of_a_visitor and not bare.startswith(_NONES):
        return False
    if of_a_visitor and (bare in ("-1", "n.a.") or (len(bare) >= 8 and _NO_NUMBER.issuperset(bare))):
        return True
    if of_a_visitor and _OF_GOOGLE.match(bare):
        bare = bare[6:]
    parts = set(_BETWEEN_PARTS.split(bare)) - {""}
    return bool(parts) and parts <= (_NOBODY if of_a_visitor else _NONE)

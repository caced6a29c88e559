"""E-mail addresses in a text, however the `@` is written."""

from __future__ import annotations

import re

EMAIL = "[email]"

# `@`, and what forms, pages, encoders and people make of it. Each begins with a character of its own, so that a text
# without any is passed over quickly.
_AT = (
    r"(?:@|%(?:25)*+40|&#0{0,4}64;|&#[xX]0{0,4}40;|&commat;|\\u0040|\\x40|\\u[fF]{2}20|%[eE][fF]%[bB][cC]%[aA]0"
    r"|\( ?at ?\)|\[ ?at ?\])"
)
# What is no mark of ASCII may be a letter of a name.
_LETTER, _FIRST, _MARK = r"[^\x00-@\[-`{-\x7f]", r"[^\x00-/:-@\[-`{-\x7f]", r"[^\x00-,./:-@\[-`{-\x7f]"
# A name with dots, one that only a house's own network knows, or an address; but logo@2x.png is a picture.
_DOMAIN = (
    rf"(?![0-9]x\.)(?:(?:{_FIRST}{_MARK}{{0,62}}+\.){{1,20}}(?:xn--[a-z0-9-]{{2,59}}+|{_LETTER}{{2,24}}+)"
    r"|(?:localhost|localdomain|intranet|local|lan|corp|internal)(?![\w.-])"
    r"|[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![\w.-])|\[(?:IPv6:)?[0-9A-Fa-f:.]{3,45}\])"
)
_AT_DOMAIN = re.compile(rf"{_AT}( |%20)?{_DOMAIN}", re.ASCII)
_NOT_BEFORE_AT = frozenset(' \t\n\r\f\v@<>()[]",;:/?&=#\\|')
_NOT_IN_WORD = _NOT_BEFORE_AT - frozenset("/=")
_MAX_QUOTED = 64
_NUMBER = frozenset("0123456789.")


def scrub_emails(text: str, *, has_versions: bool = False) -> str:
    """A text without e-mail addresses; every other character stays. `has_versions`: what has only digits and dots behind its
    `@` is the version of a program, as in `(Ecosia android@140.0.0.0)`.

    They are found from the `@` backwards: searched from the front, a long word without one would be read over and over.
    No search goes back beyond the address before it, or beyond another `@`.
    """
    kept: list[str] = []
    done = 0
    for found in _AT_DOMAIN.finditer(text):
        if has_versions and _NUMBER.issuperset(found[0][1:]):
            continue
        at = end = found.start()
        if found[1] is not None:  # as people write who mean to be read by people: `anna @ mail.example`
            if text.startswith("www.", found.end(1)):
                continue
            end -= len(found[1]) if text.endswith(found[1], done, at) else 0
        start = _local_start(text, end, done)
        if start < end:
            kept += text[done:start], EMAIL
            done = found.end()
    return "".join(kept) + text[done:]


def holds_email(text: str) -> bool:
    """Whether there is an e-mail address in a text."""
    return scrub_emails(text) != text


def _local_start(text: str, at: int, done: int) -> int:
    """Where the part before the `@` begins: after the last mark that an address of a page may have there."""
    if at - 1 > done and text[at - 1] == '"':
        opening = text.rfind('"', max(done, at - _MAX_QUOTED), at - 1)
        return at if opening < 0 else opening - (opening > done and text[opening - 1] == "\\")
    start = at
    while start > done and text[start - 1] not in _NOT_BEFORE_AT:
        start -= 1
    if start in (done, at) or text[start - 1] not in "/=":
        return start
    word = start
    while word > done and text[word - 1] not in _NOT_IN_WORD:
        word -= 1
    slash = text.find("/", word, start)
    # `sales/anna@…` is one word; `/users/anna@…`, `shop.example/anna@…` and `mail=anna@…` have an address in the end.
    return word if slash > word and not {".", "="} & set(text[word:slash]) else start

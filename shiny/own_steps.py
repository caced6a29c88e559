"""The words for a step of a funnel of one's own, a line for each: what a shop owner types, and what the address holds.

The file funnels.yml has the same words (clickstream_dagster/warehouse/funnel_file.py); a test holds the two together.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import overload

from queries import Problem

MOST = 8
#: A page with more stars, or a longer one, is nobody's; and PostgreSQL would look for it in vain for long.
MOST_STARS, LONGEST = 3, 200
_STEP = re.compile(r"(?:(?P<event>[a-z0-9_.:-]+))?(?:(?:^| )on (?P<page>/\S*|\*\S+))?(?:(?:^| )of (?P<category>\S.*))?")
WORDS = (
    "A step is the name of an event (add_to_cart), a page (on /product/*), products of a category (of Shoes), or several of "
    "these: add_to_cart of Shoes."
)


def lines_of(text: str) -> list[str]:
    """A line for each step, one blank between words."""
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


def parsed(text: str) -> list[dict[str, str]]:
    """The steps of a text, as the SQL function takes them. Raises `Problem` with a sentence."""
    lines = lines_of(text)
    if not 2 <= len(lines) <= MOST:
        raise Problem("No funnel yet", f"A funnel has from two steps to {MOST}, a line for each. {WORDS}")
    return [_step(line) for line in lines]


def _step(line: str) -> dict[str, str]:
    line = f"on {line}" if line.startswith("/") else line
    found = _STEP.fullmatch(line)
    said = {name: value for name, value in found.groupdict().items() if value} if found else {}
    shown = repr(line if len(line) <= 60 else line[:60] + "…")
    if not said or len(line) > LONGEST:
        raise Problem("This step cannot be read", f"{shown} is no step. {WORDS}")
    if said.get("page", "").count("*") > MOST_STARS:
        raise Problem("This page cannot be read", f"{shown} has more than {MOST_STARS} stars. One stands for any text.")
    return said


def told(step: dict[str, str]) -> str:
    """A step in the words that it is typed in."""
    parts = (
        step.get("event"),
        *(f"{word} {step[name]}" for word, name in (("on", "page"), ("of", "category")) if name in step),
    )
    return " ".join(part for part in parts if part)


class AnySteps(Sequence[str]):
    """Stands among the choices of the options: any text of a bearable length is taken, and read by the cards."""

    def __contains__(self, text: object) -> bool:
        return isinstance(text, str) and len(text) <= LONGEST * (MOST + 1)

    def __len__(self) -> int:
        return 0

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[str]: ...
    def __getitem__(self, place: int | slice) -> str | Sequence[str]:
        raise IndexError(place)

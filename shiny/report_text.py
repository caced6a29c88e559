"""A report as plain text: for mail programs that show no HTML, for SNS, and for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from boxes import Box
from cards import Card
from formats import FORMATS, is_missing, money
from report_html import best_day, cell, change, facts, label

if TYPE_CHECKING:
    from report import Report, Told

WIDTH = 30


def page(told: Report) -> str:
    """The whole text."""
    before = told.view.before
    head = [told.title, f"{told.view.period}{f', compared with {before}' if before else ''}", ""]
    parts = [_part(one) for one in told.told]
    days = _aligned(
        [(f"{at:%a %-d %b}", money(value)) for at, value in zip(told.days["at"], told.days["revenue"], strict=True)]
    )
    unit = told.told[0].boxes[-1].unit
    blocks = ["\n".join(parts[0]), "\n".join([f"REVENUE BY DAY, {unit}", *days, best_day(told)])]
    blocks += ["\n".join(part) for part in parts[1:] if part]
    blocks += ["\n".join([*facts(told), *([f"In the dashboard: {told.link}"] if told.link else [])])]
    return "\n".join(head) + "\n\n".join(blocks) + "\n"


def _part(told: Told) -> list[str]:
    title = [told.excerpt.title.upper()] if told.excerpt.title else []
    if told.says_nothing:
        return []
    if told.frame is None:
        return title + _aligned([_box(box) for box in told.boxes])
    card = told.excerpt.of
    assert isinstance(card, Card)
    columns = [card.columns[name] for name in told.excerpt.names]
    rows = [
        tuple(cell(value, column) for value, column in zip(row, columns, strict=True))
        for row in told.frame[list(told.excerpt.names)].itertuples(index=False)
    ]
    return title + _aligned([tuple(label(column) for column in columns), *rows])


def _box(box: Box) -> tuple[str, ...]:
    unit = f" {box.unit}" if box.unit and not is_missing(box.value) else ""
    return box.title, FORMATS[box.kind](box.value) + unit, change(box)[0], box.note


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """The first column to the left, cut where it is too long; the others to the right."""
    if not rows:
        return []
    cut = [(row[0] if len(row[0]) <= WIDTH else f"{row[0][: WIDTH - 1]}…", *row[1:]) for row in rows]
    widths = [max(len(row[place]) for row in cut) for place in range(len(cut[0]))]
    return [
        "  ".join(
            [row[0].ljust(widths[0]), *(text.rjust(width) for text, width in zip(row[1:], widths[1:], strict=True))]
        ).rstrip()
        for row in cut
    ]

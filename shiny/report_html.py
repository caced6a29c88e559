"""A report as HTML for mail programs: tables and inline styles, no script, no picture, nothing that is fetched.

What visitors sent stands in it (names of products, campaigns, search terms), so all text is escaped, and none of it becomes a
link: mail programs make one of whatever looks like an address.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd
from htmltools import HTML, Tag, TagList, tags

from boxes import Box
from cards import Card, Column
from definitions import means
from formats import FORMATS, delta, is_missing, money

if TYPE_CHECKING:
    from report import Report, Told

INK, PALE, LINE, GROUND = "#16202c", "#536273", "#e3e6ea", "#f6f7fb"
COLORS = {"good": "#00796b", "bad": "#b3261e", "even": PALE}
BAR = "#3f51b5"
FONT = "font-family:Inter,-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"
#: Height of the highest day, in pixels.
DAYS_HEIGHT = 72
LONGEST_TEXT = 60
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
#: Between the parts of an address: no width, but no address any more.
_APART = re.compile(r"(?<=[.:@/])(?=\S)|(?<=www)(?=\.)")
_HEAD = """<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"><title>{title}</title>
<style>@page{{size:A4;margin:10mm}} tr{{break-inside:avoid}}</style></head>"""


def untrusted(text: Any) -> str:
    """Text of visitors as it may stand in a mail: of one line, not too long, and no link."""
    shown = _CONTROLS.sub("\ufffd", str(text))
    shown = shown if len(shown) <= LONGEST_TEXT else f"{shown[: LONGEST_TEXT - 1]}…"
    return _APART.sub("\u200b", shown)


def cell(value: Any, column: Column) -> str:
    """A cell as a person reads it."""
    if column.kind in FORMATS:
        return FORMATS[column.kind](value)
    return "–" if is_missing(value) else untrusted(value)


def label(column: Column) -> str:
    """The head of a column; the numbers below it have their sign."""
    return column.label.removesuffix(" %")


def page(told: Report) -> str:
    """The whole document."""
    parts = [_part(one) for one in told.told]
    body = _table(
        _row(_head(told)),
        _row(parts[0]),
        _row(_days(told)),
        *(_row(part) for part in parts[1:] if part is not None),
        _row(_foot(told)),
        width="100%",
        style=f"max-width:600px;background:#ffffff;border:1px solid {LINE};border-radius:8px;{FONT};color:{INK};font-size:14px",
        align="center",
    )
    ground = _table(
        tags.tr(tags.td(body, align="center", style="padding:16px 8px")), width="100%", style=f"background:{GROUND}"
    )
    title = str(tags.title(told.title)).removeprefix("<title>").removesuffix("</title>")
    return _HEAD.format(title=title) + str(tags.body(ground, style=f"margin:0;background:{GROUND}")) + "</html>"


def _table(*rows: Any, **attributes: Any) -> Tag:
    return tags.table(*rows, role="presentation", cellpadding="0", cellspacing="0", border="0", **attributes)


def _row(content: Any) -> Tag:
    return tags.tr(tags.td(content, style="padding:14px 20px"))


def _title(text: str) -> Tag:
    return tags.h2(text, style="font-size:16px;font-weight:600;margin:0 0 8px")


def _note(*text: Any) -> Tag:
    return tags.p(*text, style=f"color:{PALE};font-size:12px;line-height:1.5;margin:0 0 4px")


def _head(told: Report) -> TagList:
    before = told.view.before
    compared = f", compared with {before}" if before else ", with nothing before it to compare with"
    link = tags.a("Open these days in the dashboard", href=told.link, style=f"color:{BAR}") if told.link else None
    heading = tags.h1(told.title, style="font-size:22px;font-weight:650;margin:0 0 4px")
    return TagList(heading, _note(f"{told.view.period}{compared}."), link)


def _part(told: Told) -> TagList | None:
    if told.says_nothing:
        return None
    title = _title(told.excerpt.title) if told.excerpt.title else None
    if told.frame is None:
        return TagList(title, _boxes(told.boxes))
    card = told.excerpt.of
    assert isinstance(card, Card)
    return TagList(title, rows_of(told.frame, card, told.excerpt.names))


def _boxes(boxes: Sequence[Box]) -> Tag:
    rows = [boxes[place : place + 3] for place in range(0, len(boxes), 3)]
    return _table(*(tags.tr(*(_box(box) for box in row)) for row in rows), width="100%", style="table-layout:fixed")


def _box(box: Box) -> Tag:
    return tags.td(
        tags.div(f"{box.title}, {box.unit}" if box.unit else box.title, style=f"color:{PALE};font-size:12px"),
        tags.div(
            FORMATS[box.kind](box.value),
            style="font-size:18px;font-weight:650;line-height:1.4;white-space:nowrap",
        ),
        _change(box),
        tags.div(box.note, style=f"color:{PALE};font-size:11px") if box.note else None,
        width="33%",
        valign="top",
        style="padding:6px 8px 6px 0",
    )


def change(box: Box) -> tuple[str, str]:
    """How a box has changed, in words, and its tone: grey where chance may have done it."""
    if is_missing(box.before):
        return "", "even"
    found = delta(box.value, box.before, kind=box.kind, is_less_better=box.is_less_better)
    return (f"{found.text}, may be chance", "even") if box.may_be_chance else (found.text, found.tone)


def _change(box: Box) -> Tag:
    text, tone = change(box)
    return tags.div(text or HTML("&nbsp;"), style=f"color:{COLORS[tone]};font-size:12px")


def rows_of(frame: pd.DataFrame, card: Card, names: Sequence[str]) -> Tag:
    """The first rows of a card as a table; numbers to the right."""
    columns = [card.columns[name] for name in names]
    heads = (
        tags.th(label(column), align=_side(column), style=f"{_style(column)};color:{PALE};font-weight:500")
        for column in columns
    )
    lines = (
        tags.tr(
            *(
                tags.td(cell(value, column), align=_side(column), style=_style(column))
                for value, column in zip(row, columns, strict=True)
            )
        )
        for row in frame[list(names)].itertuples(index=False)
    )
    return tags.table(
        tags.thead(tags.tr(*heads)), tags.tbody(*lines), width="100%", cellpadding="0", cellspacing="0", border="0"
    )


def _side(column: Column) -> str:
    return "left" if column.kind in ("text", "date") else "right"


def _style(column: Column) -> str:
    is_text = _side(column) == "left"
    wrap = "min-width:90px;word-break:break-word" if is_text and column.label != "Currency" else "white-space:nowrap"
    return f"padding:6px 8px 6px 0;border-bottom:1px solid {LINE};font-size:13px;{wrap}"


def _days(told: Report) -> TagList:
    """Revenue of each day as columns, which are cells: no mail program hides those."""
    unit = told.told[0].boxes[-1].unit
    highest = max((float(value) for value in told.days["revenue"]), default=0.0) or 1.0
    days = list(zip(told.days["at"], told.days["revenue"], strict=True))
    columns = (_day(at, float(value), highest, unit) for at, value in days)
    names = (
        tags.td(day_name(at, len(days)), align="center", style=f"color:{PALE};font-size:10px;padding-top:2px")
        for at, _ in days
    )
    picture = _table(tags.tr(*columns), tags.tr(*names), width="100%", style="table-layout:fixed")
    return TagList(_title(f"Revenue by day, {unit}"), picture, _note(best_day(told)))


def _day(at: date, value: float, highest: float, unit: str) -> Tag:
    height = max(1, round(DAYS_HEIGHT * max(0.0, value) / highest))
    bar = _table(tags.tr(tags.td(HTML("&nbsp;"), height=height, bgcolor=BAR, style="font-size:1px;line-height:1px")))
    bar.attrs.update(width="100%", title=f"{at:%a %-d %b}: {money(value, unit)}")
    return tags.td(bar, height=DAYS_HEIGHT, valign="bottom", style="padding:0 1px")


def day_name(at: date, days: int) -> str:
    """Mon 23 in a week, 23 in a month."""
    return f"{at:%a %-d}" if days <= 7 else f"{at:%-d}"


def best_day(told: Report) -> str:
    """Which day brought most, and which least."""
    known = (
        pair for pair in zip(told.days["revenue"], told.days["at"], strict=True) if pair[1] <= told.bounds.complete
    )
    days, unit = sorted(known), told.told[0].boxes[-1].unit
    if not days or not days[-1][0]:
        return "No revenue on any day."
    (least, worst), (most, best) = days[0], days[-1]
    return f"Best day: {best:%A %-d %B}, {money(most, unit)}. Weakest: {worst:%A %-d %B}, {money(least, unit)}."


def facts(told: Report) -> list[str]:
    """What a reader of any number must know."""
    end, whole = told.view.period.end, told.bounds.complete
    complete = (
        "Every hour of these days is loaded."
        if end <= whole
        else f"Loaded to the end of {whole:%-d %B %Y}: later days may still grow."
    )
    return [f"{complete} Days are those of {told.bounds.timezone}. Bots are left out. Visitors are browsers."]


def _foot(told: Report) -> TagList:
    boxes = (box for one in told.told if not one.says_nothing for box in one.boxes)
    meanings = (_note(tags.b(f"{box.title}: "), means(box.metric)) for box in boxes)
    return TagList(*(_note(fact) for fact in facts(told)), *meanings)

"""Value boxes: a number, how it has changed, its line over time, and what it means."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from htmltools import Tag, TagList, tags
from shiny import Inputs, Outputs, Session, module, render, ui

from cards import explained, failed
from formats import FORMATS, delta, exact, is_missing
from queries import Problem, Warehouse
from session_state import Answer, State
from view import View


@dataclass(frozen=True)
class Box:
    """One number. `kind` is one of formats.FORMATS; `line` is its recent past, oldest first."""

    id: str
    title: str
    about: str
    value: Any
    before: Any = None
    kind: str = "count"
    unit: str = ""
    line: Sequence[Any] = ()
    is_less_better: bool = False
    note: str = ""


@dataclass(frozen=True)
class Boxes:
    """A row of boxes that one question answers. `rows` gives the head of the row and its boxes; a head that is an element
    stands alone."""

    id: str
    rows: Callable[[Warehouse, View], Awaitable[tuple[str | Tag | TagList, Sequence[Box]]]]
    width: int = 12


@module.ui
def boxes_ui(boxes: Boxes) -> Tag:
    """Their place, before they are known."""
    return ui.output_ui("row", class_="box-row")


@module.server
def boxes_server(input: Inputs, output: Outputs, session: Session, boxes: Boxes, page: str, state: State) -> None:
    """Keep the boxes in step with the view, while their page is shown."""

    answer = Answer(boxes.rows, page, state, input, session)

    @render.ui
    def row() -> Tag | TagList:
        found = answer()
        if isinstance(found, Problem):
            return failed(found, session.ns("again"))
        return boxes_row(*found, session.ns)


def boxes_row(head: str | Tag | TagList, boxes: Sequence[Box], ns: Callable[[str], str]) -> TagList:
    """The boxes with their numbers. `ns` makes an id of the page of a box's own."""
    if isinstance(head, Tag):
        return TagList(head)
    shown = (_box(box, ns(box.id)) for box in boxes)
    return TagList(
        ui.h2(head, class_="row-head"),
        ui.layout_column_wrap(*shown, width="150px", fill=False, heights_equal="row"),
    )


def _box(box: Box, id: str) -> Tag:
    unit = tags.small(f" {box.unit}", class_="unit") if box.unit and not is_missing(box.value) else None
    value = tags.span(FORMATS[box.kind](box.value), unit, title=exact(box.value))
    change = delta(box.value, box.before, kind=box.kind, is_less_better=box.is_less_better)
    below = [
        tags.p(change.text, class_=f"delta {change.tone}") if not is_missing(box.before) else None,
        tags.p(box.note, class_="box-note") if box.note else None,
        sparkline(box.line) if len(box.line) > 1 else None,
    ]
    title = tags.span(box.title, explained(box.title, box.about), class_="box-title")
    return ui.value_box(title, value, *below, id=id, fill=False)


def sparkline(values: Sequence[Any], width: int = 120, height: int = 28) -> Tag:
    """A line without axes, for the shape only; the numbers stand in the trend's table."""
    known = [float(v) for v in values if not is_missing(v)]
    top = max(known, default=0.0) or 1.0
    step = width / max(1, len(values) - 1)
    points = [
        (place * step, height - 3 - (height - 6) * max(0.0, float(value)) / top)
        for place, value in enumerate(values)
        if not is_missing(value)
    ]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    ground = f"{points[0][0]:.1f},{height} {line} {points[-1][0]:.1f},{height}" if points else ""
    return tags.svg(
        Tag("polygon", points=ground, fill="currentColor", fill_opacity="0.1"),
        Tag("polyline", points=line, fill="none", stroke="currentColor", stroke_width="1.5"),
        viewBox=f"0 0 {width} {height}",
        preserveAspectRatio="none",
        class_="sparkline",
        aria_hidden="true",
    )

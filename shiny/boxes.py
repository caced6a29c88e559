"""Value boxes: a number, how it has changed, its line over time, and what it means."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any

from htmltools import Tag, TagList, tags
from shiny import Inputs, Outputs, Session, module, render, ui

from cards import explained, failed
from definitions import means
from formats import FEW, FORMATS, count, delta, exact, is_missing
from noise import CHANCE, Interval, averages_differ, between, counts_differ, rates_differ, sums_differ, wilson
from queries import Problem, Warehouse
from session_state import Answer, State
from view import View


@dataclass(frozen=True)
class Box:
    """One number of a metric of definitions.json. `kind` is one of formats.FORMATS; `line` is its recent past, oldest first. `of`
    is what stands behind it, which says what chance does to it: of a rate the whole, of money the number of orders."""

    id: str
    title: str
    metric: str
    value: Any
    before: Any = None
    kind: str = "count"
    unit: str = ""
    line: Sequence[Any] = ()
    is_less_better: bool = False
    note: str = ""
    of: Any = None
    of_before: Any = None
    #: Of money: whether it is that of one order, and not of all.
    is_average: bool = False
    #: What a click on it chooses: the id of a select, and one of its values.
    chooses: tuple[str, str] | None = None

    @property
    def interval(self) -> Interval | None:
        """Of a rate whose whole is known."""
        if self.kind != "percent" or is_missing(self.value) or is_missing(self.of):
            return None
        return wilson(round(float(self.value) * float(self.of)), self.of)

    @property
    def is_judged(self) -> bool:
        """Whether it has changed, and something says how much of that chance may be."""
        if is_missing(self.value) or is_missing(self.before) or self.value == self.before:
            return False
        if self.kind == "count":
            return all(isinstance(value, Integral) for value in (self.value, self.before))
        return self.kind in ("money", "percent") and not is_missing(self.of) and not is_missing(self.of_before)

    @property
    def may_be_chance(self) -> bool:
        """Whether its change is no more than chance gives; not where nothing says how much that is."""
        if not self.is_judged:
            return False
        if self.kind == "count":
            return not counts_differ(self.value, self.before)
        if self.kind == "money":
            differ = averages_differ if self.is_average else sums_differ
            return not differ(self.value, self.of, self.before, self.of_before)
        parts = (round(float(rate) * float(of)) for rate, of in ((self.value, self.of), (self.before, self.of_before)))
        part, part_before = parts
        return not rates_differ(part, self.of, part_before, self.of_before)


@dataclass(frozen=True)
class Boxes:
    """A row of boxes that one question answers. `rows` gives the head of the row and its boxes; a head that is an element of its
    own needs none below it. `look` is row, large or line: a line is one of text."""

    id: str
    rows: Callable[[Warehouse, View], Awaitable[tuple[str | TagList | Tag, Sequence[Box]]]]
    width: int = 12
    look: str = "row"


@module.ui
def boxes_ui(boxes: Boxes) -> Tag:
    """Their place, before they are known."""
    return ui.output_ui("row", class_=f"box-row box-{boxes.look}")


@module.server
def boxes_server(input: Inputs, output: Outputs, session: Session, boxes: Boxes, page: str, state: State) -> None:
    """Keep the boxes in step with the view, while their page is shown."""

    answer = Answer(boxes.rows, page, state, input, session)

    @render.ui
    def row() -> Tag | TagList:
        found = answer()
        if isinstance(found, Problem):
            return failed(found, session.ns("again"))
        return boxes_row(*found, session.ns, boxes.look)


def boxes_row(head: str | TagList | Tag, boxes: Sequence[Box], ns: Callable[[str], str], look: str) -> TagList:
    """The boxes with their numbers. `ns` makes an id of the page of a box's own."""
    if isinstance(head, Tag):
        return TagList(head)
    if look == "line":
        return TagList(ui.h2(head, class_="row-head"), *(_in_line(box, ns(box.id)) for box in boxes))
    shown = (_box(box, ns(box.id)) for box in boxes)
    return TagList(
        ui.h2(head, class_="row-head"),
        ui.layout_column_wrap(*shown, width="150px", fill=False, heights_equal="row"),
    )


def _in_line(box: Box, id: str) -> Tag:
    change = _change(box) if not is_missing(box.before) else None
    name = tags.span(box.title.lower(), class_="box-title", title=means(box.metric))
    return tags.div(tags.div(_value(box), class_="value-box-value"), name, change, id=id, class_="box-in-line")


def _value(box: Box) -> Tag:
    unit = tags.small(f" {box.unit}", class_="unit") if box.unit and not is_missing(box.value) else None
    is_few = box.kind == "percent" and not is_missing(box.of) and box.of < FEW
    interval = box.interval
    told = between(interval, box.of) if interval else None
    hover = f"{exact(box.value)}; {told}" if is_few and told else exact(box.value)
    return tags.span(FORMATS[box.kind](box.value), unit, title=hover, class_="few" if is_few else None)


def _box(box: Box, id: str) -> Tag:
    interval = box.interval
    told = between(interval, box.of) if interval else None
    is_rate = box.kind == "percent" and not is_missing(box.value) and not is_missing(box.of)
    note = box.note or (f"of {count(box.of)}" if is_rate else "")
    below = [
        _change(box) if not is_missing(box.before) else None,
        tags.p(note, class_="box-note", title=told) if note else None,
        sparkline(box.line) if len(box.line) > 1 else None,
    ]
    name: Tag | str = box.title
    if box.chooses:
        select, value_of_it = box.chooses
        name = tags.button(box.title, type="button", data_chooses=select, data_value=value_of_it, class_="box-choice")
    title = tags.span(name, explained(box.title, means(box.metric)), class_="box-title")
    return ui.value_box(title, _value(box), *below, id=id, fill=False)


def _change(box: Box) -> Tag:
    """How it has changed; with a colour where that is more than chance."""
    change = delta(box.value, box.before, kind=box.kind, is_less_better=box.is_less_better)
    if not box.may_be_chance:
        return tags.p(change.text, class_=f"delta {change.tone if box.is_judged else 'even'}")
    return tags.p(change.text, tags.span(", may be chance", class_="chance"), class_="delta even", title=CHANCE)


def sparkline(values: Sequence[Any], width: int = 120, height: int = 28) -> Tag:
    """A line without axes, for the shape only; the numbers stand in the trend's table. It fills its height, but a tenth of the
    highest value is the least that does: a line that hardly moves looks like one."""
    known = [float(v) for v in values if not is_missing(v)]
    low, high = min(known, default=0.0), max(known, default=0.0)
    span = max(high - low, abs(high) / 10) or 1.0
    bottom = (low + high - span) / 2
    step = width / max(1, len(values) - 1)
    points = [
        (place * step, height - 3 - (height - 6) * (float(value) - bottom) / span)
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

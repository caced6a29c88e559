"""A card: one question, answered as a chart and as a table of the same rows, with its definition and a CSV.

Every card asks for its own rows, so that one that fails or is slow leaves the others alone.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
import plotly.graph_objects as go
from htmltools import Tag
from shiny import Inputs, Outputs, Session, module, reactive, render, req, ui
from shiny.render import StyleInfo

from chart import output_chart, render_chart
from dimensions import DIMENSIONS
from formats import DASH, FEW, is_missing
from names import in_words, spelled
from noise import wilson
from queries import Problem, Warehouse, defect
from session_state import Answer, State
from view import View

_log = logging.getLogger(__name__)

Rows = Callable[[Warehouse, View], Awaitable[pd.DataFrame]]
Draw = Callable[[pd.DataFrame, View], go.Figure]


@dataclass(frozen=True)
class Option:
    """A choice in a card's head; the first one is the default. Cards that name the same id share it."""

    id: str
    label: str
    choices: Mapping[str, str]

    def chosen(self, view: View) -> str:
        """What the view says, if it is one of the choices; else the default. What a browser sends is never taken as it is."""
        default = next(iter(self.choices))
        return value if (value := view.option(self.id, default)) in self.choices else default


@dataclass(frozen=True)
class Column:
    """A column of a card's table. `kind` is text, count, money, percent (a share from 0 to 1), duration (seconds), date
    or code (a name in lower case, with underscores).
    `sets` names the dimension whose values these are, or the option that chooses it, and `key` the column of the frame that has
    them, where this one has words for them: a click on a row, or on its place in the chart, goes to its value. `of` is the
    column of the frame that a rate is of: where it is below `FEW`, the rate is pale, and has its interval on the hover."""

    label: str
    kind: str = "text"
    sets: str | Option | None = None
    key: str = ""
    of: str | None = None

    def dimension(self, view: View) -> str | None:
        """What a click goes to; None when to nothing."""
        name = self.sets.chosen(view) if isinstance(self.sets, Option) else self.sets
        return name if name in DIMENSIONS else None


@dataclass(frozen=True)
class Card:
    """One question. `rows` gives a frame with at least `columns`; `draw` makes a picture of it."""

    id: str
    title: str
    about: str
    rows: Rows
    columns: Mapping[str, Column]
    draw: Draw | None = None
    options: tuple[Option, ...] = ()
    width: int = 12
    height: str = "360px"
    #: What stands in its place without rows; where that is nothing, the card is not there.
    empty: str = "Nothing in this period and with these filters."
    #: Which side is up at first: chart or table.
    face: str = "chart"
    #: Whether the segments and the switch for bots apply to it; the period always does.
    is_filtered: bool = True


@module.ui
def card_ui(card: Card, page: str) -> Tag:
    """The card without its rows."""
    head = ui.div(
        ui.h2(card.title, class_="card-heading"),
        explained(card.title, card.about),
        ui.toolbar(
            *(
                ui.toolbar_input_select(o.id.replace("-", "_"), o.label, dict(o.choices), show_label=True)
                for o in card.options
            ),
            _csv_link(card, page),
        ),
        class_="card-head",
    )
    table = ui.nav_panel("Table", ui.output_data_frame("table"), value="table")
    notice = ui.output_ui("notice", class_="card-notice")
    if card.draw is None:
        plain = ui.card(ui.card_header(head), notice, ui.output_data_frame("table"), full_screen=True)
        return ui.div(plain, class_="question", style=f"--card-height:{card.height}")
    picture = ui.div(
        output_chart("chart", card.height, is_clickable=any(column.sets for column in card.columns.values())),
        role="img",
        aria_label=f"Chart: {card.title}. The tab Table has its numbers.",
    )
    chart = ui.nav_panel("Chart", picture, value="chart")
    face = ui.navset_card_underline(
        chart, table, id="face", selected=card.face, title=head, header=notice, full_screen=True
    )
    return ui.div(face, class_="question", style=f"--card-height:{card.height}")


def _csv_link(card: Card, page: str) -> Tag:
    """A plain link, to which `www/dashboard.js` adds the view that the address names."""
    return ui.tags.a(
        "CSV",
        id=module.resolve_id("csv"),
        href="#",
        class_="btn btn-sm btn-link",
        data_csv=f"csv/{page}/{card.id}",
        download=f"{card.id}.csv",
        aria_label=f"Download {card.title} as CSV",
    )


def explained(title: str, about: str) -> Tag:
    """The sign that says what a number means."""
    sign = ui.tags.button("?", class_="explain", type="button", aria_label=f"What {title} means")
    return ui.popover(sign, about, title=title, placement="bottom")


@module.server
def card_server(input: Inputs, output: Outputs, session: Session, card: Card, page: str, state: State) -> None:
    """Keep a card's faces in step with the view, while its page is shown."""

    answer = Answer(card.rows, page, state, input, session)

    @reactive.calc
    def frame() -> pd.DataFrame:
        found = answer()
        req(not isinstance(found, Problem))
        assert isinstance(found, pd.DataFrame)
        return found

    @reactive.calc
    def picture() -> go.Figure | Problem | None:
        rows = frame()
        try:
            return None if card.draw is None or rows.empty else card.draw(rows, answer.view())
        except Exception:  # a picture that fails is this card's trouble, not the whole tab's
            _log.exception("the chart %s failed", card.id)
            return defect()

    @render.ui
    def notice() -> Tag | None:
        found = answer()
        if isinstance(found, Problem):
            return failed(found, session.ns("again"))
        if isinstance(drawn := picture(), Problem):
            return failed(drawn, session.ns("again"))
        if not found.empty:
            return None
        return ui.p(card.empty, class_="card-empty", role="status") if card.empty else ui.p(class_="card-gone")

    if card.draw is not None:

        @render_chart
        def chart() -> go.Figure | None:
            drawn = picture()
            return None if isinstance(drawn, Problem) else drawn

    @render.data_frame
    def table() -> render.DataGrid[pd.DataFrame]:
        rows = frame()
        return grid(rows, card.columns, answer.view())

    @reactive.effect
    def _click() -> None:
        rows = table.cell_selection()["rows"]
        req(rows)
        with reactive.isolate():
            go_to(frame().iloc[rows[0]])

    @reactive.effect
    @reactive.event(input.chart_place)
    def _place() -> None:
        """The browser tells the label that the clicked bar or point has on its axis."""
        label, shown = str(input.chart_place()), frame()
        for name in (name for name, column in card.columns.items() if column.dimension(answer.view())):
            found = shown[[str(value) == label for value in shown[name]]]
            if len(found):
                return go_to(found.iloc[0])
        return None

    def go_to(row: pd.Series[Any]) -> None:
        view = answer.view()
        for name, column in card.columns.items():
            value = row[column.key or name]
            if (dimension := column.dimension(view)) and not is_missing(value):
                return state.go(dimension, str(value))
        return None

    for option in card.options:
        _follow_option(input, session, option, state)


def _follow_option(input: Inputs, session: Session, option: Option, state: State) -> None:
    name = option.id.replace("-", "_")
    full = session.ns(name)

    @reactive.effect
    @reactive.event(input[name], ignore_init=True)
    def _choose() -> None:
        with reactive.isolate():
            is_new = input[name]() in option.choices and option.chosen(state.view()) != input[name]()
            if is_new and state.shown.hears(full):
                state.choose(option.id, input[name]())

    @reactive.effect
    def _show() -> None:
        chosen = option.chosen(state.view())
        with reactive.isolate():
            if state.shown.tells(full, chosen, input[name]()):
                ui.update_toolbar_input_select(name, selected=chosen)


def failed(problem: Problem, again: str) -> Tag:
    """A card's own error, with a way to try again."""
    retry = ui.tags.button("Try again", type="button", class_="btn btn-sm btn-outline-secondary", data_again=again)
    return ui.div(ui.strong(problem.title), ui.p(problem.advice), retry, class_="card-problem", role="alert")


def grid(frame: pd.DataFrame, columns: Mapping[str, Column], view: View) -> render.DataGrid[pd.DataFrame]:
    """The table that a reader sees: labels for names, numbers as numbers, a dash for what is not there."""
    shown = pd.DataFrame({column.label: cells(frame[name], column, view) for name, column in columns.items()})
    numbers = [place for place, column in enumerate(columns.values()) if column.kind not in ("text", "date", "code")]
    links = [place for place, column in enumerate(columns.values()) if column.dimension(view)]
    aligned: list[StyleInfo] = [{"cols": numbers, "class": "number"}] if numbers else []
    aligned += [{"cols": links, "class": "link"}] if links else []
    return render.DataGrid(
        shown,
        width="100%",
        height="100%",
        selection_mode="row" if links else "none",
        styles=[*aligned, *pale(frame, columns)],
        summary="{start} to {end} of {total}",
    )


def pale(frame: pd.DataFrame, columns: Mapping[str, Column]) -> list[StyleInfo]:
    """The styles of rates of few. The grid gives a cell classes and no words of its own, so the interval is one of them: in
    hundredths of a percent, and of how many. `www/dashboard.js` reads it."""
    found: dict[tuple[int, str], list[int]] = {}
    for place, (name, column) in enumerate(columns.items()):
        if column.of is None or column.of not in frame:
            continue
        for row, (rate, whole) in enumerate(zip(frame[name], frame[column.of], strict=True)):
            if is_missing(rate) or is_missing(whole) or whole >= FEW:
                continue
            known = wilson(round(float(rate) * float(whole)), whole)
            told = f" between-{round(1e4 * known.low)}-{round(1e4 * known.high)}-{int(whole)}" if known else ""
            found.setdefault((place, f"number few{told}"), []).append(row)
    return [{"rows": rows, "cols": [place], "class": classes} for (place, classes), rows in found.items()]


def cells(values: pd.Series[Any], column: Column, view: View) -> pd.Series[Any]:
    """A column as the grid takes it, codes in words."""
    dimension = column.dimension(view)
    if column.kind == "text":
        values = values.map(lambda value: in_words(dimension, value))
    return displayed(values, column.kind)


def displayed(values: pd.Series[Any], kind: str) -> pd.Series[Any]:
    """Cells as the grid takes them. Numbers stay numbers, so that a click on the head sorts them."""
    if kind == "text":
        return values.map(_text)
    if kind == "date":
        return values.map(str)
    if kind == "code":
        return values.map(spelled)
    if kind in ("count", "duration"):
        return values.map(lambda value: None if is_missing(value) else round(float(value))).astype("object")
    if kind in (
        "percent",
        "money",
    ):  # the grid sorts such text by its numbers; figures alone would lose their last zero
        scale = 100 if kind == "percent" else 1
        return values.map(lambda value: DASH if is_missing(value) else f"{value * scale:.2f}")
    raise ValueError(f"unknown kind of column: {kind}")


def _text(value: Any) -> str:
    if isinstance(value, list | tuple):
        return " › ".join(map(str, value))
    return DASH if is_missing(value) else str(value)

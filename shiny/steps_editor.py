"""The editor of a funnel's steps: a line for each, names to choose from, the saved funnels, and the lines that save this one.

The dashboard reads only: a funnel is kept as its address, or as the lines of funnels.yml that stand here to be copied.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import yaml
from htmltools import Tag, TagList, tags
from shiny import Inputs, Outputs, Session, module, reactive, render, ui

import own_steps
from cards import explained, failed
from pages.own_funnel_rows import STEPS, UNIT, WITHIN, known
from queries import Problem, Warehouse
from session_state import Answer, State
from view import View

SECONDS = {3_600: "1 hour", 86_400: "1 day", 604_800: "7 days", 2_592_000: "30 days"}


@dataclass(frozen=True)
class Editor:
    """The part of a page in which its steps are written."""

    id: str
    rows: Callable[[Warehouse, View], Awaitable[dict[str, Any]]] = known
    width: int = 12


@module.ui
def editor_ui() -> Tag:
    """Its place, before the steps are known."""
    return ui.div(
        ui.card(
            ui.card_header(
                ui.div(
                    ui.h2("Steps in order", class_="card-heading"),
                    explained("Steps in order", own_steps.WORDS),
                    class_="card-head",
                )
            ),
            ui.input_text_area("lines", None, rows=4, width="100%", placeholder="view_product\nadd_to_cart\npurchase"),
            ui.div(ui.input_action_button("show", "Show", class_="btn-sm btn-primary"), class_="editor-row"),
            ui.output_ui("choices"),
        ),
        class_="question editor",
    )


@module.server
def editor_server(input: Inputs, output: Outputs, session: Session, page: str, state: State) -> None:
    """What is written becomes the view when its button is pressed; the view is written back when it changes."""
    answer = Answer(known, page, state, input, session)

    @reactive.effect
    def _write() -> None:
        found = answer()
        if isinstance(found, dict):
            ui.update_text_area("lines", value=found["text"])

    @reactive.effect
    @reactive.event(input.show)
    def _show() -> None:
        text = str(input.lines())[: own_steps.LONGEST * (own_steps.MOST + 1)]
        state.choose(STEPS, "\n".join(own_steps.lines_of(text)))

    @reactive.effect
    @reactive.event(input.saved, ignore_init=True)
    def _choose() -> None:
        found = answer()
        if isinstance(found, dict) and str(input.saved()).isdigit() and int(input.saved()) < len(found["saved"]):
            _take(state, found["saved"].iloc[int(input.saved())])

    @render.ui
    def choices() -> Tag | TagList:
        found = answer()
        return (
            failed(found, session.ns("again")) if isinstance(found, Problem) else _choices(found, session.ns("saved"))
        )


def _take(state: State, row: Any) -> None:
    """Show a saved funnel."""
    with reactive.isolate():
        view = state.view()
    view = view.with_option(STEPS, "\n".join(map(own_steps.told, row["steps"])))
    view = view.with_option(UNIT.id, row["unit"])
    state.view.set(view.with_option(WITHIN.id, SECONDS.get(int(row["seconds"]), "session")))


def _choices(found: dict[str, Any], saved: str) -> TagList:
    names = [tags.button(tags.bdi(name), type="button", class_="chip", data_step=name) for name in found["names"]]
    listed = {"": "Choose a saved funnel", **{str(place): label for place, label in enumerate(found["saved"]["label"])}}
    return TagList(
        ui.div(*names, class_="chips", role="group", aria_label="Steps to add"),
        ui.input_select(saved, None, listed, width="100%") if len(listed) > 1 else None,
        tags.details(
            tags.summary("Save this funnel"),
            ui.p(
                "The address of this page is the funnel: keep it as a bookmark. Or keep these lines as a funnels.yml, which "
                "CLICKSTREAM_FUNNELS names; leave out the first one where you have such a file."
            ),
            tags.pre(_lines(found), id=f"{saved}-lines"),
            tags.button("Copy", type="button", class_="btn btn-sm btn-outline-secondary", data_copy=f"{saved}-lines"),
        ),
    )


def _lines(found: dict[str, Any]) -> str:
    """The funnel as a funnels.yml."""
    entry = {
        "name": "my-funnel",
        "label": "My funnel",
        "count": f"{found['unit']}s" if found["unit"] != "person" else "people",
    }
    if found["within"] != "session":
        entry["within"] = found["within"]
    funnels = [{**entry, "steps": own_steps.lines_of(found["text"])}]
    return str(yaml.safe_dump({"funnels": funnels}, sort_keys=False, allow_unicode=True, width=1_000))

"""The dashboard: one page after the other, below one filter bar. `asgi.py` serves it."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

from htmltools import HTMLDependency, Tag, tags
from shiny import App, Inputs, Outputs, Session, reactive, ui
from shiny.ui._navs import NavPanel
from starlette.requests import Request

import banner
from boxes import Boxes, boxes_server, boxes_ui
from cards import Card, card_server, card_ui
from chart_widget import BUNDLE
from filter_bar import filter_bar_server, filter_bar_ui
from pages import acquisition, funnel, journeys, overview, products, reliability, retention, search
from queries import VERSION_SECONDS, Problem, Warehouse, dsn
from session_state import State

HERE = Path(__file__).parent
#: In the order of the navigation bar.
PAGES: dict[str, ModuleType] = {
    "overview": overview,
    "funnel": funnel,
    "journeys": journeys,
    "products": products,
    "acquisition": acquisition,
    "retention": retention,
    "search": search,
    "reliability": reliability,
}
#: Every choice that a card offers, by the name that it has in the URL.
OPTIONS = {
    option.id: tuple(option.choices)
    for page in PAGES.values()
    for part in page.PARTS
    if isinstance(part, Card)
    for option in part.options
}
#: `make package` has compiled it for machines that have no compiler for it; else it is compiled once, at the start.
THEME = compiled if (compiled := HERE / "theme.css").exists() else ui.Theme.from_brand(__file__)
warehouse = Warehouse(dsn())


def part_ui(id: str, part: Boxes | Card) -> Tag:
    """A part before its rows are known."""
    return boxes_ui(id, part) if isinstance(part, Boxes) else card_ui(id, part)


def page_ui(name: str, page: ModuleType) -> NavPanel:
    """One page: its parts, side by side where there is room."""
    parts = [
        ui.div(part_ui(f"{name}_{part.id}", part), class_=f"part part-{part.width}", id=f"{name}_{part.id}-part")
        for part in page.PARTS
    ]
    about = ui.p(page.ABOUT, class_="page-about")
    return ui.nav_panel(
        page.TITLE, ui.h1(page.TITLE, class_="visually-hidden"), about, ui.div(*parts, class_="parts"), value=name
    )


def app_ui(request: Request) -> Tag:
    """The whole document, before any number is known."""
    own = HTMLDependency(
        "dashboard",
        "1",
        source={"subdir": str(HERE / "www")},
        stylesheet={"href": "styles.css"},
        script={"src": "dashboard.js"},
    )
    return ui.page_navbar(
        *(page_ui(name, page) for name, page in PAGES.items()),
        title="Clickstream",
        id="page",
        selected=asked if (asked := request.query_params.get("page")) in PAGES else None,
        header=ui.TagList(
            own,
            ui.head_content(tags.link(rel="modulepreload", href=BUNDLE), tags.link(rel="icon", href="data:,")),
            ui.busy_indicators.use(spinners=False, pulse=True),
            banner.banner_ui(),
            filter_bar_ui(),
        ),
        lang="en",
        theme=THEME,
        window_title="Clickstream",
    )


def server(input: Inputs, output: Outputs, session: Session) -> None:
    """One browser tab."""
    state = State(warehouse)

    @reactive.effect
    async def _watch() -> None:
        reactive.invalidate_later(VERSION_SECONDS)
        version = await warehouse.version()
        with reactive.isolate():
            if state.version.is_set() and state.version() == version:
                return
        state.version.set(version)
        try:
            bounds = await banner.bounds(warehouse)
        except Problem as problem:
            state.trouble.set(problem)
            return
        state.trouble.set(None if bounds else Problem("Nothing to show yet", "Above stands what brings in events."))
        with reactive.isolate():
            if bounds and not (state.bounds.is_set() and state.bounds() == bounds):
                state.bounds.set(bounds)

    banner.banner_server(state)
    filter_bar_server(input, session, state, list(PAGES), OPTIONS)
    for name, page in PAGES.items():
        for part in page.PARTS:
            if isinstance(part, Boxes):
                boxes_server(f"{name}_{part.id}", part, name, state)
            else:
                card_server(f"{name}_{part.id}", part, name, state)


app = App(app_ui, server, debug=False)
app.sanitize_errors = True
app.sanitize_error_msg = "This part failed by a defect of ours; the log of the dashboard has the reason."

"""The dashboard: one page after the other, below one filter bar. `asgi.py` serves it."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

from htmltools import HTMLDependency, Tag, TagList, tags
from shiny import App, Inputs, Outputs, Session, reactive, render, ui
from shiny.ui._navs import NavPanel

import upstream
from banner import banner_ui, forgotten
from boxes import Boxes, boxes_server, boxes_ui
from cards import Card, card_server, card_ui
from chart import LIBRARY
from files import FILES, VERSION, WWW
from filter_bar import filter_bar_server, filter_bar_ui
from hangups import close_when_gone, has_gone
from own_steps import AnySteps
from pages import (
    acquisition,
    attribution,
    carts,
    customers,
    experiments,
    funnel,
    journeys,
    now,
    overview,
    own_funnel,
    product,
    products,
    reliability,
    retention,
    search,
    visits,
)
from pages.own_funnel_rows import STEPS
from queries import Warehouse, dsn
from session_state import State
from steps_editor import Editor, editor_server, editor_ui
from watch import Watch

upstream.mend()
HERE = Path(__file__).parent
#: In the order of the navigation bar.
PAGES: dict[str, ModuleType] = {
    "overview": overview,
    "now": now,
    "funnel": funnel,
    "own_funnel": own_funnel,
    "journeys": journeys,
    "products": products,
    "carts": carts,
    "acquisition": acquisition,
    "attribution": attribution,
    "customers": customers,
    "experiments": experiments,
    "retention": retention,
    "search": search,
    "product": product,
    "visits": visits,
    "reliability": reliability,
}
#: Every choice that a card offers, by the name that it has in the URL.
OPTIONS = {
    option.id: tuple(option.choices)
    for page in PAGES.values()
    for part in page.PARTS
    if isinstance(part, Card)
    for option in part.options
} | {STEPS: AnySteps()}
#: `make package` has compiled it for machines that have no compiler for it; else it is compiled once, at the start.
THEME = compiled if (compiled := HERE / "theme.css").exists() else ui.Theme.from_brand(__file__)
warehouse = Warehouse(dsn())
watch = Watch(warehouse)


def part_ui(page: str, part: Boxes | Card | Editor) -> Tag:
    """A part before its rows are known."""
    id = f"{page}_{part.id}"
    if isinstance(part, Editor):
        return editor_ui(id)
    return boxes_ui(id, part) if isinstance(part, Boxes) else card_ui(id, part, page)


def page_ui(name: str, page: ModuleType) -> NavPanel:
    """One page: its parts, side by side where there is room."""
    parts = [
        ui.div(part_ui(name, part), class_=f"part part-{part.width}", id=f"{name}_{part.id}-part")
        for part in page.PARTS
    ]
    about = ui.p(page.ABOUT, class_="page-about")
    return ui.nav_panel(
        page.TITLE, ui.h1(page.TITLE, class_="visually-hidden"), about, ui.div(*parts, class_="parts"), value=name
    )


def own_files() -> HTMLDependency:
    """What is in www/."""
    return HTMLDependency(
        "dashboard",
        VERSION,
        source={"subdir": str(WWW)},
        stylesheet={"href": "styles.css"},
        script=[{"src": "dashboard.js"}, {"src": "chart.js"}],
    )


def app_ui() -> Tag:
    """The whole document, before any number is known: the same for everybody, and so made once."""
    lost = tags.div("Connection lost. Reconnecting…", id="connection-lost", role="alert", hidden="")
    # What is sent later may need nothing that the document does not bring: another process may answer for it.
    later = TagList(ui.value_box("", ""), ui.layout_column_wrap(""), ui.popover("", "")).get_dependencies()
    return ui.page_navbar(
        *(page_ui(name, page) for name, page in PAGES.items()),
        title=tags.span(tags.img(src=f"{FILES}/logo.svg", alt="", width=26, height=26), "Clickstream", class_="name"),
        id="page",
        header=ui.TagList(
            own_files(),
            *later,
            ui.head_content(
                tags.link(rel="preload", href=LIBRARY, fetchpriority="low", **{"as": "script"}),
                tags.link(rel="icon", type="image/svg+xml", href=f"{FILES}/logo.svg"),
                tags.link(
                    rel="preload", href=f"{FILES}/inter.woff2", type="font/woff2", crossorigin="", **{"as": "font"}
                ),
            ),
            ui.busy_indicators.use(spinners=False, pulse=True),
            lost,
            banner_ui(),
            filter_bar_ui(),
        ),
        lang="en",
        theme=THEME,
        window_title="Clickstream",
    )


def server(input: Inputs, output: Outputs, session: Session) -> None:
    """One browser tab."""
    if has_gone(session):
        return
    close_when_gone(session)
    state = State(warehouse, session)
    watch.tell(state)

    @render.ui
    def banner() -> TagList:
        is_known = state.view.is_set() and state.bounds.is_set()
        return TagList(state.news(), forgotten(state.view(), state.bounds()) if is_known else None)

    filter_bar_server(input, session, state, list(PAGES), OPTIONS)
    served: set[str] = set()

    @reactive.effect
    def _serve_page() -> None:
        name = state.view().page
        if name not in served:
            served.add(name)
            page_server(name, state)


def page_server(name: str, state: State) -> None:
    """Everything of a page, from its first visit on."""
    for part in PAGES[name].PARTS:
        if isinstance(part, Boxes):
            boxes_server(f"{name}_{part.id}", part, name, state)
        elif isinstance(part, Editor):
            editor_server(f"{name}_{part.id}", name, state)
        else:
            card_server(f"{name}_{part.id}", part, name, state)


app = App(app_ui(), server, debug=False)
app.sanitize_errors = True
app.sanitize_error_msg = "This part failed by a defect of ours; the log of the dashboard has the reason."

"""The one filter bar: its inputs, the chips of what is chosen, and the URL that holds it all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from htmltools import Tag, TagList, tags
from shiny import Inputs, Session, reactive, render, req, ui

from dimensions import ABOUT_ONE, DIMENSIONS, SEGMENTS
from dimensions import told as about_told
from names import in_words
from periods import COMPARISONS, DEFAULT_COMPARISON, DEFAULT_PRESET, PRESETS
from session_state import State
from view import Bounds, View, custom_period, from_query, to_query

EVERYBODY = {"": "Everybody"}
#: A longer name would push the cross off a telephone.
LONGEST_CHIP = 32
LABELS = {name: DIMENSIONS[name].label for name in SEGMENTS}


def filter_bar_ui() -> Tag:
    """The bar above every page."""
    segments = [
        ui.input_selectize(name, label, [], multiple=True, remove_button=True, options={"placeholder": "All"})
        for name, label in LABELS.items()
    ]
    panel = ui.offcanvas(
        *segments,
        ui.input_select("segment", "People", EVERYBODY),
        ui.input_switch("bots", "Include bots"),
        ui.input_switch("people", "Count people, not browsers"),
        ui.p("Tip: click a bar or a table row with a channel, device or country to filter by it.", class_="hint"),
        title="Filters",
        trigger=ui.input_action_button("open_filters", "Filters", class_="btn-sm btn-outline-primary"),
        id="filters",
        placement="right",
        width="320px",
    )
    dates = ui.panel_conditional("input.period === 'custom'", ui.input_date_range("dates", "Dates", weekstart=1))
    return ui.div(
        ui.input_select("period", "Period", PRESETS, selected=DEFAULT_PRESET),
        dates,
        ui.input_select("compare", "Compare with", COMPARISONS, selected=DEFAULT_COMPARISON),
        ui.div(panel, class_="bar-button"),
        chips_ui(),
        ui.div(ui.output_ui("health"), class_="health-place"),
        ui.div(ui.input_dark_mode(id="mode", aria_label="Dark or light"), class_="dark-mode"),
        class_="filter-bar",
        role="search",
        aria_label="Filters of every page",
    )


def chips_ui() -> Tag:
    """The place of the chips."""
    return ui.output_ui("chips", class_="chips")


def filter_bar_server(
    input: Inputs, session: Session, state: State, pages: Sequence[str], options: Mapping[str, Sequence[str]]
) -> None:
    """Inputs change the view, the view changes inputs and URL; each input minds its own field, so that none undoes another."""
    _follow_url(input, session, state, pages, options)
    _follow_inputs(input, state, pages)
    _show_view(input, state)

    @render.ui
    def health() -> Tag | None:
        return state.health()

    @render.ui
    def chips() -> TagList:
        return shown_chips(state.view(), state.bounds())


def _follow_url(
    input: Inputs, session: Session, state: State, pages: Sequence[str], options: Mapping[str, Sequence[str]]
) -> None:
    #: What the address says, as far as the server knows, and how often Back was used.
    written: str | None = None
    backs = 0

    def go_to(query: str, page: str | None = None) -> None:
        view, notices = from_query(query, state.bounds(), pages, options)
        for notice in notices:
            ui.notification_show(notice, type="warning", duration=12)
        is_free = page in pages and page not in ABOUT_ONE  # the address alone says what such a page is about
        state.view.set(view.at(page) if page and is_free else view)

    @reactive.effect
    def _start() -> None:
        bounds = state.bounds()
        with reactive.isolate():
            if not state.view.is_set():
                # Somebody may have been quick to choose another page than the address names.
                go_to(str(session.clientdata.url_search()), input.page())
                return
            state.change(first=bounds.first, complete=bounds.complete)
            if state.view().preset != "custom":  # a new day has data: presets move on
                state.change(period=bounds.preset(state.view().preset))

    @reactive.effect
    @reactive.event(input.back)
    def _back() -> None:
        nonlocal written, backs
        backs, written = int(input.back()["number"]), str(input.back()["query"])[:100_000]
        go_to(written)

    @reactive.effect
    async def _write() -> None:
        nonlocal written
        query, told = to_query(state.view()), written
        if told != query:
            written = query
            mode = "replace" if told is None else "push"
            await session.send_custom_message("location", {"query": query, "mode": mode, "number": backs})


def _follow_inputs(input: Inputs, state: State, pages: Sequence[str]) -> None:
    hears = state.shown.hears

    @reactive.effect
    @reactive.event(input.page, ignore_init=True)
    def _page() -> None:
        if hears("page") and input.page() in pages and state.view.is_set() and state.view().page != input.page():
            state.view.set(state.view().at(input.page()))

    @reactive.effect
    @reactive.event(input.period, ignore_init=True)
    def _period() -> None:
        name = input.period()
        if hears("period") and name != "custom" and name in PRESETS and state.view().preset != name:
            state.change(preset=name, period=state.bounds().preset(name))

    @reactive.effect
    @reactive.event(input.dates, ignore_init=True)
    def _dates() -> None:
        start, end = input.dates()
        if not hears("dates") or input.period() != "custom" or not (isinstance(start, date) and isinstance(end, date)):
            return
        period = custom_period(start, end, state.bounds()) if start <= end else None
        if not period:
            ui.notification_show("These dates make no period with data; the last one stays.", type="warning")
        elif period != state.view().period:
            state.change(preset="custom", period=period)

    @reactive.effect
    @reactive.event(input.compare, ignore_init=True)
    def _compare() -> None:
        if hears("compare") and input.compare() in COMPARISONS:
            _set(state, compare=input.compare())

    @reactive.effect
    @reactive.event(input.bots, ignore_init=True)
    def _bots() -> None:
        if hears("bots"):
            _set(state, bots=bool(input.bots()))

    @reactive.effect
    @reactive.event(input.people, ignore_init=True)
    def _people() -> None:
        if hears("people"):
            _set(state, people=bool(input.people()))

    @reactive.effect
    @reactive.event(input.segment, ignore_init=True)
    def _people_of() -> None:
        if hears("segment") and input.segment() in {**EVERYBODY, **state.bounds().people}:
            _set(state, segment=input.segment())

    @reactive.effect
    @reactive.event(input.remove)
    def _remove() -> None:
        segment, value = str(input.remove()["segment"]), str(input.remove()["value"])
        if segment in ("bots", "people"):
            _set(state, **{segment: False})
        elif segment == "segment":
            _set(state, segment="")
        elif segment == "period":
            state.change(preset=DEFAULT_PRESET, period=state.bounds().preset(DEFAULT_PRESET))
        elif segment in DIMENSIONS and state.view().about == (segment, value):
            state.change(page=DIMENSIONS[segment].home, about=None)
        elif segment in SEGMENTS and value in getattr(state.view(), segment):
            state.filter(segment, value)

    for name in SEGMENTS:
        _follow_segment(input, state, name)


def _follow_segment(input: Inputs, state: State, name: str) -> None:
    @reactive.effect
    @reactive.event(input[name], ignore_init=True)
    def _segment() -> None:
        chosen = tuple(value for value in input[name]() if value in state.bounds().segments.get(name, ()))
        if state.shown.hears(name) and set(chosen) != set(getattr(state.view(), name)):
            state.change(**{name: chosen})


def _set(state: State, **fields: Any) -> None:
    with reactive.isolate():
        if any(getattr(state.view(), name) != value for name, value in fields.items()):
            state.change(**fields)


def _show_view(input: Inputs, state: State) -> None:
    @reactive.effect
    def _choices() -> None:
        bounds = state.bounds()
        with reactive.isolate():
            req(state.view.is_set())
            view = state.view()
        ui.update_date_range("dates", min=bounds.first, max=bounds.latest)
        state.shown.told("segment", view.segment)
        ui.update_select("segment", choices={**EVERYBODY, **bounds.people}, selected=view.segment)
        for name in SEGMENTS:
            held = getattr(view, name)
            state.shown.told(name, set(held))
            choices = {value: in_words(name, value) for value in bounds.segments.get(name, ())}
            ui.update_selectize(name, choices=choices, selected=list(held))

    @reactive.effect
    def _inputs() -> None:
        view = state.view()
        with reactive.isolate():
            _tell(input, state, view)


def _tell(input: Inputs, state: State, view: View) -> None:
    """Tell each input what to show, if it does not."""
    tells, dates = state.shown.tells, (view.period.start, view.period.end)
    if tells("page", view.page, input.page()):
        ui.update_navset("page", selected=view.page)
    if tells("period", view.preset, input.period()):
        ui.update_select("period", selected=view.preset)
    if tells("dates", dates, input.dates()):
        ui.update_date_range("dates", start=dates[0], end=dates[1])
    if tells("compare", view.compare, input.compare()):
        ui.update_select("compare", selected=view.compare)
    if tells("bots", view.bots, bool(input.bots())):
        ui.update_switch("bots", value=view.bots)
    if tells("people", view.people, bool(input.people())):
        ui.update_switch("people", value=view.people)
    if tells("segment", view.segment, input.segment()):
        ui.update_select("segment", selected=view.segment)
    for name in SEGMENTS:
        if tells(name, set(getattr(view, name)), set(input[name]())):
            ui.update_selectize(name, selected=list(getattr(view, name)))


def shown_chips(view: View, bounds: Bounds) -> TagList:
    """What is chosen, in words; what can be taken off is a button."""
    is_chosen = view.preset == "custom"
    told = [
        _chip("period", "custom", str(view.period)) if is_chosen else tags.span(str(view.period), class_="chip plain")
    ]
    if view.before:
        told.append(tags.span(f"against {view.before}", class_="chip plain"))
    elif view.is_going_on:
        told.append(tags.span("not over yet, and so not compared", class_="chip plain"))
    elif view.compare != "none":
        told.append(
            tags.span(f"nothing to compare with: the data begins on {view.first:%-d %b %Y}", class_="chip plain")
        )
    told += [_chip(*view.about, shortened(about_told(view.about)))] if view.about else []
    told += [_chip(name, value, in_words(name, value)) for name in SEGMENTS for value in getattr(view, name)]
    if view.bots:
        told.append(_chip("bots", "in", "bots included"))
    if view.segment:
        name = bounds.people.get(view.segment, view.segment)
        told.append(_chip("segment", view.segment, shortened(name)))
    if view.people:
        told.append(_chip("people", "people", "people, not browsers"))
    zone = tags.span(bounds.timezone, class_="chip plain", title="Dates and hours are in this time zone")
    return TagList(*told, zone)


def shortened(text: str) -> str:
    """Text that fits a chip."""
    return text if len(text) <= LONGEST_CHIP else f"{text[: LONGEST_CHIP - 1]}…"


def _chip(segment: str, value: str, text: str) -> Tag:
    label = f"Take the filter {LABELS.get(segment, segment)} {text} off"
    return tags.button(
        tags.bdi(text), " ×", type="button", class_="chip", data_segment=segment, data_value=value, aria_label=label
    )

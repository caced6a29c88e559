"""The one filter bar: its inputs, the chips of what is chosen, and the URL that holds it all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from htmltools import Tag, TagList, tags
from shiny import Inputs, Session, reactive, render, req, ui

from periods import COMPARISONS, DEFAULT_COMPARISON, DEFAULT_PRESET, PRESETS
from session_state import State
from view import SEGMENTS, custom_period, from_query, to_query

LABELS = {"channel": "Channel", "device": "Device", "country": "Country"}


def filter_bar_ui() -> Tag:
    """The bar above every page."""
    segments = [
        ui.input_selectize(name, label, [], multiple=True, remove_button=True, options={"placeholder": "All"})
        for name, label in LABELS.items()
    ]
    panel = ui.offcanvas(
        *segments,
        ui.input_switch("bots", "Include bots"),
        ui.p("A click on a row of a table with a channel, device or country filters by it, too.", class_="hint"),
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
        ui.output_ui("chips", class_="chips"),
        ui.div(ui.input_dark_mode(id="mode", aria_label="Dark or light"), class_="dark-mode"),
        class_="filter-bar",
        role="search",
        aria_label="Filters of every page",
    )


def filter_bar_server(
    input: Inputs, session: Session, state: State, pages: Sequence[str], options: Mapping[str, Sequence[str]]
) -> None:
    """Inputs change the view, the view changes inputs and URL; each input minds its own field, so that none undoes another."""
    _follow_url(input, session, state, pages, options)
    echoes = _Echoes()
    _follow_inputs(input, state, pages, echoes)
    _show_view(input, state, echoes)

    @render.ui
    def chips() -> TagList:
        return TagList(*_chips(state))


def _follow_url(
    input: Inputs, session: Session, state: State, pages: Sequence[str], options: Mapping[str, Sequence[str]]
) -> None:
    def go_to(query: str) -> None:
        view, notices = from_query(query, state.bounds(), pages, options)
        for notice in notices:
            ui.notification_show(notice, type="warning", duration=12)
        state.view.set(view)

    @reactive.effect
    def _start() -> None:
        bounds = state.bounds()
        with reactive.isolate():
            if not state.view.is_set():
                go_to(str(session.clientdata.url_search()))
                return
            state.change(first=bounds.first, complete=bounds.complete)
            if state.view().preset != "custom":  # a new day has data: presets move on
                state.change(period=bounds.preset(state.view().preset))

    @reactive.effect
    @reactive.event(input.back)
    def _back() -> None:
        go_to(str(input.back()["query"])[:100_000])

    @reactive.effect
    async def _write() -> None:
        query = to_query(state.view())
        with reactive.isolate():
            is_first = not hasattr(session, "clickstream_query")
            if getattr(session, "clickstream_query", None) != query:
                session.clickstream_query = query  # type: ignore[attr-defined]
                await session.send_custom_message(
                    "location", {"query": query, "mode": "replace" if is_first else "push"}
                )


class _Echoes:
    """What inputs were told to show. The browser says it back once; that is nobody's choice, and may come after the view has
    moved on: taken for a choice, it would undo a second Back."""

    def __init__(self) -> None:
        self._told: dict[str, list[Any]] = {}

    def expect(self, name: str, value: Any, shown: Any) -> None:
        """An input that shows something else is told a value."""
        if value != shown:
            self._told.setdefault(name, []).append(value)

    def holds(self, name: str, value: Any) -> bool:
        """Whether a value is only said back. Any other is a choice, and what was told before it counts no more."""
        told = self._told.pop(name, [])
        if value not in told:
            return False
        self._told[name] = told[told.index(value) + 1 :]
        return True


def _follow_inputs(input: Inputs, state: State, pages: Sequence[str], echoes: _Echoes) -> None:
    @reactive.effect
    @reactive.event(input.page, ignore_init=True)
    def _page() -> None:
        if input.page() in pages:
            _set(state, page=input.page())

    @reactive.effect
    @reactive.event(input.period, ignore_init=True)
    def _period() -> None:
        name = input.period()
        if not echoes.holds("period", name) and name != "custom" and name in PRESETS and state.view().preset != name:
            state.change(preset=name, period=state.bounds().preset(name))

    @reactive.effect
    @reactive.event(input.dates, ignore_init=True)
    def _dates() -> None:
        start, end = input.dates()
        if input.period() != "custom" or not (isinstance(start, date) and isinstance(end, date)):
            return
        period = custom_period(start, end, state.bounds()) if start <= end else None
        if not period:
            ui.notification_show("These dates make no period with data; the last one stays.", type="warning")
        elif period != state.view().period:
            state.change(preset="custom", period=period)

    @reactive.effect
    @reactive.event(input.compare, ignore_init=True)
    def _compare() -> None:
        if not echoes.holds("compare", input.compare()) and input.compare() in COMPARISONS:
            _set(state, compare=input.compare())

    @reactive.effect
    @reactive.event(input.bots, ignore_init=True)
    def _bots() -> None:
        if not echoes.holds("bots", bool(input.bots())):
            _set(state, bots=bool(input.bots()))

    @reactive.effect
    @reactive.event(input.remove)
    def _remove() -> None:
        segment, value = str(input.remove()["segment"]), str(input.remove()["value"])
        if segment == "bots":
            _set(state, bots=False)
        elif segment in SEGMENTS and value in getattr(state.view(), segment):
            state.filter(segment, value)

    for name in SEGMENTS:
        _follow_segment(input, state, name)


def _follow_segment(input: Inputs, state: State, name: str) -> None:
    @reactive.effect
    @reactive.event(input[name], ignore_init=True)
    def _segment() -> None:
        chosen = tuple(value for value in input[name]() if value in state.bounds().segments.get(name, ()))
        if set(chosen) != set(getattr(state.view(), name)):
            state.change(**{name: chosen})


def _set(state: State, **fields: Any) -> None:
    with reactive.isolate():
        if any(getattr(state.view(), name) != value for name, value in fields.items()):
            state.change(**fields)


def _show_view(input: Inputs, state: State, echoes: _Echoes) -> None:
    @reactive.effect
    def _choices() -> None:
        known = state.bounds().segments
        with reactive.isolate():
            req(state.view.is_set())
            view = state.view()
        for name in SEGMENTS:
            ui.update_selectize(name, choices=list(known.get(name, ())), selected=list(getattr(view, name)))

    @reactive.effect
    def _inputs() -> None:
        view = state.view()
        with reactive.isolate():
            bounds = state.bounds()
            echoes.expect("period", view.preset, input.period())
            echoes.expect("compare", view.compare, input.compare())
            echoes.expect("bots", view.bots, bool(input.bots()))
        ui.update_navset("page", selected=view.page)
        ui.update_select("period", selected=view.preset)
        ui.update_date_range("dates", start=view.period.start, end=view.period.end, min=bounds.first, max=bounds.latest)
        ui.update_select("compare", selected=view.compare)
        ui.update_switch("bots", value=view.bots)
        for name in SEGMENTS:
            ui.update_selectize(name, selected=list(getattr(view, name)))


def _chips(state: State) -> list[Tag]:
    view = state.view()
    told = [tags.span(str(view.period), class_="chip plain")]
    if view.before:
        told.append(tags.span(f"against {view.before}", class_="chip plain"))
    elif view.is_going_on:
        told.append(tags.span("not over yet, and so not compared", class_="chip plain"))
    elif view.compare != "none":
        told.append(
            tags.span(f"nothing to compare with: the data begins on {view.first:%d %b %Y}", class_="chip plain")
        )
    told += [_chip(name, value, value) for name in SEGMENTS for value in getattr(view, name)]
    if view.bots:
        told.append(_chip("bots", "in", "bots included"))
    return [
        *told,
        tags.span(state.bounds().timezone, class_="chip plain", title="Dates and hours are in this time zone"),
    ]


def _chip(segment: str, value: str, text: str) -> Tag:
    label = f"Take the filter {LABELS.get(segment, segment)} {text} off"
    return tags.button(
        tags.bdi(text), " ×", type="button", class_="chip", data_segment=segment, data_value=value, aria_label=label
    )

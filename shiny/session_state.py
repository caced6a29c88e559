"""What one browser tab shows, and the only ways to change it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date
from typing import Any, Generic, TypeVar

from htmltools import Tag
from shiny import Inputs, Session, reactive

from dimensions import DAY, DIMENSIONS, SEGMENTS
from queries import Problem, Warehouse, defect
from shown import Shown
from view import Bounds, View, custom_period

Rows = TypeVar("Rows")
_log = logging.getLogger(__name__)


class State:
    """The view as a reactive value. `view()` waits (silently) until the first one is known."""

    def __init__(self, warehouse: Warehouse, session: Session) -> None:
        self.warehouse = warehouse
        self.shown = Shown(session)
        self.bounds: reactive.Value[Bounds] = reactive.Value()
        self.view: reactive.Value[View] = reactive.Value()
        #: Why the warehouse does not answer at all; None while it does.
        self.trouble: reactive.Value[Problem | None] = reactive.Value(None)
        #: What to say above everything.
        self.news: reactive.Value[Tag | None] = reactive.Value(None)
        #: How reliable the numbers are.
        self.health: reactive.Value[Tag | None] = reactive.Value(None)
        #: Changes when the data does.
        self.version: reactive.Value[Any] = reactive.Value()

    def change(self, **fields: Any) -> None:
        """Show something else. The URL and the inputs follow."""
        with reactive.isolate():
            self.view.set(replace(self.view(), **fields))

    def choose(self, option: str, value: str) -> None:
        """Choose something in a card."""
        with reactive.isolate():
            self.view.set(self.view().with_option(option, value))

    def go(self, dimension: str, value: str) -> None:
        """To what a value that was clicked stands for: a filter, a day, or the page about it."""
        if dimension in SEGMENTS:
            self.filter(dimension, value)
        elif dimension == DAY:
            day = date.fromisoformat(value[:10])
            with reactive.isolate():
                period = custom_period(day, day, self.bounds())
            self.change(preset="custom", period=period)
        else:
            self.change(page=DIMENSIONS[dimension].page, about=(dimension, value))

    def filter(self, segment: str, value: str) -> None:
        """Filter by a value that was clicked; the same click again takes the filter off."""
        assert segment in SEGMENTS
        with reactive.isolate():
            held = getattr(self.view(), segment)
        self.change(**{segment: tuple(v for v in held if v != value) if value in held else (*held, value)})


class Answer(Generic[Rows]):
    """What a part has asked the warehouse last. Calling it gives the rows, or the `Problem` instead of them; it waits
    (silently) for the first ones, and keeps the last ones while new ones are on their way: the part is dimmed meanwhile."""

    def __init__(
        self,
        ask: Callable[[Warehouse, View], Awaitable[Rows]],
        page: str,
        state: State,
        input: Inputs,
        session: Session,
    ) -> None:
        self._state = state
        self._last: reactive.Value[tuple[View, Rows | Problem]] = reactive.Value()
        asking: asyncio.Task[None] | None = None

        async def load(view: View) -> None:
            nonlocal asking
            try:
                rows: Rows | Problem = await ask(state.warehouse, view)
            except Problem as problem:
                rows = problem
            except Exception:  # it would end the whole session
                _log.exception("the rows of %s failed", session.ns("part"))
                rows = defect()
            async with reactive.lock():
                asking = None  # a flush is everybody's: from here on nobody may cancel it
                self._last.set((view, rows))
                await reactive.flush()
            if asking is None:
                await session.send_custom_message("loading", {"part": session.ns("part"), "is_on": False})

        def stop() -> None:
            if asking:
                asking.cancel()

        @reactive.effect
        async def _ask() -> None:
            nonlocal asking
            view = state.view()
            stop()
            if view.page != page:
                return
            state.version()
            _ = "again" in input and input.again()  # the button of a part that failed
            await session.send_custom_message("loading", {"part": session.ns("part"), "is_on": True})
            asking = asyncio.create_task(load(view))

        session.on_ended(stop)

    def __call__(self) -> Rows | Problem:
        return self._state.trouble() or self._last()[1]

    def view(self) -> View:
        """The view that these rows answer. While new ones are on their way it is not the one that the filters show."""
        return self._last()[0]

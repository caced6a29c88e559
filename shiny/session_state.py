"""What one browser tab shows, and the only ways to change it."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Generic, TypeVar

from shiny import Inputs, Session, reactive

from queries import Problem, Warehouse, defect
from view import SEGMENTS, Bounds, View

Rows = TypeVar("Rows")
_log = logging.getLogger(__name__)


class State:
    """The view as a reactive value. `view()` waits (silently) until the first one is known."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse = warehouse
        self.bounds: reactive.Value[Bounds] = reactive.Value()
        self.view: reactive.Value[View] = reactive.Value()
        #: Why the warehouse does not answer at all; None while it does.
        self.trouble: reactive.Value[Problem | None] = reactive.Value(None)
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

        @reactive.extended_task
        async def load(view: View) -> tuple[View, Rows | Problem]:
            try:
                return view, await ask(state.warehouse, view)
            except Problem as problem:
                return view, problem
            except Exception:  # it would end the whole session
                _log.exception("the rows of %s failed", session.ns("part"))
                return view, defect()

        @reactive.effect
        async def _ask() -> None:
            view = state.view()
            if view.page != page:
                load.cancel()
                return
            state.version()
            _ = "again" in input and input.again()  # the button of a part that failed
            await session.send_custom_message("loading", {"part": session.ns("part"), "is_on": True})
            load.cancel()
            load.invoke(view)

        @reactive.effect
        async def _keep() -> None:
            self._last.set(load.result())
            await session.send_custom_message("loading", {"part": session.ns("part"), "is_on": False})

    def __call__(self) -> Rows | Problem:
        return self._state.trouble() or self._last()[1]

    def view(self) -> View:
        """The view that these rows answer. While new ones are on their way it is not the one that the filters show."""
        return self._last()[0]

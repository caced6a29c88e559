"""What one browser tab shows, and the only ways to change it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from shiny import reactive

from queries import Problem, Warehouse
from view import SEGMENTS, Bounds, View


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

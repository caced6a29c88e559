"""Faults of Shiny 1.8 and Python 3.11, mended from outside. docs/dashboard-upstream.md tells each; tests say when one is gone."""

from __future__ import annotations

import sys
import typing
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

from shiny import reactive, render
from shiny.otel import _span_wrappers
from shiny.reactive import _reactives
from shiny.reactive._core import ReactiveEnvironment
from shiny.session._session import AppSession


def mend() -> None:
    """Before the first session."""
    _read_no_source()
    _know_protocols()
    _let_tables_go()
    _forget_isolated_reads()
    _say_nothing_to_others()


def _read_no_source() -> None:
    """For OpenTelemetry, each reactive value guesses a name by reading the source of every frame of the stack, thousands of times
    for a tab: two thirds of what a page load cost. Each effect and calculation reads its own, an eighth of the rest; each run of
    one looks on the disk for a package that is not there, a tenth. Shiny has no switch for it, and makes most of them itself."""
    reactive.Value._try_infer_name = lambda self: None  # type: ignore[method-assign]
    _reactives.extract_source_ref = lambda func: {}  # type: ignore[attr-defined]
    for module in (_reactives, _span_wrappers):
        module.is_otel_tracing_enabled = lambda: False  # type: ignore[attr-defined]


def _know_protocols() -> None:
    """To ask whether something is `Tagifiable`, Python 3.11 lists the members of that protocol, each time anew: a tenth of a
    page load. From 3.12 on, a protocol knows them."""
    if sys.version_info < (3, 12):
        typing._get_protocol_attrs = lru_cache(maxsize=None)(typing._get_protocol_attrs)  # type: ignore[attr-defined]


def _let_tables_go() -> None:
    """A table keeps its calculations in dictionaries with weak keys. Each calculation holds its table, and so its own key: no
    table was ever given back, nor the session round it. Here the table itself keeps them."""
    for cell in calculations_of_tables():
        cell.cell_contents = _OnTheTable()


def _forget_isolated_reads() -> None:
    """What is read in isolation is noted with the value until the value changes, which may be never: Shiny asks so for each
    output whether it is hidden, at each message. Here it is forgotten at the end of the block, as Shiny for R does."""
    isolated = ReactiveEnvironment.isolate

    @contextmanager
    def forgetting(self: ReactiveEnvironment) -> Iterator[None]:
        with isolated(self):
            context = self.current_context()
            try:
                yield
            finally:
                context.invalidate()

    ReactiveEnvironment.isolate = forgetting  # type: ignore[method-assign]


def _say_nothing_to_others() -> None:
    """Whatever happens in one tab ends with a message to every tab, which is empty for the others: fifty tabs beside one that
    loads are written to, and have to read, a thousand times. Here, as in Shiny for R, an empty one is sent only where it ends
    the display of progress."""
    send = AppSession._send_message
    showing: WeakSet[AppSession] = WeakSet()

    async def sending(self: AppSession, message: dict[str, object]) -> None:
        if message.keys() & {"recalculating", "progress"}:
            showing.add(self)
        elif "values" in message:
            if self not in showing and not any(message.values()):
                return
            showing.discard(self)
        await send(self, message)

    AppSession._send_message = sending  # type: ignore[method-assign]


def calculations_of_tables() -> list[Any]:
    """Where Shiny keeps the calculations: a variable of each decorated method."""
    methods = [method for method in vars(render.data_frame).values() if getattr(method, "__closure__", None)]
    return [
        cell for method in methods for cell in method.__closure__ if isinstance(cell.cell_contents, WeakKeyDictionary)
    ]


class _OnTheTable:
    """A dictionary of one method, each of whose values lies on its key."""

    def __init__(self) -> None:
        self._name = f"_clickstream_{id(self)}"

    def __contains__(self, table: object) -> bool:
        return self._name in vars(table)

    def __getitem__(self, table: object) -> Any:
        return vars(table)[self._name]

    def __setitem__(self, table: object, calculation: Any) -> None:
        vars(table)[self._name] = calculation

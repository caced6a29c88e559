"""One eye on the warehouse for all tabs: asked every few seconds, whether nobody looks or fifty do."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any

from htmltools import Tag
from shiny import reactive

import banner
from health import health
from queries import VERSION_SECONDS, Problem, Warehouse
from session_state import State
from view import Bounds

_log = logging.getLogger(__name__)
_NOTHING = Problem("Nothing to show yet", "Above stands what brings in events.")


class Watch:
    """What every tab shows of the warehouse as a whole."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse
        self._version: reactive.Value[Any] = reactive.Value()
        self._bounds: reactive.Value[Bounds] = reactive.Value()
        self._trouble: reactive.Value[Problem | None] = reactive.Value(None)
        self._news: reactive.Value[Tag | None] = reactive.Value(None)
        self._health: reactive.Value[Tag | None] = reactive.Value(None)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Watch until the block ends."""
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    def tell(self, state: State) -> None:
        """Keep a tab in step. It has copies: what reads a shared value is held by it, and would outlive its tab."""

        @reactive.effect
        def _copy() -> None:
            state.trouble.set(self._trouble())
            state.news.set(self._news())
            state.health.set(self._health())
            state.version.set(self._version())
            state.bounds.set(self._bounds())

    async def _run(self) -> None:
        while True:
            try:
                await self._look()
            except Exception:  # the next look may go well
                _log.exception("the warehouse could not be watched")
            await asyncio.sleep(VERSION_SECONDS)

    async def _look(self) -> None:
        version = await self._warehouse.version()
        now = datetime.now(UTC)
        news = await banner.news(self._warehouse, now)
        bounds, trouble = None, _NOTHING
        try:
            bounds = await banner.bounds(self._warehouse)
        except Problem as problem:
            trouble = problem
        shown = await health(self._warehouse, bounds, now) if bounds else None
        async with reactive.lock():
            _keep(self._news, news)
            _keep(self._health, shown)
            _keep(self._version, version)
            _keep(self._trouble, None if bounds else trouble)
            if bounds:
                _keep(self._bounds, bounds)
            await reactive.flush()


def _keep(value: reactive.Value[Any], new: Any) -> None:
    """Set what has changed: any other set would make every tab ask again."""
    with reactive.isolate():
        if not value.is_set() or value() != new:
            value.set(new)

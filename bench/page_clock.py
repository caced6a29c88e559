"""A clock on the dashboard's queries: all parts of a page at once, as a browser asks, with nothing of the page cached."""

from __future__ import annotations

import asyncio
import sys
import time
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "shiny"))

from banner import bounds
from queries import CONNECTIONS, Problem, Warehouse
from view import Bounds, View

_PART: ContextVar[str] = ContextVar("part", default="")


@dataclass
class Asked:
    """One query: the part that asked it first, and its milliseconds without the wait for a connection."""

    part: str
    milliseconds: float
    sql: str
    parameters: Any


@dataclass
class Times:
    """Milliseconds of one page in one view, the slowest query of each time, and what it failed with."""

    page: list[float] = field(default_factory=list)
    slowest: list[Asked] = field(default_factory=list)
    problems: set[str] = field(default_factory=set)


class Clocked(Warehouse):
    """The dashboard's own, with a clock on each query."""

    def __init__(self, dsn: str) -> None:
        super().__init__(dsn)
        self.asked: list[Asked] = []
        self._before: dict[Any, Any] = {}

    async def open(self) -> Bounds:
        """Open every connection, as in a dashboard that has run for a while, and ask what the filter bar asks before any
        page is shown: the pages find that answered."""
        await asyncio.gather(*(self.frame(f"select pg_sleep(0.2), {place}") for place in range(CONNECTIONS)))
        self._answers.clear()
        known = await bounds(self)
        assert known
        self._before = dict(self._answers)
        return known

    async def measure(self, page: ModuleType, view: View, times: Times) -> None:
        """Ask for all parts of a page, and add what that takes."""
        self._answers.clear()
        self._answers.update(self._before)
        self.asked.clear()
        started = time.perf_counter()
        found = await asyncio.gather(*(self._rows(part, view) for part in page.PARTS))
        times.page.append(1000 * (time.perf_counter() - started))
        times.slowest.append(max(self.asked, key=lambda query: query.milliseconds))
        times.problems.update(problem for problem in found if problem)

    async def _rows(self, part: Any, view: View) -> str:
        _PART.set(part.id)
        try:
            await part.rows(self, view)
        except Problem as problem:
            return f"{part.id}: {problem}"
        return ""

    async def _run(self, sql: str, parameters: Any) -> Any:
        part = _PART.get()

        def timed() -> Any:
            started = time.perf_counter()
            try:
                return self._ask(sql, parameters)
            finally:
                self.asked.append(Asked(part, 1000 * (time.perf_counter() - started), sql, parameters))

        return await asyncio.get_running_loop().run_in_executor(self._threads, timed)

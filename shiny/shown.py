"""What the inputs of a tab show, as far as the server can know.

A browser and its server talk past each other: while the server tells an input what to show, its user may choose something,
and what an input shows is said back as if it had been chosen. Two rules keep them from going round in circles, however late
messages are:
- an input is only told what it does not show anyway, so never what came from it;
- from then on, until the browser has confirmed, what that input says is old: the browser has overwritten it, or will.
"""

from __future__ import annotations

from typing import Any

from shiny import Session, reactive


class Shown:
    """The inputs of one tab. Names are full ones, with the card's name before them."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._number = 0
        #: By name: the number of the message that told the input a value, and the value.
        self._told: dict[str, tuple[int, Any]] = {}

        @reactive.effect
        @reactive.event(session.input.shown)
        def _confirmed() -> None:
            number = session.input.shown()
            self._told = {name: told for name, told in self._told.items() if told[0] > number}

    def tells(self, name: str, value: Any, says: Any) -> bool:
        """Whether an input that says something must be told a value. If so, it counts as told: send it in this flush."""
        shown = self._told[name][1] if name in self._told else says
        if shown != value:
            self.told(name, value)
        return bool(shown != value)

    def told(self, name: str, value: Any) -> None:
        """An input is told a value in this flush."""
        if not any(number > self._number for number, _ in self._told.values()):
            self._session.on_flushed(self._ask, once=True)
        self._told[name] = (self._number + 1, value)

    def hears(self, name: str) -> bool:
        """Whether what an input says is a choice."""
        return name not in self._told

    async def _ask(self) -> None:
        """After the messages to the inputs: the browser confirms them in their order."""
        self._number += 1
        await self._session.send_custom_message("told", {"number": self._number})

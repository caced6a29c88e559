"""What the state of an order makes of it: what was never paid is left out, and what was given back is a refund beside it.

leave_out:
  - {Financial Status: [voided, expired]}
  - {Financial Status: pending, Cancelled at: "?*"}
refund:
  amount: Refunded Amount
  time: Refunded at
  when: {Financial Status: refunded}
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any

from clickstream_dagster.local.importer.cells import Cells
from clickstream_dagster.local.importer.mapping import Condition, Mapping
from ingest_lambda.contract import Event, Reject


@dataclass(frozen=True)
class LeftOut:
    """A line of a file that is no event, and why. Nothing of it is kept."""

    why: str


class Status:
    """Looks at the cells that say what became of an order."""

    def __init__(self, mapping: Mapping, cells: Cells, places: dict[str, int]) -> None:
        self._cells, self._places, self._refund = cells, places, mapping.refund
        self._left_out = self._known(mapping.leave_out)
        self._no_sale = self._known(mapping.no_sale)
        self._given_back = self._known(mapping.refund_when)

    def _known(self, conditions: tuple[Condition, ...]) -> list[Condition]:
        return [one for one in conditions if one.words.keys() <= self._places.keys()]

    def left_out(self, cells: list[str]) -> LeftOut | None:
        """Why a row is no event; None where it is one."""
        return next((LeftOut(why) for one in self._left_out if (why := self._matched(one, cells))), None)

    def is_sale(self, cells: list[str]) -> bool:
        """Whether the order of a row was paid, as far as its state tells."""
        return not any(self._matched(one, cells) for one in self._no_sale)

    def refund(self, event: Event, cells: list[str]) -> dict[str, Any] | None:
        """What was given back of an order, as a record. Raises `Reject` for an amount that nobody can read."""
        if event.event_name != "purchase" or event.order is None:
            return None
        amount = self._amount(cells)
        if not amount and not any(self._matched(one, cells) for one in self._given_back):
            return None
        who = {name: getattr(event, name) for name in ("client_id", "session_id", "user_id", "currency")}
        order = {"id": event.order.id, "currency": event.order.currency, "value": amount}
        moment = self._read("time", cells) or event.event_timestamp
        said = {"event_name": "refund", "event_timestamp": moment, **who, "order": _said(order)}
        return _said(said)

    def _amount(self, cells: list[str]) -> str | None:
        text = self._read("amount", cells)
        try:
            return text if text and Decimal(text) else None
        except InvalidOperation:
            raise Reject("invalid_price", "refund: what was given back is no amount, as 12.50") from None

    def _read(self, name: str, cells: list[str]) -> Any:
        field = self._refund.get(name)
        if field is None or field.column not in self._places:
            return None
        return self._cells.read(field, cells[self._places[field.column]])

    def _matched(self, one: Condition, cells: list[str]) -> str:
        """The words that the cells have, each with its column; nothing where one of them has none."""
        found = [(column, _word(cells[self._places[column]], words)) for column, words in one.words.items()]
        return ", ".join(f"{column}: {word}" for column, word in found) if all(word for _, word in found) else ""


@lru_cache(maxsize=4_096)
def _word(text: str, words: tuple[str, ...]) -> str | None:
    text = text.strip().lower()
    return next((word for word in words if fnmatchcase(text, word.lower())), None)


def _said(record: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in record.items() if value is not None}

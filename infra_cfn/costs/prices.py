"""The price table, prices.yml, as numbers."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).with_name("prices.yml")


@dataclass(frozen=True)
class Price:
    """So many dollars for `per` units; `free` units are given away each month, to every account and for ever."""

    price: Decimal
    per: Decimal
    unit: str
    free: Decimal
    as_of: str
    published: str
    checked: bool
    seen: str

    def of(self, quantity: Decimal) -> Decimal:
        """Dollars, unrounded."""
        return quantity / self.per * self.price


def read() -> dict[str, Any]:
    """The file, with its `prices` as `Price`."""
    table: dict[str, Any] = yaml.safe_load(FILE.read_text())
    return {**table, "prices": {name: _price(**given) for name, given in table["prices"].items()}}


def _price(price: str, per: int, free: int = 0, **rest: Any) -> Price:
    return Price(price=Decimal(price), per=Decimal(per), free=Decimal(free), **rest)

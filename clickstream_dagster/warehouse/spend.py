"""What campaigns cost: a small CSV of a person's own, kept beside the tables that are made of events."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from psycopg2.extras import execute_values

from clickstream_dagster.raw.sources import MAX_TAG, folded
from clickstream_dagster.warehouse.connection import Connection, take_lock, transaction

REQUIRED = ("date", "campaign", "cost", "currency")
OPTIONAL = ("source", "channel")
_AMOUNT = re.compile(r"[0-9]{1,12}(\.[0-9]{1,6})?", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)


class SpendError(ValueError):
    """A file of costs cannot be used; the message names the line and says what to do."""


class Spent(NamedTuple):
    """Whose cost it is, and of which date."""

    spent_on: date
    campaign: str
    source: str | None
    channel: str | None
    currency: str


@dataclass(frozen=True)
class Stored:
    """What a file brought: its rows, and how many of those that stood it has replaced."""

    costs: Mapping[Spent, Decimal]
    replaced: int


def read(path: Path) -> dict[Spent, Decimal]:
    """The costs of a file; lines of the same date, campaign, source, channel and currency add up. Raises `SpendError`."""
    costs: dict[Spent, Decimal] = {}
    for number, line in _lines(path):
        spent = Spent(
            _date(line["date"], path, number),
            _name(line["campaign"], "campaign", path, number),
            folded(line.get("source", ""))[:MAX_TAG] or None,
            folded(line.get("channel", ""))[:MAX_TAG] or None,
            _currency(line["currency"], path, number),
        )
        costs[spent] = costs.get(spent, Decimal(0)) + _cost(line["cost"], path, number)
    if not costs:
        raise SpendError(f"{path} has no line below its head. Check that it is the file you mean.")
    return costs


def store(connection: Connection, costs: Mapping[Spent, Decimal]) -> Stored:
    """Put costs in the place of those of the same date, campaign, source, channel and currency; 0 takes them away."""
    with transaction(connection) as cursor:
        take_lock(cursor, "campaign_spend")
        execute_values(
            cursor,
            """
            delete from campaign_spend as s using (values %s) as told (spent_on, campaign, source, channel, currency)
            where s.spent_on = told.spent_on and s.campaign = told.campaign and s.currency = told.currency
                and s.source is not distinct from told.source and s.channel is not distinct from told.channel
            """,
            costs.keys(),
            template="(%s::date, %s, %s::text, %s::text, %s)",
            page_size=len(costs),
        )
        replaced = cursor.rowcount
        execute_values(
            cursor,
            "insert into campaign_spend (spent_on, campaign, source, channel, currency, cost) values %s",
            [(*spent, cost) for spent, cost in costs.items() if cost],
        )
    return Stored(costs, replaced)


def _lines(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Each line below the head with its number, by the names of its columns."""
    if not path.is_file():
        raise SpendError(f"There is no file {path}. Check the path.")
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SpendError(f"{path} is not UTF-8. Save it as CSV UTF-8 and try again.") from error
    head = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text), delimiter=max(",;\t", key=head.count))
    names = [name.strip().lower() for name in next(reader, [])]
    if missing := [name for name in REQUIRED if name not in names]:
        raise SpendError(
            f"{path}, line 1: there is no column {missing[0]}. The first line names the columns: {', '.join(REQUIRED)}, and "
            f"{' and '.join(OPTIONAL)} if you like; its columns are {', '.join(filter(None, names)) or 'none'}."
        )
    for cells in reader:
        if not any(map(str.strip, cells)):
            continue
        if len(cells) != len(names):
            raise SpendError(
                f"{path}, line {reader.line_num}: {len(cells)} cells where the head has {len(names)}. Put a cell with the "
                "delimiter in it into quotes."
            )
        yield reader.line_num, {name: cell.strip() for name, cell in zip(names, cells, strict=True)}


def _date(text: str, path: Path, number: int) -> date:
    try:
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
            raise ValueError(text)
        return date.fromisoformat(text)
    except ValueError as error:
        raise SpendError(f"{path}, line {number}: {text!r} is no date. Write it as 2026-11-21.") from error


def _name(text: str, column: str, path: Path, number: int) -> str:
    if not (name := folded(text)[:MAX_TAG]):
        raise SpendError(f"{path}, line {number}: no {column}. Write what utm_{column} says in its links.")
    return name


def _currency(text: str, path: Path, number: int) -> str:
    if not _CURRENCY.fullmatch(text.upper()):
        raise SpendError(f"{path}, line {number}: {text!r} is no currency. Use an ISO 4217 code such as EUR.")
    return text.upper()


def _cost(text: str, path: Path, number: int) -> Decimal:
    if not _AMOUNT.fullmatch(text):
        raise SpendError(f"{path}, line {number}: {text!r} is no cost. Write it as 1234.50, without a sign.")
    return Decimal(text)

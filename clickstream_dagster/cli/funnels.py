"""`clickstream funnel`."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import click
from psycopg2.extras import Json

from clickstream_dagster.cli.show import console, table
from clickstream_dagster.settings import SettingsError, load_settings
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.connection import Cursor

DAYS = 28
_LIST = """
    select
        funnel, label, jsonb_array_length(steps), unit,
        coalesce(ltrim(to_char(extract(epoch from within) / 3600, 'FM9990')) || ' h', 'one session')
    from funnels order by place
"""


class NoSuchFunnel(SettingsError):
    """The message names those that there are."""


@click.command("funnel")
@click.argument("name", required=False)
@click.option(
    "--from", "first", type=click.DateTime(["%Y-%m-%d"]), help="First date; 28 days before the last, if left out."
)
@click.option("--to", "last", type=click.DateTime(["%Y-%m-%d"]), help="Last date; the last whole day, if left out.")
@click.option("--by", type=click.Choice(["channel", "device_type", "country"]), help="Tell the values of this apart.")
def funnel_command(name: str | None, first: datetime | None, last: datetime | None, by: str | None) -> None:
    """Print how many reach each step of funnel NAME, or list the funnels.

    \b
    A funnel is what funnels.yml says it is; CLICKSTREAM_FUNNELS names yours.
      clickstream funnel
      clickstream funnel cart-to-order --from 2026-03-01 --to 2026-03-31
    """
    with Stack(load_settings(), keeps_settings=True).reading() as connection, connection.cursor() as cursor:
        if name is None:
            cursor.execute(_LIST)
            table("Funnels", ("funnel", "what it is", "steps", "counts", "within"), cursor.fetchall())
            console.print("See how many reach each step:  clickstream funnel NAME")
            return
        label, steps, unit, within = _found(cursor, name)
        start, end = _dates(cursor, first, last)
        cursor.execute(
            "select value, step, units, median_seconds from funnel(%s, %s, %s, %s, %s, %s)",
            (Json(steps), start, end, unit, within, by),
        )
        rows, entered, was = [], 0, 0
        for value, place, units, seconds in cursor.fetchall():
            entered = units if place == 1 else entered
            rates = ("–", "–") if place == 1 else (_share(units, was), _share(units, entered))
            words = " ".join(" ".join(pair) for pair in _words(steps[place - 1]))
            rows.append(
                (*((value,) if by else ()), words, units, *rates, "–" if seconds is None else f"{seconds:,.0f} s")
            )
            was = units
        heads = ("step", {"person": "people"}.get(unit, f"{unit}s"), "of the step before", "of all", "median time")
        table(f"{label}, {start} to {end}", (*((by,) if by else ()), *heads), rows)


def _words(step: dict[str, str]) -> list[tuple[str, ...]]:
    said = [("event", ""), ("page", "on"), ("category", "of")]
    return [(word, step[name]) if word else (step[name],) for name, word in said if name in step]


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "–"


def _found(cursor: Cursor, name: str) -> tuple[str, list[dict[str, str]], str, timedelta | None]:
    cursor.execute("select funnel, label, steps, unit, within from funnels order by place")
    funnels = {funnel: (label, steps, unit, within) for funnel, label, steps, unit, within in cursor.fetchall()}
    if name not in funnels:
        raise NoSuchFunnel(f"There is no funnel {name!r}; funnels.yml has {', '.join(funnels) or 'none'}.")
    return funnels[name]


def _dates(cursor: Cursor, first: datetime | None, last: datetime | None) -> tuple[date, date]:
    cursor.execute("select * from last_whole_day")
    found = cursor.fetchone()
    end = last.date() if last else found[0] if found and found[0] else date.today()
    start = first.date() if first else end - timedelta(days=DAYS - 1)
    if start > end:
        raise click.UsageError(f"--from {start} is after --to {end}.")
    return start, end

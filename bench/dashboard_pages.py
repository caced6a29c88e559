"""How long do each page's queries take, at 10 million events over a year?

Run: python bench/dashboard_pages.py [--events N] [--home DIR] [--repeats N] [--page NAME]

Builds a shop's year in an embedded PostgreSQL (DIR keeps it for the next time; building takes long), then asks what the
dashboard asks: all parts of a page at once, over its four connections, with nothing of the page cached. Prints for each page
p50 and p95 of the views of up to 90 days, and p95 of the best time of each such view ("quiet"); the medians of twelve months
as a whole and of its largest channel; and the ratio of the default view to the same on a warehouse that has only the
thirteen weeks that it reads: 1.0 means that the cost follows the period, not the history. Then each view's slowest query.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

from page_clock import Clocked, Times
from parts import temporary_home
from shop_year.build import BEGIN, END, shop_year

from queries import dsn
from view import Bounds, View

TARGET_MS = 500
#: The default view reads 28 days, the 28 before them, and the 29 that lead up to those; the cohorts are twelve weeks.
RECENT = END - timedelta(weeks=13)
LONG = "12 months"


def main() -> None:
    from clickstream_dagster.cli.serving import reader_environment
    from clickstream_dagster.settings import load_settings
    from clickstream_dagster.stack import Stack

    asked = arguments()
    with temporary_home(BEGIN, asked.home):
        first = Stack(load_settings())
        stacks = [shop_year(first, asked.events, since) for since in (BEGIN, RECENT)]
        year, recent = (Clocked(dsn(reader_environment(stack))) for stack in stacks)
        print(f"{asked.events:,} events over a year; load {load()}")
        asyncio.run(measure_all(shown_pages(asked.page), year, recent, asked.repeats))
        print(f"load at the end {load()}")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--page", default="")
    return parser.parse_args()


def shown_pages(only: str) -> dict[str, ModuleType]:
    from app import PAGES  # finds its settings in the environment

    return {name: page for name, page in PAGES.items() if page.PARTS and only in ("", name)}


def load() -> str:
    return " ".join(f"{value:.1f}" for value in os.getloadavg()) + f" on {os.cpu_count()} cores"


def mix(known: Bounds) -> dict[str, View]:
    """The views by name, the default one first; a segment is the largest of its kind."""
    channel, device, country = ((known.segments[name][0],) for name in ("channel", "device", "country"))

    def view(preset: str, **fields: Any) -> View:
        return View("", known.preset(preset), known.first, preset=preset, **fields)

    return {
        "28 days": view("28d"),
        "28 days, a channel": view("28d", channel=channel),
        "28 days, device and country": view("28d", device=device, country=country),
        "28 days, with bots": view("28d", bots=True),
        "7 days": view("7d"),
        "90 days": view("90d"),
        "today": view("today"),
        LONG: view("12m"),
        f"{LONG}, a channel": view("12m", channel=channel),
    }


async def measure_all(pages: dict[str, ModuleType], year: Clocked, recent: Clocked, repeats: int) -> None:
    views = mix(await year.open())
    default = next(iter(views.values()))
    await recent.open()
    print(f"{'page':12} {'p50':>6} {'p95':>6} {'quiet':>6}  {'12 months':>9} {'a channel':>9}  {'x history':>9}")
    slowest: list[str] = []
    for name, page in pages.items():
        times = await in_turn(page, {view: (year, views[view]) for view in views}, repeats)
        both = await in_turn(page, {"year": (year, default), "recent": (recent, default)}, 2 * repeats)
        print(line(name, times, median(both["year"]) / median(both["recent"])), flush=True)
        slowest += told(name, times)
    print("\n".join(slowest))


async def in_turn(page: ModuleType, asked: dict[str, tuple[Clocked, View]], repeats: int) -> dict[str, Times]:
    """One after the other, so that what else the machine does falls on all of them alike. The first turn warms up."""
    times = {name: Times() for name in asked}
    for turn in range(repeats + 1):
        for name, (warehouse, view) in asked.items():
            await warehouse.measure(page, view, times[name] if turn else Times())
    return times


def line(name: str, times: dict[str, Times], ratio: float) -> str:
    usual = [taken for view, taken in times.items() if not view.startswith(LONG)]
    p50, p95 = (quantile([value for taken in usual for value in taken.page], part) for part in (0.5, 0.95))
    quiet = quantile([min(taken.page) for taken in usual], 0.95)
    whole, channel = (median(taken) for view, taken in times.items() if view.startswith(LONG))
    sign = "" if p95 <= TARGET_MS else f"  over {TARGET_MS} ms"
    return f"{name:12} {p50:6.0f} {p95:6.0f} {quiet:6.0f}  {whole:9.0f} {channel:9.0f}  {ratio:9.2f}{sign}"


def median(times: Times) -> float:
    return statistics.median(times.page)


def quantile(values: list[float], part: float) -> float:
    """The smallest value that so large a part of them does not exceed."""
    return sorted(values)[max(0, -int(-part * len(values) // 1) - 1)]


def told(name: str, times: dict[str, Times]) -> Iterator[str]:
    """Each view's median and slowest query, and what failed."""
    for view, taken in times.items():
        query = sorted(taken.slowest, key=lambda query: query.milliseconds)[len(taken.slowest) // 2]
        problems = f"  FAILED {sorted(taken.problems)}" if taken.problems else ""
        yield (
            f"{name:12} {view:28} {median(taken):6.0f} ms, slowest query {query.milliseconds:6.0f} ms "
            f"({query.part}){problems}"
        )


if __name__ == "__main__":
    main()

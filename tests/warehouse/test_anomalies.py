"""The worked examples of `anomalies.md`, and what holds for whatever is found."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from clickstream_dagster.partitions import HOUR
from clickstream_dagster.stack import Stack
from support.hours import END, START, Hours
from support.outages import BROWSERS, OUTAGE, sell
from support.stories import rows

MONTH = datetime(2026, 11, 1, tzinfo=UTC)
TOLD = "select value, usual, low, high, score, sentence from anomalies order by sentence"


@dataclass
class Case:
    title: str
    hours: list[tuple[datetime, datetime, list[str]]] = field(default_factory=list)
    told: list[str] = field(default_factory=list)


def cases() -> Iterator[Case]:
    text = Path(__file__).with_name("anomalies.md").read_text()
    for part in text.split("\n## ")[1:]:
        title, *lines = part.splitlines()
        case = Case(title)
        for line in lines:
            if line.startswith("An hour:"):
                case.hours.append((START, END, []))
            elif found := re.fullmatch(r"From (\S+ \S+) to (\S+ \S+):", line):
                case.hours.append((_moment(found[1]), _moment(found[2]), []))
            elif line.startswith("    ") and "|" in line:
                case.told.append(line.strip())
            elif line.startswith("    "):
                case.hours[-1][2].append(line.strip())
        yield case


def _moment(text: str) -> datetime:
    """`2 19:00` is 2 November; -5 is 26 October, a Monday too."""
    day, hour = text.split(" ")
    return MONTH + timedelta(days=int(day) - 1, hours=int(hour.split(":")[0]))


@pytest.mark.parametrize("case", list(cases()), ids=lambda case: case.title)
def test_the_worked_examples(stack: Stack, case: Case) -> None:
    hours = Hours()
    for start, end, lines in case.hours:
        for line in lines:
            hours.set(start, end, line)
    hours.write(stack)
    found = [
        f"{value:.0f} | {usual:.0f} | {low:.2f} to {high:.2f} | {score} | {sentence}"
        for value, usual, low, high, score, sentence in rows(stack, TOLD)
    ]
    assert found == case.told


@pytest.mark.parametrize("seed", range(4))
def test_what_is_told_lies_outside_of_its_range(stack: Stack, seed: int) -> None:
    """Traffic by chance, with holes and floods in the last day by chance."""
    rng = random.Random(seed)
    hours = Hours()
    hour = START
    while hour < END:
        factor = rng.choice((0, 1, 1, 1, 4)) if END - hour <= timedelta(days=1) else 1
        hours.set(hour, hour + HOUR, f"sessions {rng.randint(30, 50) * factor}")
        for browser in ("Chrome desktop", "Safari mobile"):
            hours.set(hour, hour + HOUR, f"page_view {browser} {rng.randint(60, 100)}")
            hours.set(hour, hour + HOUR, f"checkout {browser} {rng.randint(6, 18) * factor}")
        hours.set(hour, hour + HOUR, f"orders {rng.randint(2, 6) * factor} of 25")
        hours.set(hour, hour + HOUR, f"received 300, of these rejected {rng.randint(0, 3) * factor**3}, warned 2")
        hour += HOUR
    hours.write(stack)
    found = rows(stack, "select metric, value, low, high, started_at, ended_at, is_going_on, score from anomalies")
    assert found
    for metric, value, low, high, started_at, ended_at, is_going_on, score in found:
        assert value < low if score < 0 else value > high
        assert metric == "sessions" or (score > 0) == (metric in ("rejected", "warned"))
        assert END - timedelta(days=2) <= started_at < ended_at <= END
        assert is_going_on == (ended_at == END)


def test_four_weeks_are_needed(stack: Stack) -> None:
    """Three that can be compared with tell nothing of what is usual."""
    for weeks, is_told in ((4, False), (5, True)):
        hours = Hours()
        hours.set(END - timedelta(weeks=weeks, days=-1), END, "sessions 40")
        hours.set(END - 3 * HOUR, END, "sessions 0")
        hours.write(stack)
        assert bool(rows(stack, TOLD)) is is_told, weeks


@pytest.mark.parametrize("line", ["scroll Chrome desktop 400", "view Chrome desktop 4000", "sessions 400"])
def test_what_is_new_or_comes_in_floods_makes_nothing_else_missing(stack: Stack, line: str) -> None:
    """A new event, a crawler that nobody knows yet, a campaign that nobody buys by: checkouts and orders are what they were."""
    hours = Hours()
    for usual in ("sessions 40", "orders 4 of 25", "view Chrome desktop 200", "checkout Chrome desktop 20"):
        hours.set(START, END, usual)
    hours.set(END - timedelta(days=1), END, line)
    hours.write(stack)
    told = [sentence for *_, sentence in rows(stack, TOLD)]
    assert [sentence for sentence in told if "below" in sentence or "stopped" in sentence] == []


@pytest.mark.parametrize("days", [1, 4, 5, 6, 8, 15, 27])
def test_a_shop_that_stands_still_is_told_of_until_it_goes_on(stack: Stack, days: int) -> None:
    """A middle day of the week before has nothing then, and is no measure of what is usual."""
    hours = Hours()
    hours.set(START, END, "sessions 40")
    hours.set(END - timedelta(days=days), END, "sessions 0")
    hours.write(stack)
    [(is_going_on, sentence)] = rows(stack, "select is_going_on, sentence from anomalies")
    assert is_going_on
    assert sentence.startswith("Visits stopped since Sunday 21:00: none, where about ")


def test_an_outage_is_told_at_the_next_tick_and_nothing_else_is(stack: Stack) -> None:
    """The whole way: events of seven Mondays, and checkouts of one browser missing in two hours of the last one."""
    sell(stack)
    [told] = rows(
        stack, "select event_name, browser, started_at, ended_at, is_going_on, value, sentence from anomalies"
    )
    name, browser, started_at, ended_at, is_going_on, value, sentence = told
    assert (name, browser, started_at, ended_at, is_going_on, value) == ("checkout", BROWSERS[0][0], *OUTAGE, True, 0)
    assert sentence == "checkout stopped on Chrome (desktop) since Monday 18:00: none, where about 24 are usual"


def test_without_the_outage_nothing_is_told(stack: Stack) -> None:
    sell(stack, is_out=False)
    assert rows(stack, TOLD) == []

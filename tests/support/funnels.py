"""Funnels once more, in Python: every way through the steps is tried, and nothing is clever."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from statistics import median
from typing import Any

from ingest_lambda.contract import Event
from support.stories import Visit

VIEWS = ("page_view", "view_product")
Step = Mapping[str, str]


@dataclass(frozen=True)
class Asked:
    """A funnel with all that the SQL function is asked with."""

    steps: Sequence[Step]
    first: date
    last: date
    unit: str = "session"
    within: timedelta | None = None
    is_by_country: bool = False
    bots: bool = False
    countries: tuple[str, ...] | None = None

    def arguments(self) -> tuple[Any, ...]:
        breakdown, countries = (
            "country" if self.is_by_country else None,
            list(self.countries) if self.countries else None,
        )
        steps = json.dumps(self.steps)
        return (steps, self.first, self.last, self.unit, self.within, breakdown, self.bots, None, None, countries)


@dataclass(frozen=True)
class Seen:
    """An event with the session that it lies in."""

    event: Event
    visit: Visit

    @property
    def at(self) -> datetime:
        return self.event.event_timestamp

    @property
    def path(self) -> str | None:
        return self.event.page_url.removeprefix("https://shop.example") if self.event.page_url else None


def names(step: Step) -> tuple[str, ...]:
    """The events that a step is about."""
    return (step["event"],) if "event" in step else VIEWS if "page" in step else ("view_product",)


def fits(page: str, path: str | None) -> bool:
    """Is a path of this pattern? Star by star, each as short as can be."""
    if path is None:
        return False
    first, *rest = page.split("*")
    if not rest:
        return page == path
    left = path.removeprefix(first)
    if not path.startswith(first):
        return False
    for part in rest[:-1]:
        if part not in left:
            return False
        left = left[left.index(part) + len(part) :]
    return left.endswith(rest[-1])


def serves(seen: Seen, step: Step) -> bool:
    """May this event be of this step?"""
    named = {seen.event.product.category} if seen.event.product else set()
    return (
        seen.event.event_name in names(step)
        and ("page" not in step or fits(step["page"], seen.path))
        and ("category" not in step or step["category"] in named)
    )


def may_meet(one: Step, other: Step) -> bool:
    """May one event be of both steps, as far as names and the beginnings of pages tell?"""
    if not set(names(one)) & set(names(other)):
        return False
    if "page" not in one or "page" not in other or one["page"] == other["page"]:
        return True
    beginnings = [step["page"].split("*")[0] for step in (one, other)]
    is_open = "*" in one["page"] + other["page"]
    return is_open and (beginnings[0].startswith(beginnings[1]) or beginnings[1].startswith(beginnings[0]))


def chains(asked: Asked, events: Sequence[Seen], done: tuple[Seen, ...]) -> Iterator[tuple[Seen, ...]]:
    """Every way to go on from what is done."""
    yield done
    if len(done) == len(asked.steps):
        return
    step = asked.steps[len(done)]
    for one in events:
        is_late = asked.within is not None and one.at - done[0].at > asked.within
        is_before = one.at < done[-1].at or any(
            one.at <= earlier.at for earlier, other in zip(done, asked.steps, strict=False) if may_meet(step, other)
        )
        if serves(one, step) and not is_late and not is_before:
            yield from chains(asked, events, (*done, one))


def country(visit: Visit) -> str:
    """That of the first event that names one."""
    return next((event.geo.country for event in visit.events if event.geo and event.geo.country), "(none)")


def day(visit: Visit) -> date:
    """The date that a session counts on."""
    return visit.events[0].event_timestamp.date()


def enters(asked: Asked, entry: Seen) -> bool:
    """Is this a first step, on these dates and of a session that is looked at?"""
    is_chosen = not asked.countries or country(entry.visit) in asked.countries
    return serves(entry, asked.steps[0]) and day(entry.visit) <= asked.last and is_chosen


def funnel(
    asked: Asked, visits: Sequence[Visit], person: Mapping[str, str]
) -> list[tuple[str, int, int, float | None]]:
    """What the SQL function should say."""

    def owner(visit: Visit) -> str:
        return person[visit.visitor] if asked.unit == "person" else visit.visitor

    in_session = asked.within is None or asked.unit == "session"
    scopes: dict[Any, list[Seen]] = defaultdict(list)
    for number, visit in enumerate(visits):
        if day(visit) >= asked.first and (asked.bots or not visit.is_bot):
            scopes[number if in_session else owner(visit)] += [Seen(event, visit) for event in visit.events]
    best: dict[Any, tuple[Any, tuple[Seen, ...]]] = {}
    for scope, events in scopes.items():
        for entry in filter(partial(enters, asked), events):
            unit = scope if asked.unit == "session" else owner(entry.visit)
            for chain in chains(asked, events, (entry,)):
                rank = (-len(chain), [one.at for one in chain], country(entry.visit))
                best[unit] = min(best.get(unit, (rank, chain)), (rank, chain), key=lambda one: one[0])
    found: dict[str, list[tuple[Seen, ...]]] = defaultdict(list)
    for _, chain in best.values():
        found[country(chain[0].visit) if asked.is_by_country else "all"].append(chain)
    return [
        (value, step, sum(len(chain) >= step for chain in found[value]), _middle(found[value], step))
        for value in sorted(found)
        for step in range(1, len(asked.steps) + 1)
    ]


def _middle(found: Sequence[tuple[Seen, ...]], step: int) -> float | None:
    waits = [(chain[step - 1].at - chain[step - 2].at).total_seconds() for chain in found if len(chain) >= step > 1]
    return median(waits) if waits else None

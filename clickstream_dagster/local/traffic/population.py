"""Who comes when: the shop's known and new visitors, and the shape of its days."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from clickstream_dagster.local.traffic.visitors import Visitor, new_visitor, second_browser

#: Visits by UTC hour: quiet nights, a lunch bump, an evening peak.
HOURS = (22, 14, 10, 8, 8, 10, 17, 28, 38, 44, 48, 52, 57, 53, 49, 48, 50, 56, 68, 82, 90, 80, 56, 36)
#: Monday to Sunday: computers are bought on weekdays and on Sunday evenings, least on Saturdays.
WEEKDAYS = (1.07, 1.05, 1.02, 1.0, 0.95, 0.84, 1.07)
#: Mild growth: this share of the first day is added every day.
GROWTH = 0.004
RETURNING = 0.30
SECOND_BROWSER = 0.02
#: A visitor who was here this recently would only go on with the same session.
APART = timedelta(minutes=45)
_REMEMBERED = 20_000


class Population:
    """The visitors that the shop knows, and those still to come."""

    def __init__(self, rng: random.Random, known: int) -> None:
        self._rng = rng
        self._known = [new_visitor(rng) for _ in range(known)]
        for visitor in self._known:
            visitor.visits = 1

    def pick(self, start: datetime) -> Visitor:
        """The visitor of a visit that begins at `start`."""
        rng = self._rng
        if rng.random() < RETURNING:
            # The square favours those who came lately.
            candidate = self._known[-1 - int(len(self._known) * rng.random() ** 2)]
            if candidate.seen_until is None or candidate.seen_until + APART < start:
                return candidate
        return self._welcome()

    def _welcome(self) -> Visitor:
        rng = self._rng
        other = rng.choice(self._known)
        is_known_person = other.account_id is not None and rng.random() < SECOND_BROWSER / 0.3
        visitor = second_browser(rng, other) if is_known_person else new_visitor(rng)
        self._known.append(visitor)
        if len(self._known) > 2 * _REMEMBERED:
            del self._known[:_REMEMBERED]
        return visitor


def starts(rng: random.Random, day: datetime, number: int, visitors_per_day: int) -> list[datetime]:
    """When the visits of one UTC day begin, in order; `number` counts the days since the first."""
    expected = visitors_per_day * WEEKDAYS[day.weekday()] * (1 + GROWTH * number)
    visits = max(0, round(rng.gauss(expected, 0.04 * expected)))
    hours = rng.choices(range(24), HOURS, k=visits)
    return sorted(day + timedelta(hours=hour, milliseconds=rng.randrange(3_600_000)) for hour in hours)

"""Attribution once more, in Python: touches, credits and lost journeys from the sessions and orders of a warehouse."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import groupby
from typing import Any
from uuid import UUID

from clickstream_dagster.stack import Stack
from support.stories import rows

_SESSIONS = """
    select session_key, visitor_id, user_id, started_at, channel, is_bot,
        channel <> 'direct' or page_view_count + product_view_count + search_count + click_count + add_to_cart_count
            + checkout_count > 0, is_shared
    from fact_sessions
"""
_ORDERS = "select order_id, session_key, ordered_at, is_bot, revenue - refunded from fact_orders"


@dataclass(frozen=True)
class Touch:
    started_at: datetime
    session: UUID
    channel: str


@dataclass(frozen=True)
class Attribution:
    """The touches of each order in their order, its net revenue, and the paths of the journeys that led to none."""

    touches: Mapping[str, Sequence[Touch]]
    net: Mapping[str, Decimal]
    lost: Sequence[tuple[str, bool, tuple[str, ...]]]


def attribution(stack: Stack, window: timedelta) -> Attribution:
    """What a warehouse's sessions and orders come to."""
    sessions = rows(stack, _SESSIONS)
    users = defaultdict(set)
    for _, visitor, user, *_, is_shared in sessions:
        users[visitor] |= {user} - {None} | ({"another"} if is_shared else set())
    person = {visitor: min(names) if len(names) == 1 else visitor for visitor, names in users.items()}
    owner = {session: person[visitor] for session, visitor, *_ in sessions}
    visits: dict[tuple[str, bool], list[Touch]] = defaultdict(list)
    for session, visitor, _, started_at, channel, is_bot, is_visit, _ in sessions:
        if is_visit:
            visits[person[visitor], is_bot].append(Touch(started_at, session, channel))
    touches, net, bought = {}, {}, defaultdict(list)
    own = {session: Touch(started_at, session, channel) for session, _, _, started_at, channel, *_ in sessions}
    for order, session, ordered_at, is_bot, amount in rows(stack, _ORDERS):
        bought[owner[session], is_bot].append(ordered_at)
        near = [one for one in visits[owner[session], is_bot] if ordered_at - window <= one.started_at <= ordered_at]
        before = [one for one in near if one.session != session]
        is_visit = own[session] in visits[owner[session], is_bot]
        touches[order] = [*sorted(before, key=_place), *([own[session]] if is_visit or not before else [])]
        net[order] = amount
    lost = []
    for (who, is_bot), mine in visits.items():
        led = [
            one for one in mine if any(one.started_at <= at <= one.started_at + window for at in bought[who, is_bot])
        ]
        idle = sorted((one for one in mine if one not in led), key=_place)
        cuts = [n for n in range(1, len(idle)) if idle[n].started_at - idle[n - 1].started_at > window]
        for start, end in zip([0, *cuts], [*cuts, len(idle)], strict=True):
            if idle:
                lost.append((who, is_bot, path(idle[start:end])))
    return Attribution(touches, net, sorted(lost))


def _place(touch: Touch) -> tuple[Any, ...]:
    return touch.started_at, touch.session


def path(touches: Sequence[Touch]) -> tuple[str, ...]:
    """Their channels, the same one again left out."""
    return tuple(channel for channel, _ in groupby(one.channel for one in touches))[-20:]


def worth(model: str, touches: Sequence[Touch], amount: Decimal, decimals: int) -> list[Decimal]:
    """What each touch gets of an amount: exact fractions, rounded by largest remainder."""
    units = int(amount.scaleb(decimals))
    weights = _weights(model, touches)
    claims = [units * Fraction(weight) / sum(map(Fraction, weights)) for weight in weights]
    parts = [int(claim) for claim in claims]
    by_remainder = sorted(range(len(claims)), key=lambda n: (parts[n] - claims[n], n))
    for n in by_remainder[: units - sum(parts)]:
        parts[n] += 1
    return [Decimal(part).scaleb(-decimals) for part in parts]


def _weights(model: str, touches: Sequence[Touch]) -> list[Fraction]:
    count = len(touches)
    one = [Fraction(0)] * count
    if model in ("first", "last", "last_non_direct"):
        named = [n for n, touch in enumerate(touches) if touch.channel != "direct"]
        one[{"first": 0, "last": count - 1, "last_non_direct": named[-1] if named else count - 1}[model]] = Fraction(1)
        return one
    if model == "position" and count > 2:
        return [Fraction(2, 5), *[Fraction(1, 5 * (count - 2))] * (count - 2), Fraction(2, 5)]
    if model == "time_decay":
        newest = max(touch.started_at for touch in touches)
        ages = [(newest - touch.started_at) / timedelta(days=7) for touch in touches]
        return [Fraction(round(2**-age * 10**12)) for age in ages]
    return [Fraction(1)] * count

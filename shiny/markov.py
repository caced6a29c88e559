"""The Markov model of attribution: what would be lost without a channel, in exact fractions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction

#: Where a journey begins and ends besides channels.
START, ORDER, LOST = "(start)", "(order)", "(lost)"
#: (from, to, how many journeys): `from` is START or a channel, `to` a channel, ORDER or LOST.
Moves = Iterable[tuple[str, str, int]]


def removal_effects(moves: Moves) -> dict[str, Fraction]:
    """Of each channel the part of all orders that is lost when every journey that comes to it ends there.

    Orders without a channel are those that come by it less, so they need no second chain: the chance to come to the channel at
    all, times the chance of an order from there, over the chance of an order.
    """
    chances = _chances(moves)
    channels = sorted({name for pair in chances for name in pair} - {START, ORDER, LOST})
    # Each row says: visits of a channel are those from the start, and those from other channels. Its inverse has, in row i
    # and column j, how often a journey that is at i will be at j.
    stays = _inverse([[Fraction(i == j) - chances.get((i, j), Fraction(0)) for j in channels] for i in channels])
    first = [chances.get((START, name), Fraction(0)) for name in channels]
    ending = [chances.get((name, ORDER), Fraction(0)) for name in channels]
    orders = [sum((row[j] * ending[j] for j in range(len(channels))), Fraction(0)) for row in stays]
    whole = sum((first[i] * orders[i] for i in range(len(channels))), Fraction(0))
    if not whole:
        return dict.fromkeys(channels, Fraction(0))
    effects = {}
    for j, name in enumerate(channels):
        visits = sum((first[i] * stays[i][j] for i in range(len(channels))), Fraction(0))
        effects[name] = visits / stays[j][j] * orders[j] / whole
    return effects


def shared(amount: Decimal, weights: Mapping[str, Fraction], decimals: int) -> dict[str, Decimal]:
    """An amount by weight, rounded so that the parts sum to it: down, and the units that are left one by one to the largest
    remainders, of equal ones to the first name. Without any weight nothing can be shared, and the answer is empty."""
    whole = sum(weights.values())
    if not whole:
        return {}
    units = int(amount.scaleb(decimals))
    claims = {name: units * weights[name] / whole for name in sorted(weights)}
    parts = {name: int(claim) for name, claim in claims.items()}
    for name in sorted(claims, key=lambda name: parts[name] - claims[name])[: units - sum(parts.values())]:
        parts[name] += 1
    return {name: Decimal(part).scaleb(-decimals) for name, part in parts.items()}


def _chances(moves: Moves) -> dict[tuple[str, str], Fraction]:
    counted = [move for move in moves if move[2]]
    leaving: dict[str, int] = {}
    for origin, _, count in counted:
        leaving[origin] = leaving.get(origin, 0) + count
    return {(origin, target): Fraction(count, leaving[origin]) for origin, target, count in counted}


def _inverse(matrix: Sequence[Sequence[Fraction]]) -> list[list[Fraction]]:
    """By Gauss and Jordan. Every journey ends, so there is one."""
    size = len(matrix)
    rows = [[*row, *(Fraction(i == j) for j in range(size))] for i, row in enumerate(matrix)]
    for place in range(size):
        pivot = next(n for n in range(place, size) if rows[n][place])
        rows[place], rows[pivot] = rows[pivot], rows[place]
        scale = rows[place][place]
        rows[place] = [value / scale for value in rows[place]]
        for n in range(size):
            if n != place and (factor := rows[n][place]):
                rows[n] = [value - factor * base for value, base in zip(rows[n], rows[place], strict=True)]
    return [row[size:] for row in rows]

"""The Markov model: the file `cases/markov.yml`, to be checked by hand, and a chain without the channel, solved in floats."""

from __future__ import annotations

import random
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from markov import LOST, ORDER, START, removal_effects, shared

CASES = yaml.safe_load((Path(__file__).parent / "cases" / "markov.yml").read_text())["cases"]


def moves_of(journeys: list[dict[str, Any]]) -> list[tuple[str, str, int]]:
    moves = []
    for one in journeys:
        steps = [START, *one["path"]]
        moves += [(origin, target, one["orders"] + one["lost"]) for origin, target in pairwise(steps)]
        moves += [(steps[-1], ORDER, one["orders"]), (steps[-1], LOST, one["lost"])]
    summed: dict[tuple[str, str], int] = {}
    for origin, target, count in moves:
        summed[origin, target] = summed.get((origin, target), 0) + count
    return [(*pair, count) for pair, count in summed.items()]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_effects_and_credits_are_those_of_the_file(case: dict[str, Any]) -> None:
    effects = removal_effects(moves_of(case["journeys"]))
    assert effects == {name: Fraction(value) for name, value in case["effects"].items()}
    assert shared(Decimal(1), effects, 6) == {n: Decimal(str(value)) for n, value in case["orders"].items()}
    whole = Decimal(str(case["revenue"].pop("of")))
    assert shared(whole, effects, 2) == {name: Decimal(str(value)) for name, value in case["revenue"].items()}


def random_moves(rng: random.Random, channels: list[str]) -> list[tuple[str, str, int]]:
    def some() -> int:
        return rng.choice((0, 1, rng.randrange(1_000)))

    between = [(one, other, some()) for one in channels for other in channels if one != other]
    return [
        *((START, name, 1 + some()) for name in channels),
        *between,
        *((name, ORDER, some()) for name in channels),
        *((name, LOST, 1 + some()) for name in channels),
    ]


def ordering(moves: list[tuple[str, str, int]], channels: list[str], removed: str | None) -> float:
    """The chance of an order in the chain without a channel."""
    leaving = {name: sum(count for origin, _, count in moves if origin == name) for name in [START, *channels]}
    chances = {(origin, target): count / leaving[origin] for origin, target, count in moves if count}
    left = [name for name in channels if name != removed]
    matrix = np.eye(len(left)) - [[chances.get((one, other), 0) for other in left] for one in left]
    by_channel = np.linalg.solve(matrix, [chances.get((name, ORDER), 0) for name in left])
    return float(np.dot([chances.get((START, name), 0) for name in left], by_channel))


@pytest.mark.parametrize("seed", range(20))
def test_an_effect_is_what_the_chain_without_the_channel_loses(seed: int) -> None:
    rng = random.Random(seed)
    channels = [f"c{number}" for number in range(rng.randint(1, 7))]
    moves = random_moves(rng, channels)
    effects = removal_effects(moves)
    whole = ordering(moves, channels, None)
    expected = {name: 1 - ordering(moves, channels, name) / whole if whole else 0 for name in channels}
    assert {name: float(value) for name, value in effects.items()} == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(20))
def test_what_is_shared_adds_up_to_the_unit(seed: int) -> None:
    rng = random.Random(seed)
    weights = {f"c{number}": Fraction(rng.randrange(100), rng.randint(1, 100)) for number in range(9)}
    amount = Decimal(rng.randrange(10**9)).scaleb(-2)
    parts = shared(amount, weights, 2)
    assert sum(parts.values()) == amount
    exact = {name: float(Fraction(amount) * weight / sum(weights.values())) for name, weight in weights.items()}
    assert {name: float(part) for name, part in parts.items()} == pytest.approx(exact, abs=0.01)

"""What an experiment says: its formulas on printed values, its sentences, and how often it is wrong."""

from __future__ import annotations

import random
from datetime import date
from math import sqrt

import pandas as pd
import pytest

from noise import Amounts, Z
from pages.experiment_blocks import faults, notes
from pages.experiment_rows import _experiment
from pages.experiment_verdict import (
    Variant,
    chi_square_above,
    in_order,
    lift,
    split_p,
    verdict,
    visitors_needed,
)


def variant(name: str, visitors: int, buyers: int) -> Variant:
    return Variant(name, visitors, buyers, buyers, Amounts(visitors, 10.0 * buyers, 100.0 * buyers))


@pytest.mark.parametrize(
    ("value", "degrees", "above"),
    [(3.841, 1, 0.05), (10.828, 1, 0.001), (5.991, 2, 0.05), (7.815, 3, 0.05), (18.467, 4, 0.001), (11.070, 5, 0.05)],
)
def test_chi_square_is_that_of_a_printed_table(value: float, degrees: int, above: float) -> None:
    assert chi_square_above(value, degrees) == pytest.approx(above, rel=0.001)


def test_a_split_that_chance_does_not_give() -> None:
    assert split_p([500, 500]) == 1
    assert split_p([520, 480]) == pytest.approx(0.2059, abs=0.0001)  # chi-square 1.6
    assert split_p([5_200, 4_800]) == pytest.approx(0.0000633, rel=0.01)  # chi-square 16
    assert split_p([100, 100, 160]) < 0.001


def test_the_control_is_first() -> None:
    assert [one.name for one in in_order([variant(n, 1, 0) for n in ("b", "Control", "a")])] == ["Control", "a", "b"]
    assert [one.name for one in in_order([variant(n, 1, 0) for n in ("1", "0", "2")])] == ["0", "1", "2"]


def test_the_sequence_is_wider_than_one_look() -> None:
    one, control = variant("b", 2_500, 250), variant("a", 2_500, 200)
    found = lift(one, control)
    error = sqrt(2 * 0.09 * 0.91 / 2_500)
    assert found.value == pytest.approx(0.02)
    assert (found.high - found.low) / 2 / error == pytest.approx(3.035, abs=0.001)  # worked out by hand at 5,000
    assert lift(one, control, 2).low < found.low


def test_what_it_takes_is_enough_and_no_less() -> None:
    needed = visitors_needed(0.03)
    assert needed is not None
    # One look, known by heart from every calculator: 13,911. All looks cost about twice as many.
    assert 1.8 < needed / 13_911 < 2.6
    assert visitors_needed(0.0) is visitors_needed(1.0) is None
    assert visitors_needed(0.0000001) is None


@pytest.mark.parametrize(
    ("variants", "says"),
    [
        ([], "Nobody was shown one variant alone"),
        ([variant("a", 100, 5)], "Only one variant"),
        ([variant("a", 100, 5), variant("b", 100, 6)], "Not enough yet: 11 visitors have bought"),
        ([variant("a", 100, 0), variant("b", 100, 0)], "cannot be told from these"),
        ([variant("a", 1_000, 40), variant("b", 1_000, 50)], "Not enough yet: the difference may be chance"),
        ([variant("a", 9_000, 300), variant("b", 9_000, 500)], "Of those who see b, more buy than of those who see a"),
        ([variant("a", 9_000, 500), variant("b", 9_000, 300)], "Of those who see b, fewer buy than of those who see a"),
        ([variant("a", 90_000, 2_700), variant("b", 90_000, 2_720)], "No difference that is more than chance"),
        ([variant("a", 1_000, 60), variant("b", 2, 0)], "Not enough yet: the difference may be chance"),
        ([variant("a", 1_000, 60), variant("b", 1, 1)], "Not enough yet: the difference may be chance"),
        ([variant("a", 1_000, 60), variant("b", 40, 0)], "Not enough yet: the difference may be chance"),
    ],
)
def test_the_sentence(variants: list[Variant], says: str) -> None:
    assert says in verdict(variants, 14)


def test_how_long_it_still_takes() -> None:
    needed = visitors_needed(0.04)
    assert needed is not None
    said = verdict([variant("a", 1_000, 40), variant("b", 1_000, 50)], 10)
    assert f"from 4.0 % to 4.8 %, takes about {needed:,} visitors of each variant: {needed - 1_000:,} more" in said
    assert f"about {-((1_000 - needed) // 100):,} days at this pace" in said


def test_who_looks_every_day_finds_no_winner_where_there_is_none() -> None:
    """400 experiments of two equal variants, looked at on each of 28 days."""
    rng, plain, sequence = random.Random(8), 0, 0
    for _ in range(400):
        visitors, bought = 0, [0, 0]
        is_plain = is_sequence = False
        for _ in range(28):
            visitors += 100
            for side in (0, 1):
                bought[side] += sum(rng.random() < 0.06 for _ in range(100))
            one, other = variant("b", visitors, bought[1]), variant("a", visitors, bought[0])
            error = sqrt(sum(v.rate * (1 - v.rate) / v.visitors for v in (one, other)))
            is_plain |= abs(one.rate - other.rate) > Z * error
            is_sequence |= "however often" in verdict([other, one], 1)
        plain += is_plain
        sequence += is_sequence
    assert plain > 400 * 0.15, "one look's interval, looked at daily, finds winners"
    assert sequence <= 400 * 0.05


def test_a_small_variant_is_no_winner_and_no_loser_either() -> None:
    """300 experiments of which one visitor in fifty, or in ten, gets the other variant, looked at after each 200 visitors."""
    rng = random.Random(8)
    for part in (0.02, 0.1):
        wrong = 0
        for _ in range(300):
            visitors, bought, is_told = [0, 0], [0, 0], False
            for _ in range(25):
                for _ in range(200):
                    side = rng.random() < part
                    visitors[side] += 1
                    bought[side] += rng.random() < 0.06
                if all(visitors):
                    one, other = (variant(name, visitors[side], bought[side]) for side, name in enumerate("ab"))
                    is_told |= "however often" in verdict([one, other], 1)
            wrong += is_told
        assert wrong <= 300 * 0.05


def test_a_stray_variant_spoils_nothing() -> None:
    """One visitor in 201 or more with another name, or hundreds of thousands of days would be missing."""
    counts = {"aaa": 1, "control": 1_000, "green": 1_020}
    rows = pd.DataFrame(
        {"variant": name, "visitors": n, "buyers": n // 20, "orders": n // 20, "net_revenue": 0, "squares": 0}
        for name, n in counts.items()
    ).assign(variants=3, all_mixed=0, other_orders=0, first_on=date(2026, 3, 1), last_on=date(2026, 3, 14))
    found = _experiment("cart", rows)
    assert [one.name for one in found.variants] == ["control", "green"]
    assert faults(found) == []
    assert notes(found) == ["1 variants with fewer visitors are not shown."]
    assert len(_experiment("cart", rows.assign(visitors=[1, 200, 190])).variants) == 3

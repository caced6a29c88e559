"""Experiments in worked examples: each file holds a few events, and what they come to. Check it by hand, and add another."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.connection import transaction
from clickstream_dagster.warehouse.models import all_models
from ingest_lambda.contract import Event, Order
from support import golden
from support.stories import GOOGLEBOT, event, five_weeks, rows, tell, visits

CASES = sorted((Path(__file__).parent / "experiments").glob("*.txt"))
NOTHING = "-"


def told(lines: list[str]) -> Iterator[Event]:
    """A line is: day time visitor experiment variant event order amount currency. The visitor `bot` is one."""
    for line in lines:
        day, time, visitor, *rest = line.split()
        experiment, variant, name, order, amount, currency = (None if word == NOTHING else word for word in rest)
        yield event(
            f"{day} {time}",
            str(name),
            visitor,
            experiment=experiment,
            variant=variant,
            user_agent=GOOGLEBOT if visitor == "bot" else None,
            currency=currency,
            order=Order(id=order, value=Decimal(str(amount))) if order else None,
        )


@pytest.mark.parametrize("is_backwards", golden.ORDERS.values(), ids=golden.ORDERS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_events_come_to_what_the_file_says(stack: Stack, case: Path, is_backwards: bool) -> None:
    golden.check(stack, case, told, is_backwards)


@dataclass
class Seen:
    """What one visitor saw of one experiment, as one would keep it on paper."""

    first: datetime
    is_bot: bool
    variants: dict[str, datetime] = field(default_factory=dict)


def _shown(rng: random.Random, _: str) -> str | None:
    return rng.choice((None, None, None, "cart", "price"))


def test_a_random_history_comes_to_what_walking_through_it_does(stack: Stack) -> None:
    history = five_weeks(
        11,
        ("page_view", "view_product", "purchase"),
        visitors=60,
        order=lambda rng, name: Order(id=f"o{rng.random()}", value=Decimal(5)) if name == "purchase" else None,
        experiment=_shown,
        variant=lambda rng, _: rng.choice("abb"),
    )
    for one in history:
        one.variant = one.variant if one.experiment else None
    for part in range(3):
        tell(stack, *history[part::3])
    seen: dict[tuple[str, str], Seen] = {}
    orders = defaultdict(list)
    for visit in visits(history):
        for one in visit.events:
            if one.experiment:
                mine = seen.setdefault((one.experiment, visit.visitor), Seen(one.event_timestamp, visit.is_bot))
                mine.variants.setdefault(str(one.variant), one.event_timestamp)
            if one.event_name == "purchase":
                orders[visit.visitor, visit.is_bot].append(one.event_timestamp)
    expected = [
        (
            *key,
            min(mine.variants, key=lambda name: (mine.variants[name], name)),
            len(mine.variants) > 1,
            sum(mine.first <= at <= mine.first + timedelta(days=30) for at in orders[key[1], mine.is_bot]),
        )
        for key, mine in sorted(seen.items())
    ]
    query = "select experiment, visitor_id, variant, is_mixed, orders from fact_experiment_visitors order by 1, 2"
    assert rows(stack, query) == expected
    assert len({row[2:4] for row in expected}) == 4, "both variants, mixed and not"


def test_a_visitor_in_many_experiments_is_read_up_to_a_limit(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clickstream_dagster.warehouse.shop_settings.VARIANTS_LIMIT", 3)
    tell(stack, *(event(f"1 10:0{n}", experiment=f"e{9 - n}", variant="a") for n in range(3)))
    assert rows(stack, "select experiment, is_limit_reached from fact_experiment_visitors order by 1") == [
        ("e7", True),
        ("e8", True),
        ("e9", True),
    ]
    tell(stack, *(event(f"1 10:0{n}", experiment=f"e{n}", variant="a") for n in range(3)))
    assert rows(stack, "select count(*), min(experiment) from fact_experiment_visitors") == [(3, "e0")]


def test_what_is_named_a_thousand_times_costs_a_step_for_each_variant(stack: Stack) -> None:
    shown = (event(f"1 10:{n // 60:02}:{n % 60:02}", experiment="cart", variant="a") for n in range(1_000))
    tell(stack, *shown, event("1 11:00", experiment="cart", variant="b"))
    sql = all_models()["fact_experiment_visitors"].sql
    with stack.warehouse() as connection, transaction(connection) as cursor:
        cursor.execute("analyze clickstream_events")
        cursor.execute("create temporary table rebuild_keys on commit drop as select 'ann' as visitor_id")
        cursor.execute("analyze rebuild_keys")
        cursor.execute(f"explain (analyze, format json) {sql}")
        [(plan,)] = cursor.fetchall()
    assert max(_rows_of_events(plan[0]["Plan"])) <= 2


def _rows_of_events(node: dict[str, Any]) -> Iterator[float]:
    """How many rows each look at the events read, all its loops together."""
    if node.get("Relation Name") == "clickstream_events":
        yield node["Actual Rows"] * node["Actual Loops"] + node.get("Rows Removed by Filter", 0)
    for part in node.get("Plans", ()):
        yield from _rows_of_events(part)

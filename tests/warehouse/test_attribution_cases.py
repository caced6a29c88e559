"""Orders and the visits before them, and what each model credits: the files in `attribution/`, to be checked by hand."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from clickstream_dagster.stack import Stack
from ingest_lambda.contract import Event, Order
from support.stories import event, rows, tell
from support.tables import unequal_sums

FILES = sorted((Path(__file__).parent / "attribution").glob("*.yml"))
CASES = [
    pytest.param(told["model"], case, id=f"{told['model']}: {case['name']}")
    for told in (yaml.safe_load(file.read_text()) for file in FILES)
    for case in told["cases"]
]
#: How a visit comes to be of a channel. A payment gateway is none.
ORIGINS: dict[str, dict[str, Any]] = {
    "email": {"path": "/?utm_source=news&utm_medium=email"},
    "social": {"path": "/?utm_source=pinterest&utm_medium=social"},
    "paid search": {"path": "/?gclid=abc"},
    "referral": {"path": "/", "referrer": "https://blog.example/"},
    "direct": {"path": "/"},
    "gateway": {"path": "/thanks", "referrer": "https://checkout.stripe.com/pay"},
}
MODELS = ("first", "last", "last_non_direct", "linear", "position", "time_decay")


def _visit(text: str) -> Event:
    day, time, channel = text.split(" ", 2)
    return event(f"{day} {time}", user_id="u-1", **ORIGINS[channel])


def _order(text: str) -> list[Event]:
    day, time, value, *more = text.split(" ")
    said = dict(zip(more[::2], more[1::2], strict=True))
    who = {"visitor": "u-1" if said.get("by") == "server" else "ann", "user_id": "u-1"}
    events = [event(f"{day} {time}", "purchase", order=Order(id="o1", value=Decimal(value)), **who)]
    if "refunded" in said:
        events.append(event(f"{day} {time}", "refund", order=Order(id="o1", value=Decimal(said["refunded"])), **who))
    return events


def _credit(text: str) -> tuple[str, Decimal, Decimal]:
    channel, orders, revenue = text.rsplit(" ", 2)
    return channel, Decimal(orders), Decimal(revenue)


@pytest.mark.parametrize(("model", "case"), CASES)
def test_a_model_credits_what_its_file_says(stack: Stack, model: str, case: dict[str, Any]) -> None:
    tell(stack, *map(_visit, case["visits"]), *_order(case["order"]))
    query = f"select channel, {model}_orders, {model}_revenue from fact_order_touches order by position"
    assert rows(stack, query) == [_credit(text) for text in case["credits"]]


def test_each_model_of_the_tables_has_its_file() -> None:
    assert [file.stem for file in FILES] == sorted(MODELS)


def test_each_model_gives_away_all_of_each_order(stack: Stack) -> None:
    values = ("0.01", "0.02", "99.99", "100.00", "1234.567", "0.00")
    for number, value in enumerate(values):
        visits = [event(f"{day} 10:00", visitor=f"v{number}", **ORIGINS["email"]) for day in range(1, 2 + 3 * number)]
        order = Order(id=f"o{number}", value=Decimal(value))
        tell(stack, *visits, event("17 10:05", "purchase", visitor=f"v{number}", order=order))
    for model in MODELS:
        sums = f"select sum({model}_orders), sum({model}_revenue) from fact_order_touches group by order_id order by order_id"
        assert rows(stack, sums) == [(1, Decimal(value)) for value in values]
    with stack.warehouse() as connection:
        assert unequal_sums(connection) == {}

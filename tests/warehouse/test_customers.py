"""Customers in worked examples: each file holds a few events, and what they come to. Check it by hand, and add another."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.connection import transaction
from clickstream_dagster.warehouse.segment_file import WORDS
from ingest_lambda.contract import Event, Order
from support import golden
from support.stories import GOOGLEBOT, event, five_weeks, rows, tell

CASES = sorted((Path(__file__).parent / "customers").glob("*.txt"))
NOTHING = "-"


def told(lines: list[str]) -> Iterator[Event]:
    """A line is: day time visitor user event order amount currency page."""
    for day, time, visitor, user, name, order, amount, currency, page in map(str.split, lines):
        yield event(
            f"{day} {time}",
            name,
            visitor,
            page if page.startswith("/") else None,
            user_id=None if user == NOTHING else user,
            user_agent=GOOGLEBOT if page == "bot" else None,
            currency=None if currency == NOTHING else currency,
            order=None if order == NOTHING else Order(id=order, value=Decimal(amount)),
        )


@pytest.mark.parametrize("is_backwards", golden.ORDERS.values(), ids=golden.ORDERS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_events_come_to_what_the_file_says(stack: Stack, case: Path, is_backwards: bool) -> None:
    golden.check(stack, case, told, is_backwards)


GROUPS = set(WORDS["rfm"])


@pytest.fixture
def shop(stack: Stack) -> Stack:
    """A random history with sign-ins, refunds and two currencies."""
    names = ("page_view", "purchase", "purchase", "refund")
    history = five_weeks(
        3,
        names,
        visitors=60,
        order=lambda rng, name: (
            Order(id=f"o{rng.randrange(400)}", value=Decimal(rng.randrange(1, 90)))
            if name in ("purchase", "refund")
            else None
        ),
        currency=lambda rng, _: rng.choice(("USD", "USD", "USD", "EUR")),
        user_id=lambda rng, _: rng.choice((None, None, None, f"u{rng.randrange(8)}")),
    )
    for part in range(3):
        tell(stack, *history[part::3])
    return stack


def test_new_and_returning_orders_are_the_orders(shop: Stack) -> None:
    by_day = """
        select local_date, is_bot, sum(new_orders), sum(returning_orders), sum(orders), sum(new_revenue + returning_revenue),
            sum(new_refunded + returning_refunded), sum(new_customers)
        from agg_daily_customers group by 1, 2 order by 1, 2
        """
    told = (
        "select local_date, is_bot, count(*), sum(revenue), sum(refunded) from fact_orders group by 1, 2 order by 1, 2"
    )
    found = rows(shop, by_day)
    assert [(day, is_bot, new + again, *more) for day, is_bot, new, again, _, *more, _ in found] == rows(shop, told)
    assert all(new + again == orders for _, _, new, again, orders, *_ in found)
    assert sum(row[-1] for row in found) == rows(shop, "select count(*) from fact_customers")[0][0]


def test_the_buyers_of_any_dates_are_distinct_people(shop: Stack) -> None:
    for start, end in (("2026-04-06", "2026-05-20"), ("2026-04-13", "2026-04-19"), ("2026-04-20", "2026-04-20")):
        counted = f"""
            select count(*) from fact_customer_orders
            where not is_bot and local_date between '{start}' and '{end}' and (previous_on is null or previous_on < '{start}')
            """
        distinct = f"""
            select count(distinct dim_visitor.person_id) from fact_orders inner join dim_visitor using (visitor_id)
            where not fact_orders.is_bot and local_date between '{start}' and '{end}'
            """
        # Two orders of one person on one day: the second one's day before is the first one's.
        assert rows(shop, counted) == rows(shop, distinct) != [(0,)]


def test_rfm_groups_partition_the_buyers_by_score(shop: Stack) -> None:
    found = rows(
        shop, "select person_id, is_bot, recency, frequency, monetary, rfm_group from customer_rfm order by 1, 2"
    )
    assert [row[:2] for row in found] == rows(shop, "select person_id, is_bot from fact_customers order by 1, 2")
    assert {row[5] for row in found} <= GROUPS
    assert {score for row in found for score in row[2:5]} == {1, 2, 3, 4, 5}


def test_equal_values_have_equal_scores_and_more_is_never_less(shop: Stack) -> None:
    for value, score in (("days_since_order", "6 - recency"), ("purchases", "frequency")):
        found = rows(
            shop, f"select {value}, min({score}), max({score}) from customer_rfm where not is_bot group by 1 order by 1"
        )
        assert all(low == high for _, low, high in found)
        assert [low for _, low, _ in found] == sorted(low for _, low, _ in found)


def test_every_cell_of_recency_and_frequency_has_a_group(stack: Stack) -> None:
    """The view's own rule over each pair of scores, since no small shop has them all."""
    with stack.warehouse() as connection, transaction(connection) as cursor:
        cursor.execute("select pg_get_viewdef('customer_rfm'::regclass)")
        [(text,)] = cursor.fetchall()
        rule = text[text.index("CASE") : text.index("END AS rfm_group")].replace("scored.", "") + "end"
        cursor.execute(f"""
            select recency, frequency, {rule} from generate_series(1, 5) as recency, generate_series(1, 5) as frequency
            order by 1 desc, 2
            """)
        found = {(recency, frequency): group for recency, frequency, group in cursor.fetchall()}
    documented = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text()
    for recency in range(5, 0, -1):
        cells = " | ".join(found[recency, frequency] for frequency in range(1, 6))
        assert f"| **{recency}** | {cells} |" in documented
    assert set(found.values()) == GROUPS

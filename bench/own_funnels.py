"""How long does a funnel of three steps take over 90 days, at 10 million events a year? Next to the SQL that one writes first.

Run: python bench/own_funnels.py [--events N] [--home DIR] [--repeats N]

Builds a shop's year in an embedded PostgreSQL (DIR keeps it for the next time; building takes long), and asks as the dashboard
does: by the reader's role, without parallel workers. Prints p50 and p95 by the clock, and what the first two steps came to.
"""

from __future__ import annotations

import argparse
import json
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from dashboard_pages import TARGET_MS, load, quantile
from parts import claim, temporary_home
from shop_year.build import BEGIN, END, shop_year

STEPS = ("view_product", "add_to_cart", "purchase")
FUNNEL = "select units from funnel(%(steps)s::jsonb, %(start)s, %(end)s, %(unit)s, %(within)s::interval, %(by)s) order by step"
#: The events and their sessions, and for each step the first event after the step before.
PLAIN = """
    with steps as (
        select session_key, event_name, event_timestamp from fact_events
        where local_date between %(start)s and %(end)s and not is_bot
            and event_name in ('view_product', 'add_to_cart', 'purchase')
    ),
    one as (select session_key, min(event_timestamp) as at from steps where event_name = 'view_product' group by 1),
    two as (
        select session_key, min(event_timestamp) as at from one inner join steps using (session_key)
        where event_name = 'add_to_cart' and event_timestamp >= one.at group by 1
    ),
    three as (
        select session_key from two inner join steps using (session_key)
        where event_name = 'purchase' and event_timestamp >= two.at group by 1
    )
    select count(*) from one union all select count(*) from two union all select count(*) from three
"""
CASES = {
    "in one session": {},
    "in one session, by device": {"by": "device_type"},
    "visitors, in one session": {"unit": "visitor"},
    "visitors, within 7 days": {"unit": "visitor", "within": "7 days"},
    "people, within 7 days": {"unit": "person", "within": "7 days"},
}


def main() -> None:
    import psycopg2

    from clickstream_dagster.cli.serving import reader_environment
    from clickstream_dagster.settings import load_settings
    from clickstream_dagster.stack import Stack
    from queries import _OPTIONS, dsn

    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--repeats", type=int, default=20)
    asked = parser.parse_args()
    with temporary_home(BEGIN, asked.home):
        stack = shop_year(Stack(load_settings()), asked.events)
        options = f"{_OPTIONS} -c statement_timeout=600000"
        with psycopg2.connect(dsn(reader_environment(stack)), options=options) as connection:
            print(f"{asked.events:,} events over a year; load {load()}")
            first = None
            for name, more in CASES.items():
                counts, p95 = measure(connection, name, FUNNEL, more, asked.repeats)
                first = first or counts
                if not more:
                    claim("a funnel of three steps over 90 days, ms", "p95", p95, TARGET_MS, at_least=False)
            assert (
                measure(connection, "the SQL that one writes first", PLAIN, {}, max(1, asked.repeats // 5))[0] == first
            )


def measure(connection: Any, name: str, query: str, more: dict[str, str], repeats: int) -> tuple[list[int], float]:
    bound = {
        "steps": json.dumps([{"event": step} for step in STEPS]),
        "start": (END - timedelta(days=90)).date(),
        "end": (END - timedelta(days=1)).date(),
        **{"unit": "session", "within": None, "by": None, **more},
    }
    taken = []
    for _ in range(repeats + 1):
        started = time.perf_counter()
        with connection.cursor() as cursor:
            cursor.execute(query, bound)
            counts = [units for (units,) in cursor.fetchall()]
        taken.append(1_000 * (time.perf_counter() - started))
    p50, p95 = (quantile(taken[1:], part) for part in (0.5, 0.95))  # the first one warms up
    print(f"{name:32} p50 {p50:6,.0f} ms  p95 {p95:6,.0f} ms  {counts[:3]}", flush=True)
    return counts, p95


if __name__ == "__main__":
    main()

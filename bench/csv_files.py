"""CSV files of a shop's history, the same for a seed on every machine, and with which options they are imported."""

from __future__ import annotations

import csv
import random
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from parts import START

from events import Traffic
from ingest_lambda.contract import Event

#: What a row's time is ahead of the one before it: some 1,400 rows an hour, as many as a small shop has.
SECONDS_APART = 2.5
PRODUCTS, CATEGORIES = 60_000, 600
MAPPING = """
columns:
  event_timestamp: event_time
  event_name: what
  client_id: visitor
  session_id: session
  user_id: user
  page_url: url
  page_title: title
  referrer: referrer
  user_agent: agent
  search_query: search
  quantity: pieces
  product.id: product
  product.name: product_name
  product.category: category
  product.price: price
  order.id: order
  order.value: total
  geo.country: country
  geo.city: city
constants: {currency: EUR}
"""


def narrow(file: Path, rows: int) -> list[str]:
    """As REES46 publishes it. No two rows of a session stand together, a fifth as many visitors as rows, and 60,000 products:
    nearly every cell that can be new is."""
    rng = random.Random(1)
    categories = [
        (rng.randrange(2 * 10**18, 21 * 10**17), rng.choice(("", "electronics.phone", "home.kitchen")))
        for _ in range(CATEGORIES)
    ]
    products = [
        (
            rng.randrange(10**6, 6 * 10**7),
            *rng.choice(categories),
            rng.choice(("", "acme", "müller & söhne", "d'or")),
            f"{rng.uniform(1, 2500):.2f}",
        )
        for _ in range(PRODUCTS)
    ]
    visitors = [rng.randrange(4 * 10**8, 6 * 10**8) for _ in range(rows // 5)]
    sessions: dict[int, UUID] = {}
    at = START
    with file.open("w", newline="", encoding="utf-8") as text:
        writer = csv.writer(text)
        writer.writerow(
            (
                "event_time",
                "event_type",
                "product_id",
                "category_id",
                "category_code",
                "brand",
                "price",
                "user_id",
                "user_session",
            )
        )
        for _ in range(rows):
            at += timedelta(seconds=rng.expovariate(1 / SECONDS_APART))
            visitor = rng.choice(visitors)
            if visitor not in sessions or rng.random() < 0.3:
                sessions[visitor] = UUID(int=rng.getrandbits(128), version=4)
            what = rng.choices(("view", "cart", "purchase"), (96, 2, 2))[0]
            writer.writerow((f"{at:%Y-%m-%d %H:%M:%S} UTC", what, *rng.choice(products), visitor, sessions[visitor]))
    return ["--as", "rees46"]


def wide(file: Path, rows: int) -> list[str]:
    """The events of `events.Traffic` as a table: mixed visits, an address of its own for each landing, quotes and umlauts."""
    mapping = file.with_suffix(".yml")
    mapping.write_text(MAPPING)
    minutes = max(60, round(rows * SECONDS_APART / 60))
    with file.open("w", newline="", encoding="utf-8") as text:
        writer = csv.writer(text)
        names = [line.rpartition(": ")[2] for line in MAPPING.splitlines() if line.startswith("  ")]
        writer.writerow(names)
        writer.writerows(_cells(event) for event in Traffic(1, START, rows, minutes))
    return ["--map", str(mapping)]


def _cells(event: Event) -> tuple[Any, ...]:
    product, order, geo = event.product, event.order, event.geo
    # fmt: off
    return (
        event.event_timestamp.isoformat(), event.event_name, event.client_id, event.session_id, event.user_id,
        event.page_url, event.page_title, event.referrer, event.user_agent, event.search_query, event.quantity,
        product and product.id, product and product.name, product and product.category, product and product.price,
        order and order.id, order and order.value, geo and geo.country, geo and geo.city,
    )
    # fmt: on

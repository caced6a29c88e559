"""A shop's own database, by the schema that we ship, and its orders."""

from __future__ import annotations

import itertools
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from clickstream_dagster.settings import Postgres
from clickstream_dagster.warehouse.connection import Connection, connect, create_database

OLTP = Path(__file__).resolve().parents[2] / "infra_cfn" / "oltp"
_numbers = itertools.count()


class Shop:
    """The database, open for its owner. `reader` is the login that the warehouse has."""

    def __init__(self, postgres: Postgres) -> None:
        name = f"shop_{next(_numbers)}"
        create_database(postgres, name)
        self.owner = replace(postgres, database=name)
        self.reader = replace(self.owner, user="shop_reader")
        for script in ("schema.sql", "reader.sql"):
            self.run((OLTP / script).read_text())

    def connected(self) -> Connection:
        connection = connect(self.owner)
        connection.autocommit = True
        return connection

    def run(self, sql: str, *arguments: object) -> None:
        with closing(self.connected()) as connection, connection.cursor() as cursor:
            cursor.execute(sql, arguments or None)

    def place(self, order: UUID, at: datetime, *lines: tuple[str, int, Any], **more: Any) -> Decimal:
        """An order of some lines (product, quantity, price); its total follows from them and the rest, unless it is said."""
        items = sum((Decimal(str(price)) * quantity for _, quantity, price in lines), Decimal(0))
        parts = {name: Decimal(str(more.get(name, 0))) for name in ("discount", "shipping", "tax")}
        total = Decimal(str(more.get("total", items - parts["discount"] + parts["shipping"] + parts["tax"])))
        for product, *_ in lines:
            self.run(
                "insert into products (product_id, name, category, price) values (%s, %s, 'all', 1) on conflict do nothing",
                product,
                product,
            )
        self.run(
            "insert into orders (order_id, status, currency, total, discount, shipping, tax, created_at, updated_at) "
            "values (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            str(order),
            more.get("status", "paid"),
            more.get("currency", "EUR"),
            total,
            *parts.values(),
            at,
            more.get("updated_at", at),
        )
        for product, quantity, price in lines:
            self.run("insert into order_items values (%s, %s, %s, %s)", str(order), product, quantity, price)
        return total

    def refund(self, order: UUID, amount: Any, at: datetime) -> None:
        self.run("insert into refunds (order_id, amount, created_at) values (%s, %s, %s)", str(order), amount, at)

"""A shop of two weeks, told by hand, and a mail server that keeps what it is given."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest
from aiosmtpd.controller import Controller

from clickstream_dagster.settings import Postgres, load_settings
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.connection import create_database
from dashboard_site import free_port
from ingest_lambda.contract import Event, Order, OrderItem, Product
from support.mailbox import Mailbox
from support.stories import event, tell

#: What anybody can send as the name of a product.
HOSTILE = '\u202ewin.example/gift <img src=x onerror=alert(1)>"></table>\r\nBcc: all@shop.example'


def bought(when: str, visitor: str, order: str, value: str, name: str, path: str | None = None) -> list[Event]:
    """A view of a product, and the order that holds it."""
    sku = name[:8]
    minute = f"{when}:00"
    item = OrderItem(product_id=sku, name=name, price=Decimal(value))
    return [
        event(f"{minute}:00", "view_product", visitor, path or "/p", product=Product(id=sku, name=name, price=Decimal(value))),
        event(
            f"{minute}:30", "purchase", visitor, "/thanks", currency="USD",
            order=Order(id=order, value=Decimal(value), items=[item]),
        ),
    ]  # fmt: skip


@pytest.fixture(scope="module")
def shop(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """Week 15 of 2026 (6 to 12 April) has one order of 100.00; week 16 has three of 60.00, 25.50 and 10.00, and a search."""
    create_database(postgres, "reports")
    settings = load_settings({"CLICKSTREAM_HOME": str(tmp_path_factory.mktemp("reports"))})
    stack = Stack(replace(settings, postgres=replace(postgres, database="reports")))
    tell(
        stack,
        *bought("1 09", "ann", "o1", "100.00", "Mouse"),
        event("2 10:00:00", "page_view", "bob", "/"),
        *bought("8 09", "ann", "o2", "60.00", "Keyboard", "/p?utm_source=news&utm_medium=email&utm_campaign=spring"),
        *bought("9 11", "cleo", "o3", "25.50", "Mouse"),
        *bought("14 20", "dan", "o4", "10.00", HOSTILE),
        event("10 10:00:00", "search", "bob", "/search", search_query="left handed mouse"),
        event("15 00:30:00", "page_view", "eve", "/"),  # the Monday after
    )
    return stack


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    """A mail server on a port of its own."""
    box = Mailbox(free_port())
    running = Controller(box, hostname="127.0.0.1", port=box.port)
    running.start()
    yield box
    running.stop()

"""What a shop's own server reports for a visitor decides over nothing that the browser tells."""

from __future__ import annotations

import pytest

from clickstream_dagster.stack import Stack
from ingest_lambda.contract import Event, Order
from support.stories import event, rows, tell

FIREFOX = "Mozilla/5.0 (Android 14; Mobile; rv:128.0) Gecko/128.0 Firefox/128.0"
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


def bought(user_agent: str, at: str = "1 10:04") -> Event:
    return event(at, "purchase", order=Order(id="o1"), user_agent=user_agent)


def browsed() -> list[Event]:
    names = ("page_view", "view_product", "add_to_cart", "checkout")
    return [event(f"1 10:0{minute}", name, user_agent=FIREFOX) for minute, name in enumerate(names)]


@pytest.mark.parametrize("server", ["axios/1.7.2", "python-requests/2.32", "curl/8.5.0", "Acme-Backend/1.0"])
@pytest.mark.parametrize("at", ["1 09:59", "1 10:04"], ids=["before the browser", "after it"])
def test_a_purchase_that_the_shops_server_sends_is_a_persons(stack: Stack, server: str, at: str) -> None:
    tell(stack, *browsed(), bought(server, at))
    assert rows(stack, "select device_type, is_bot from fact_sessions") == [("mobile", False)]
    assert rows(stack, "select device_type, is_bot from fact_orders") == [("mobile", False)]


def test_a_session_of_nothing_but_a_server_is_no_bots(stack: Stack) -> None:
    tell(stack, bought("axios/1.7.2"))
    assert rows(stack, "select device_type, is_bot from fact_sessions") == [(None, False)]


def test_a_session_with_a_crawlers_event_is_a_bots(stack: Stack) -> None:
    tell(stack, *browsed(), event("1 10:05", user_agent=GOOGLEBOT))
    assert rows(stack, "select is_bot from fact_sessions") == [(True,)]

"""Signed in by a token: the collector checks it, and no event is lost, or taken for checked, where it does not."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from clickstream_dagster.local.gateway.tokens import Tokens
from clickstream_dagster.settings import SignIn
from support.issuers import CLIENT, SUB, Issuer, issuing
from tracker_site import (
    Collector,
    Shop,
    answer,
    assert_all_heard,
    flush,
    pass_time_until,
    say,
    stop_clock,
    stored,
    until,
)

pytestmark = pytest.mark.usefixtures("in_the_warehouse")
OTHER = "0b7a8f14-45fc-4eea-867a-95756a1d3c5b"
CHECKED = (SUB, "cognito_verified")


@pytest.fixture
def issuer(collector: Collector) -> Iterator[Issuer]:
    """Of the tokens that this collector checks."""
    with issuing() as made:
        collector.tokens = Tokens(SignIn(made.url, CLIENT))
        yield made


def login(page: Page, token: str) -> None:
    page.evaluate("token => clickstream.login(token)", token)


def who(collector: Collector) -> list[tuple[Any, Any]]:
    """Whose each of the numbered events is, as its first copy says, and how that is known."""
    said = [line for line in collector.lines() if line["event_name"] == "said"]
    first = {line["props"]["n"]: line for line in sorted(said, key=lambda line: line["received_at"], reverse=True)}
    return [(first[n].get("user_id"), first[n].get("identity_source")) for n in sorted(first)]


def ways(collector: Collector) -> list[tuple[str, int]]:
    return [(request.path, request.status) for request in collector.seen]


def test_what_is_done_signed_in_is_checked_and_nothing_else(
    collector: Collector, shop: Shop, page: Page, issuer: Issuer
) -> None:
    page.goto(shop.url)
    say(page, range(1))
    login(page, issuer.token())
    say(page, range(1, 3))
    assert flush(page) == 0
    page.goto(shop.url + "/next")
    login(page, issuer.token())  # on every page, as shops do
    say(page, range(3, 4))
    assert flush(page) == 0
    page.evaluate("clickstream.logout()")
    say(page, range(4, 5))
    assert flush(page) == 0
    assert who(collector) == [(None, "cookie"), CHECKED, CHECKED, CHECKED, (None, "cookie")]
    assert assert_all_heard(collector, range(5)) == 0
    assert {request.headers.get("authorization") for request in collector.seen if request.path == "/clickstream"} == {
        None
    }


@pytest.mark.parametrize("claims", [{"exp": int(time.time()) - 1}, {"aud": "another"}], ids=["expired", "not for it"])
def test_a_token_that_is_refused_costs_one_request_and_no_event(
    collector: Collector, shop: Shop, page: Page, issuer: Issuer, claims: dict[str, Any]
) -> None:
    page.goto(shop.url)
    assert flush(page) == 0
    login(page, issuer.token(**claims))
    for number in range(3):
        say(page, range(number, number + 1))
        assert flush(page) == 0
    assert who(collector) == [(SUB, "id_token")] * 3
    assert assert_all_heard(collector, range(3)) == 0
    assert [way for way in ways(collector) if way[0] != "/clickstream"] == [("/clickstream/auth", 401)]
    login(page, issuer.token())  # renewed
    say(page, range(3, 4))
    assert flush(page) == 0
    assert who(collector)[3] == CHECKED
    assert page.evaluate("clickstream.stats.dropped") == {}


def test_a_collector_that_lets_no_page_send_a_token_gets_the_events_without(
    collector: Collector, shop: Shop, page: Page, issuer: Issuer
) -> None:
    """The page cannot tell it from a broken line: no answer may be read."""
    strict = answer(403, headers={"access-control-allow-origin": "https://another.example"})
    collector.fault = lambda exchange: strict if exchange.path.endswith("/auth") else None
    page.clock.install()
    page.goto(shop.url)
    assert flush(page) == 0
    login(page, issuer.token())
    say(page, range(2))
    flush(page)
    pass_time_until(page, 10_000, lambda: len(who(collector)) == 2)
    assert flush(page) == 0
    assert who(collector) == [(SUB, "id_token")] * 2


def test_what_another_left_in_the_queue_is_not_proven_by_this_token(
    collector: Collector, shop: Shop, page: Page, issuer: Issuer
) -> None:
    collector.fault = lambda exchange: answer(503)
    stop_clock(page)
    page.goto(shop.url)
    login(page, issuer.token(sub=OTHER))
    say(page, range(1))
    page.evaluate("clickstream.logout()")
    say(page, range(1, 2))
    login(page, issuer.token())
    say(page, range(2, 3))
    collector.fault = lambda exchange: None
    until(lambda: flush(page) == 0)
    assert who(collector) == [(OTHER, "id_token"), (None, "cookie"), CHECKED]


def test_what_leaves_with_its_page_is_claimed(collector: Collector, shop: Shop, page: Page, issuer: Issuer) -> None:
    """A beacon has no headers."""
    page.goto(shop.url)
    assert flush(page) == 0
    login(page, issuer.token())
    say(page, range(1))
    page.goto("about:blank")
    until(lambda: who(collector))
    assert who(collector) == [(SUB, "id_token")]


def test_below_full_consent_no_token_leaves_the_page(
    collector: Collector, shop: Shop, page: Page, issuer: Issuer
) -> None:
    shop.attributes = 'data-consent="essential"'
    page.goto(shop.url)
    login(page, issuer.token())
    say(page, range(1))
    assert flush(page) == 0
    assert who(collector) == [(None, None)]
    assert ways(collector) == [("/clickstream", 200)]


def test_a_token_is_never_stored(collector: Collector, shop: Shop, page: Page, issuer: Issuer) -> None:
    token = issuer.token()
    page.goto(shop.url)
    collector.fault = lambda exchange: answer(503)
    login(page, token)
    say(page, range(1))
    flush(page)
    text = page.evaluate("JSON.stringify([document.cookie, localStorage, sessionStorage])") + str(stored(page))
    kept = page.evaluate(
        """() => new Promise((resolve) => {
            const request = indexedDB.open("_cs");
            request.onsuccess = () => {
                const events = request.result.transaction("q").objectStore("q").getAll();
                events.onsuccess = () => (request.result.close(), resolve(JSON.stringify(events.result)));
            };
        })"""
    )
    assert SUB in kept
    assert token.split(".")[2] not in text + kept
    collector.fault = lambda exchange: None
    until(lambda: flush(page) == 0)

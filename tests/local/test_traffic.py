"""The demo's traffic against the real collector: it is what it says it is, and the same seed says it again."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice, pairwise

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from obstore.store import MemoryStore

from clickstream_dagster.local.traffic import SHOP_HOSTS, Request, Sent, requests, send
from clickstream_dagster.local.traffic.catalogue import BRANDS, CATEGORIES, POPULARITY, PRODUCTS
from clickstream_dagster.local.traffic.faults import CRAWLERS
from ingest_lambda import contract
from ingest_lambda.contract import Event, Rejection
from support.thorough import examples

UNTIL = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)
GAP = timedelta(minutes=30)
PAGES = {"page_view", "view_product"}
DEEDS = {"add_to_cart", "checkout", "purchase", "search", "click"}


class Run:
    """One demo: what was sent, and what the collector stored of it."""

    def __init__(self, seed: int, days: int, visitors_per_day: int) -> None:
        self.store = MemoryStore()
        self.requests = list(requests(seed, days, UNTIL, visitors_per_day))
        self.sent: Sent = send(self.requests, self.store)
        self.stored = [contract.decode(line) for line in self.lines("events")]
        self.rejections = [msgspec.json.decode(line, type=Rejection) for line in self.lines("rejected")]
        self.events = self._first_copies()

    def keys(self, prefix: str) -> list[str]:
        return [entry["path"] for batch in self.store.list(prefix) for entry in batch]

    def lines(self, prefix: str) -> Iterator[bytes]:
        for key in self.keys(prefix):
            yield from bytes(self.store.get(key).bytes()).splitlines()

    def sessions(self) -> Iterator[list[Event]]:
        """People's sessions by the definition, not by what the generator meant."""
        by_visitor: dict[str, list[Event]] = defaultdict(list)
        for event in self.events:
            if event.user_agent not in CRAWLERS:
                by_visitor[event.visitor_id].append(event)
        for events in by_visitor.values():
            yield from _cut(sorted(events, key=lambda event: (event.event_timestamp, event.event_id)))

    def _first_copies(self) -> list[Event]:
        first: dict[str, Event] = {}
        for event in sorted(self.stored, key=lambda event: event.received_at):
            first.setdefault(str(event.event_id), event)
        return list(first.values())


def _cut(events: list[Event]) -> Iterator[list[Event]]:
    session = events[:1]
    for before, event in pairwise(events):
        if event.event_timestamp - before.event_timestamp > GAP:
            yield session
            session = []
        session.append(event)
    yield session


@pytest.fixture(scope="module")
def run() -> Run:
    return Run(seed=7, days=14, visitors_per_day=200)


def _digest(stream: Iterator[Request]) -> str:
    digest = hashlib.sha256()
    for request in stream:
        digest.update(repr((request.received_at, request.path, request.headers)).encode() + request.body)
    return digest.hexdigest()


def test_the_catalogue() -> None:
    assert len({product.id for product in PRODUCTS}) == len({product.url_path for product in PRODUCTS}) == 60
    assert len(CATEGORIES) == 10
    assert all(product.discount_price is None or product.discount_price < product.price for product in PRODUCTS)
    assert len(set(POPULARITY)) == 60
    assert all(product.name.startswith(product.brand) for product in PRODUCTS) and len(BRANDS) == 9


def test_the_same_seed_sends_the_same_bytes_and_another_seed_does_not() -> None:
    first, again, other = (_digest(requests(seed, 2, UNTIL, 100)) for seed in (7, 7, 8))
    assert first == again != other


def test_no_state_is_shared_between_runs() -> None:
    alone = [request.body for request in islice(requests(7, 2, UNTIL, 100), 60)]
    one, two = requests(7, 2, UNTIL, 100), requests(7, 2, UNTIL, 100)
    turns = [(next(one).body, next(two).body) for _ in range(60)]
    assert turns == [(body, body) for body in alone]


@settings(max_examples=examples(15), deadline=None)
@given(seed=st.integers(0, 10_000), days=st.integers(1, 3), hour=st.integers(0, 23), visitors=st.integers(1, 40))
def test_requests_come_in_order_and_inside_the_window(seed: int, days: int, hour: int, visitors: int) -> None:
    until = UNTIL.replace(hour=hour)
    times = [request.received_at for request in requests(seed, days, until, visitors)]
    assert times == sorted(times)
    assert all(until - timedelta(days=days) <= moment <= until for moment in times)


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        requests(7, 1, UNTIL.replace(tzinfo=None))


def test_every_good_event_is_accepted_and_every_malformed_one_rejected_with_a_reason(run: Run) -> None:
    sent = run.sent
    assert sent.accepted + sent.rejected == sent.events
    assert sent.rejected == sent.malformed > 0
    assert len(run.stored) == sent.accepted
    assert len(run.rejections) == sent.rejected
    assert all(rejection.code in contract.REASONS and rejection.message for rejection in run.rejections)
    assert Counter(rejection.code for rejection in run.rejections) == sent.rejected_by_code
    assert set(sent.rejected_by_code) == {
        *("invalid_event_id", "invalid_event_name", "missing_event_name", "missing_visitor", "invalid_json")
    }
    assert {warning.code for event in run.events for warning in event.warnings} == {"invalid_price"}
    assert set(sent.statuses) == {200, 400}


@pytest.mark.parametrize("seed", range(1, 9))
def test_every_mistake_is_one_in_every_dialect(seed: int) -> None:
    wrong = (request for request in requests(seed, 3, UNTIL, 100) if request.truth.malformed)
    sent = send(wrong, MemoryStore())
    assert sent.rejected == sent.malformed > 0
    assert sent.accepted + sent.rejected == sent.events


def test_duplicates_are_what_was_sent_twice(run: Run) -> None:
    assert len(run.events) == run.sent.distinct_events
    assert run.sent.duplicates_sent > run.sent.conflicts > 0


def test_orders_and_revenue_are_what_the_truth_says(run: Run) -> None:
    bought = [event for event in run.events if event.event_name == "purchase" and event.order]
    orders = {event.order.id: event for event in bought if event.order}
    assert len(orders) == run.sent.orders
    assert len(bought) == run.sent.orders + run.sent.reloads > run.sent.orders, "a reload is one order"
    revenue: dict[str, Decimal] = defaultdict(Decimal)
    for event in orders.values():
        assert event.order is not None
        value = sum((item.price or Decimal(0)) * item.quantity for item in event.order.items)
        assert value == event.order.value
        # The v1 dialect has one currency, beside product and order alike.
        revenue[event.order.currency or event.currency or ""] += value
    assert revenue == run.sent.revenue_by_currency
    assert set(revenue) == {"USD", "EUR"} and revenue["EUR"] < revenue["USD"] / 2


def test_refunds_follow_their_order_by_days(run: Run) -> None:
    bought = {event.order.id: event for event in run.events if event.event_name == "purchase" and event.order}
    refunds = [event for event in run.events if event.event_name == "refund"]
    assert len(refunds) == run.sent.refunds > 0
    for refund in refunds:
        assert refund.order is not None and refund.order.value is not None
        order = bought[refund.order.id]
        assert order.order is not None and order.order.value is not None
        assert refund.event_timestamp - order.event_timestamp >= timedelta(days=1, hours=23)
        assert 0 < refund.order.value <= order.order.value


def test_nothing_happens_after_until(run: Run) -> None:
    assert max(event.event_timestamp for event in run.events) <= UNTIL
    assert max(request.received_at for request in run.requests) <= UNTIL
    assert UNTIL - max(request.received_at for request in run.requests) < timedelta(hours=1)


def test_the_mix_is_that_of_a_real_shop(run: Run) -> None:
    sessions = list(run.sessions())
    names = [Counter(event.event_name for event in session) for session in sessions]
    bounces = sum(1 for n in names if sum(n[page] for page in PAGES) <= 1 and not DEEDS & n.keys())
    funnel = [sum(step in n for n in names) for step in ("view_product", "add_to_cart", "checkout", "purchase")]
    assert 0.40 <= bounces / len(sessions) <= 0.45
    assert 0.02 <= funnel[-1] / len(sessions) <= 0.03
    assert funnel == sorted(funnel, reverse=True)
    assert 0.02 <= run.sent.bots / run.sent.events <= 0.08
    # This shop tells of no lists, as most do.
    assert {*contract.KNOWN_EVENTS} - {"view_item_list", "select_item"} <= set().union(*names)
    assert 4.0 <= run.sent.accepted / len(run.keys("events")) <= 6.0


def test_the_default_is_a_demo_of_middle_size() -> None:
    sent = Sent()
    for request in requests(7, 14, UNTIL):
        sent.count(request.truth)
    assert 25_000 <= sent.events <= 40_000
    assert sent.requests * 4 <= sent.events
    assert sent.refunds > 0


def test_faults_are_there_and_stay_few(run: Run) -> None:
    total = run.sent.events
    assert 0 < run.sent.malformed < 0.01 * total
    assert 0 < run.sent.duplicates_sent < 0.03 * total
    assert 0 < run.sent.reloads < 0.01 * total
    assert 0 < run.sent.late < 0.03 * total
    late = [event for event in run.events if event.received_at - event.event_timestamp > timedelta(hours=1)]
    assert any(event.received_at - event.event_timestamp > timedelta(hours=18) for event in late)
    assert sum(event.received_at - event.event_timestamp > timedelta(hours=1) for event in run.stored) == run.sent.late


def test_wrong_clocks_are_corrected(run: Run) -> None:
    corrected = [event for event in run.events if event.time_source == "corrected"]
    assert 0 < len(corrected) < 0.05 * len(run.events)
    assert any(event.client_timestamp and event.client_timestamp > UNTIL for event in corrected)


def test_no_address_reaches_the_store(run: Run) -> None:
    sent_addresses = sum(b"@mail.example" in request.body for request in run.requests)
    assert sent_addresses > 0
    assert not any(b"@mail.example" in line for prefix in ("events", "rejected") for line in run.lines(prefix))


def test_every_dialect_and_transport_is_used(run: Run) -> None:
    bodies = [request.body for request in run.requests if "content-encoding" not in request.headers]
    assert any(b'"eventName"' in body for body in bodies)
    assert any(b'"event_type"' in body for body in bodies)
    assert any(body.startswith(b'{"sent_at"') for body in bodies)
    assert len(bodies) < len(run.requests)
    assert {request.headers["content-type"] for request in run.requests} == {
        "application/json",
        "text/plain;charset=UTF-8",
    }
    assert {request.path for request in run.requests} == {"/clickstream", "/v1/events"}


def test_visitors_come_back_sign_in_and_come_by_many_ways(run: Run) -> None:
    days: dict[str, set[object]] = defaultdict(set)
    for event in run.events:
        days[event.visitor_id].add(event.event_timestamp.date())
    assert 0.1 < sum(len(seen) > 1 for seen in days.values()) / len(days) < 0.5
    assert any(event.user_id for event in run.events)
    hosts = Counter((event.referrer or "//").split("/")[2] for event in run.events)
    assert {"www.google.com", "chatgpt.com", "www.perplexity.ai", "l.facebook.com", "", *SHOP_HOSTS} <= hosts.keys()
    assert any("utm_medium=email" in (event.page_url or "") for event in run.events)


def test_the_days_have_a_shape(run: Run) -> None:
    hours = Counter(event.event_timestamp.hour for event in run.events)
    assert max(hours, key=lambda hour: hours[hour]) in (19, 20, 21)
    assert min(hours, key=lambda hour: hours[hour]) in (2, 3, 4, 5)
    whole = Counter(event.event_timestamp.date() for event in run.events)
    saturdays = [count for day, count in whole.items() if day.weekday() == 5]
    mondays = [count for day, count in whole.items() if day.weekday() == 0]
    assert max(saturdays) < min(mondays)


def test_visitors_are_counted_without_bots(run: Run) -> None:
    people = {event.visitor_id for event in run.events if event.user_agent not in CRAWLERS}
    assert len(people) == run.sent.visitors

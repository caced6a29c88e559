"""The tables' carts are those that one finds event by event, whatever happens, and their states what one would have said then."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import obstore
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from obstore.store import MemoryStore

from clickstream_dagster.partitions import HOUR
from clickstream_dagster.settings import Postgres, load_settings
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.connection import create_database
from clickstream_dagster.warehouse.load import load_hours
from clickstream_dagster.warehouse.rebuild import rebuild_all
from ingest_lambda import contract, landing
from ingest_lambda.contract import Event, Order, Product
from support.carts import STEPS, Cart, carts
from support.stories import DAY, RECEIVED, rows
from support.tables import empty, unequal_sums
from support.thorough import examples

CARTS = """
    select
        person_id, started_at, last_add_at, last_event_at, left_at, bought_at, emptied_at, outcome, order_id,
        trim_scale(largest_value), trim_scale(last_value), case when outcome = 'abandoned' then trim_scale(value) end,
        case when outcome = 'abandoned' then deepest_step end
    from fact_carts order by person_id, started_at
"""
#: Times at which something has just happened, or is about to.
MINUTES = st.sampled_from([0, 0, 1, 29, 30, 31, 600, 24 * 60 - 1, 24 * 60, 24 * 60 + 1, 6 * 24 * 60, 31 * 24 * 60])


@pytest.fixture(scope="module")
def shop(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    from dataclasses import replace

    create_database(postgres, "cart_rule")
    chosen = load_settings({"CLICKSTREAM_HOME": str(tmp_path_factory.mktemp("carts"))})
    return Stack(replace(chosen, postgres=replace(postgres, database="cart_rule")))


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """Steps of one person on two browsers, and of a stranger."""
    now, events = DAY, []
    for number in range(draw(st.integers(1, 14))):
        now += timedelta(minutes=draw(MINUTES))
        name = draw(st.sampled_from([*STEPS, "add_to_cart", "remove_from_cart", "add_to_cart"]))
        browser = draw(st.sampled_from(["phone", "phone", "laptop", "stranger"]))
        more: dict[str, Any] = {}
        if name in ("add_to_cart", "remove_from_cart"):
            price = draw(st.sampled_from([None, Decimal("9.99"), Decimal(20)]))
            more["product"] = Product(id=draw(st.sampled_from("ab")), price=price)
            more["quantity"] = draw(st.sampled_from([None, 1, 3]))
        elif name == "purchase":
            more["order"] = Order(id=f"{browser == 'stranger'}-{draw(st.integers(1, 3))}", value=Decimal(5))
        events.append(
            Event(
                event_id=UUID(int=draw(st.integers(0, 9)) * 1_000 + number),
                event_name=name,
                event_timestamp=now,
                received_at=RECEIVED,
                client_id=browser,
                user_id=None if browser == "stranger" else draw(st.sampled_from([None, "u-1"])),
                **more,
            )
        )
    return events


def owners(events: list[Event]) -> dict[str, list[Event]]:
    """Whose events they are: a browser that ever signed in is the user's."""
    signed_in = {event.client_id for event in events if event.user_id}
    found: dict[str, list[Event]] = {}
    for event in events:
        found.setdefault("u-1" if event.client_id in signed_in else str(event.client_id), []).append(event)
    return found


def described(person: str, cart: Cart) -> tuple[Any, ...]:
    """As the query CARTS gives it: what nobody has touched since is left."""
    is_over = cart.bought_at or cart.emptied_at
    if not is_over:
        cart.leave()
    outcome = "emptied" if cart.emptied_at else "abandoned" if cart.left_at else "bought"
    at_outcome = (cart.left_value, cart.left_step) if outcome == "abandoned" else (None, None)
    times = (cart.started_at, cart.last_add_at, cart.last_event_at, cart.left_at, cart.bought_at, cart.emptied_at)
    return (person, *times, outcome, cart.order, cart.largest, cart.value, *at_outcome)


@settings(max_examples=examples(60))
@given(events=histories(), data=st.data())
def test_carts_are_what_one_finds_event_by_event(shop: Stack, events: list[Event], data: st.DataObject) -> None:
    with shop.warehouse() as connection:
        empty(connection)
    cut = data.draw(st.integers(0, len(events)))
    shuffled = data.draw(st.permutations(events))
    store = MemoryStore()
    for number, part in enumerate((shuffled[:cut], shuffled[cut:])):
        if part:
            _load(shop, store, number, part)
    found = [(person, cart) for person, own in sorted(owners(events).items()) for cart in carts(own)]
    assert rows(shop, CARTS) == [described(person, cart) for person, cart in found]
    with shop.warehouse() as connection:
        assert unequal_sums(connection) == {}
    moment = data.draw(st.sampled_from(events)).event_timestamp + timedelta(minutes=data.draw(MINUTES))
    goes_on = {(person, cart.started_at) for person, cart in found if cart.last_event_at > moment}
    assert _states(shop, moment) == sorted(
        (person, cart.started_at, _told(cart.state(moment), (person, cart.started_at) in goes_on))
        for person, own in owners(events).items()
        for cart in carts(event for event in own if event.event_timestamp <= moment)
    )


def _told(state: str, goes_on: bool) -> str:
    """How long ago the last step was, the tables tell of the latest time only."""
    return "going on" if goes_on and state in ("open", "idle") else state


def _load(shop: Stack, store: MemoryStore, number: int, events: list[Event]) -> None:
    obstore.put(store, landing.event_key(RECEIVED, UUID(int=number)), b"\n".join(map(contract.encode, events)))
    with shop.warehouse() as connection:
        load_hours(connection, store, RECEIVED, RECEIVED + HOUR)
        rebuild_all(connection)


def _states(shop: Stack, moment: datetime) -> list[tuple[str, datetime, str]]:
    """What the view says of the carts that had begun by then."""
    with shop.warehouse() as connection, connection.cursor() as cursor:
        cursor.execute("update loaded_hours set partition_hour = %s - interval '1 hour', is_closed = true", (moment,))
        cursor.execute(
            "select person_id, started_at, state, last_event_at > as_of from carts where started_at <= as_of"
        )
        found = [(person, began, _told(state, goes_on)) for person, began, state, goes_on in cursor.fetchall()]
        connection.rollback()
    return sorted(found)

"""The SQL function `funnel`: worked examples, a second opinion in Python, and what holds of every funnel."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clickstream_dagster.settings import Postgres, load_settings
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.connection import create_database
from ingest_lambda.contract import Event, Geo, Order, OrderItem, Product
from support.funnels import Asked, Step, funnel, may_meet
from support.stories import DAY, GOOGLEBOT, Visit, event, five_weeks, rows, tell, visits
from support.thorough import examples

CASES = sorted((Path(__file__).parent / "funnels").glob("*.txt"))
NOTHING = "-"
AGENTS = {
    "mobile": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Safari/604.1",
    "desktop": "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:143.0) Gecko/20100101 Firefox/143.0",
    "bot": GOOGLEBOT,
}
FUNNEL = "select value, step, units, median_seconds from funnel(%s::jsonb, %s, %s, %s, %s, %s, %s, %s, %s, %s)"


def told(lines: list[str]) -> Iterator[Event]:
    """A line is: day time visitor event page categories, and may go on with a device and a user."""
    for line in lines:
        day, time, visitor, name, page, categories, agent, user = [*line.split(), None, None][:8]
        named = [] if categories == NOTHING else str(categories).split(",")
        yield event(
            f"{day} {time}",
            str(name),
            str(visitor),
            None if page == NOTHING else page,
            user_agent=AGENTS[agent] if agent else None,
            user_id=user,
            product=Product(id="p", category=named[0]) if len(named) == 1 else None,
            order=Order(items=[OrderItem(product_id=one, category=one) for one in named]) if len(named) > 1 else None,
        )


@pytest.mark.parametrize("is_backwards", [False, True], ids=["at once", "backwards, one by one"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_events_come_to_what_the_file_says(stack: Stack, case: Path, is_backwards: bool) -> None:
    lines = [line for line in case.read_text().splitlines() if not line.startswith("#")]
    first, *queries = "\n".join(lines).strip().split("\n\n")
    events = list(told(first.splitlines()[1:]))
    for group in [[one] for one in reversed(events)] if is_backwards else [events]:
        tell(stack, *group)
    for query in queries:
        question, *expected = query.splitlines()
        assert [" | ".join(map(str, row)) for row in rows(stack, question)] == expected, question


@dataclass(frozen=True)
class Shop:
    """A random history, what Python makes of it, and a connection that stays."""

    visits: list[Visit]
    person: dict[str, str]
    connection: Any

    def ask(self, asked: Asked) -> list[tuple[Any, ...]]:
        with self.connection.cursor() as cursor:
            cursor.execute(FUNNEL, asked.arguments())
            return cursor.fetchall()


PATHS = ("/", "/p/1", "/p/2", "/p_1", "/cart")
EVENTS = ("page_view", "view_product", "add_to_cart", "purchase")
CATEGORIES = ("Mice", "Boards")


@pytest.fixture(scope="module")
def shop(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    create_database(postgres, "funnels")
    home = tmp_path_factory.mktemp("funnels")
    stack = Stack(
        replace(load_settings({"CLICKSTREAM_HOME": str(home)}), postgres=replace(postgres, database="funnels"))
    )
    history = five_weeks(
        5,
        EVENTS,
        visitors=30,
        path=lambda rng, name: rng.choice(PATHS) if "view" in name else None,
        product=lambda rng, name: Product(id="p", category=rng.choice(CATEGORIES)) if "product" in name else None,
        geo=lambda rng, _: rng.choice((None, Geo(country="DE"), Geo(country="US"))),
        user_id=lambda rng, _: rng.choice((None, None, None, f"u{rng.randrange(4)}")),
    )
    tell(stack, *history)
    person = dict(rows(stack, "select visitor_id, person_id from dim_visitor"))
    with stack.warehouse() as connection:
        connection.autocommit = True
        yield Shop(list(visits(history)), person, connection)


STEP: st.SearchStrategy[Step] = st.one_of(
    st.sampled_from([{"event": name} for name in EVENTS]),
    st.sampled_from([{"page": page} for page in ("/p/*", "/p_*", "*", "/cart", "/p/1", "*1", "/*1")]),
    st.sampled_from([{"category": "Mice"}, {"event": "view_product", "category": "Boards", "page": "/p*"}]),
)
WINDOWS = [None, timedelta(0), timedelta(minutes=7), timedelta(hours=1), timedelta(days=3), timedelta(days=40)]


@st.composite
def asked(draw: st.DrawFn) -> Asked:
    first, last = sorted(draw(st.tuples(st.integers(-1, 36), st.integers(-1, 36))))
    return Asked(
        draw(st.lists(STEP, min_size=2, max_size=4)),
        (DAY + timedelta(days=first)).date(),
        (DAY + timedelta(days=last)).date(),
        draw(st.sampled_from(["session", "visitor", "person"])),
        draw(st.sampled_from(WINDOWS)),
        draw(st.booleans()),
        draw(st.booleans()),
        draw(st.sampled_from([None, None, ("DE",), ("(none)", "US")])),
    )


@settings(max_examples=examples(150), deadline=None)
@given(asked=asked())
def test_a_funnel_is_what_trying_every_way_finds(shop: Shop, asked: Asked) -> None:
    found = [(*row[:3], None if row[3] is None else pytest.approx(row[3])) for row in shop.ask(asked)]
    assert sorted(funnel(asked, shop.visits, shop.person)) == sorted(found, key=lambda row: row[:2])


@settings(max_examples=examples(40), deadline=None)
@given(asked=asked())
def test_each_step_has_no_more_than_the_one_before_and_values_add_up(shop: Shop, asked: Asked) -> None:
    by_value: dict[str, list[int]] = defaultdict(list)
    for value, _, units, _ in shop.ask(replace(asked, is_by_country=True)):
        by_value[value].append(units)
    for counts in by_value.values():
        assert len(counts) == len(asked.steps)
        assert all(was >= now for was, now in pairwise(counts))
    whole = [units for _, _, units, _ in shop.ask(replace(asked, is_by_country=False))]
    assert whole == [sum(counts) for counts in zip(*by_value.values(), strict=True)]


@settings(max_examples=examples(40), deadline=None)
@given(asked=asked())
def test_a_longer_window_loses_nobody(shop: Shop, asked: Asked) -> None:
    one = replace(asked, within=timedelta(minutes=7), is_by_country=False)
    short, long = ([row[2] for row in shop.ask(each)] for each in (one, replace(one, within=timedelta(days=3))))
    assert all(few <= many for few, many in zip(short, long, strict=True))


@given(one=STEP, other=STEP)
def test_which_steps_may_share_an_event_is_told_from_names_and_beginnings(shop: Shop, one: Step, other: Step) -> None:
    with shop.connection.cursor() as cursor:
        cursor.execute("select funnel_after(%s::jsonb)", (Asked([one, other], DAY.date(), DAY.date()).arguments()[0],))
        assert cursor.fetchone() == ([0, 1] if may_meet(one, other) else [0, 0],)


@pytest.mark.parametrize(
    ("steps", "more", "said"),
    [
        ('[{"event": "a"}]', "", "from two steps to eight"),
        (f"[{', '.join(['{}'] * 9)}]", "", "from two steps to eight"),
        ('[{"event": "a"}, {"event": "b"}]', ", 'table'", "The unit of a funnel is session, visitor or person"),
        ('[{"event": "a"}, {"event": "b"}]', ", breakdown => 'times'", "by channel, device_type or country"),
    ],
)
def test_what_no_funnel_is_is_refused_in_words(shop: Shop, steps: str, more: str, said: str) -> None:
    with shop.connection.cursor() as cursor, pytest.raises(psycopg2.errors.InvalidParameterValue, match=said):
        cursor.execute(f"select * from funnel('{steps}', '2026-04-06', '2026-04-06'{more})")


def test_no_word_of_a_funnel_is_sql(shop: Shop) -> None:
    hostile = "'); drop table funnels; -- %s $1 \\ "
    steps = [{"event": hostile}, {"page": f"/{hostile}*", "category": hostile}]
    assert shop.ask(Asked(steps, DAY.date(), DAY.date())) == []


def test_of_a_name_the_first_events_of_a_session_are_told(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clickstream_dagster.warehouse.shop_settings.STEP_EVENTS_LIMIT", 2)
    tell(stack, *(event(f"1 10:0{minute}", path=f"/{minute}") for minute in (3, 1, 2)), event("1 10:04", "purchase"))
    told = rows(stack, "select event_name, pages, is_limit_reached from fact_session_steps order by 1")
    assert told == [("page_view", ["/1", "/2"], True), ("purchase", [None], False)]

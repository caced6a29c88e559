"""Segments of the owner's: what a file may say, who is in them, and that no word of the file is ever SQL."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse import segment_file
from clickstream_dagster.warehouse.segment_file import NUMBERS, WORDS, SegmentsUnusable
from ingest_lambda.contract import Device, Order
from support.stories import GOOGLEBOT, event, five_weeks, rows, tell

#: ann bought three times and stayed away; bob looks and does not buy; cleo bought once, from her phone, after an e-mail.
STORY = (
    *(event(f"{day} 10:00", "purchase", order=Order(id=f"a{day}", value=Decimal(day))) for day in (1, 2, 3)),
    *(event(f"{day} 10:00", "page_view", "bob", "/") for day in (90, 91, 92, 93, 94)),
    event("80 10:00", "page_view", "cleo", "/?utm_source=news&utm_medium=email", device=Device(type="mobile")),
    event("95 10:00", "purchase", "cleo", order=Order(id="c1", value=Decimal("99.50"))),
    *(event(f"{day} 12:00", "page_view", "crawler", "/", user_agent=GOOGLEBOT) for day in (90, 91, 92, 93, 94, 95)),
)


@pytest.fixture
def owned(make_stack: Callable[..., Stack], tmp_path: Path) -> Callable[[str], Stack]:
    """A new warehouse with the segments of a text."""

    def make(text: str) -> Stack:
        file = tmp_path / "mine.yml"
        file.write_text(text)
        return make_stack(CLICKSTREAM_SEGMENTS=str(file))

    return make


def listed(**segments: str) -> str:
    """A file of segments with these conditions."""
    return "segments:\n" + "".join(f"  - name: {name}\n    where: {{{where}}}\n" for name, where in segments.items())


def members(stack: Stack) -> dict[str, list[str]]:
    found = rows(stack, "select segment, array_agg(person_id order by person_id) from segment_members group by 1")
    return dict(found)


CONDITIONS = {
    "visits": ("visits: {at_least: 5}", ["bob"]),
    "orders": ("orders: 0", ["bob"]),
    "purchases": ("purchases: {at_least: 1, at_most: 2}", ["cleo"]),
    "revenue": ("revenue: {at_least: 99.5}", ["cleo"]),
    "recency": ("days_since_order: {at_least: 60}", ["ann"]),
    "seen": ("days_since_visit: {at_most: 1}", ["bob", "cleo"]),
    "first": ("first_channel: email", ["cleo"]),
    "any": ("channel: [direct, email]", ["ann", "bob", "cleo"]),
    "later": ("first_channel: email, channel: direct", ["cleo"]),
    "device": ("device: mobile", ["cleo"]),
    "country": ("country: DE", []),
    "group": ("rfm: [new, champions]", ["cleo"]),
}


def test_each_condition_chooses_people(owned: Callable[[str], Stack]) -> None:
    stack = owned(listed(**{name: where for name, (where, _) in CONDITIONS.items()}))
    for part in range(3):
        tell(stack, *STORY[part::3])
    assert members(stack) == {name: people for name, (_, people) in CONDITIONS.items() if people}


def test_the_file_that_comes_along_can_be_read_and_finds_people(stack: Stack) -> None:
    tell(stack, *STORY)
    assert members(stack) == {"lapsed-regulars": ["ann"], "window-shoppers": ["bob"]}  # two buyers are no fifths


def test_words_of_the_file_are_values_and_never_sql(owned: Callable[[str], Stack]) -> None:
    hostile = """'); drop table segments; -- %s {0} "\\\\ """
    text = f"segments: [{{name: a, label: {hostile!r}, where: {{channel: {hostile!r}}}}}]"
    stack = owned(text.replace("\\'", "''"))
    tell(stack, *STORY)
    [(label, channel)] = rows(stack, "select label, channel from segments")
    assert channel == [label]
    assert "drop table segments; -- %s {0}" in label
    assert members(stack) == {}


def test_another_file_is_another_membership_at_once(owned: Callable[[str], Stack]) -> None:
    stack = owned(listed(buyers="orders: {at_least: 1}"))
    tell(stack, *STORY)
    assert members(stack) == {"buyers": ["ann", "cleo"]}
    file = stack.settings.segments
    assert file
    file.write_text(listed(others="orders: 0"))
    again = Stack(stack.settings)
    assert members(again) == {"others": ["bob"]}
    assert rows(again, "select count(*) from changed_keys") == [(0,)]  # nothing is owed for it


def test_membership_is_what_the_conditions_say_of_each_person(owned: Callable[[str], Stack]) -> None:
    """Counted one by one in Python, over a random history."""
    stack = owned(listed(a="visits: {at_least: 3}, orders: {at_most: 1}", b="purchases: {at_least: 2}", c="orders: 1"))
    history = five_weeks(
        5,
        ("page_view", "page_view", "purchase"),
        visitors=40,
        order=lambda rng, name: Order(id=f"o{rng.randrange(500)}", value=Decimal(5)) if name == "purchase" else None,
        user_id=lambda rng, _: rng.choice((None, None, f"u{rng.randrange(6)}")),
    )
    tell(stack, *history)
    visits = "select person_id, count(*) filter (where not is_bot) from fact_person_sessions group by 1"
    bought = """
        select person_id, count(*), count(distinct local_date) from fact_person_orders where not is_bot group by 1
        """
    orders = {person: counts for person, *counts in rows(stack, bought)}
    expected: dict[str, list[str]] = {"a": [], "b": [], "c": []}
    for person, seen in sorted(rows(stack, visits)):
        count, purchases = orders.get(person, (0, 0))
        expected["a"] += [person] if seen >= 3 and count <= 1 else []
        expected["b"] += [person] if purchases >= 2 else []
        expected["c"] += [person] if count == 1 else []
    assert members(stack) == {name: sorted(people) for name, people in expected.items()}
    assert all(expected.values())


def test_the_table_has_a_column_for_each_condition_and_the_view_reads_it(stack: Stack) -> None:
    columns = {
        name
        for (name,) in rows(stack, "select column_name from information_schema.columns where table_name = 'segments'")
    }
    assert columns == {"place", *segment_file.COLUMNS}
    [(view,)] = rows(stack, "select pg_get_viewdef('segment_members'::regclass)")
    assert all(f"segments.{name}" in view for name in segment_file.COLUMNS if name != "label")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("segments: [", "cannot be read: .* line 1"),
        ("", "no list 'segments'"),
        ("segments: [{name: a}]", "segment 1: it takes a name and, under 'where', one condition or more"),
        ("segments: [{name: a, where: {}}]", "segment 1: it takes a name"),
        ("segments: [{name: Big Ones, where: {orders: 1}}]", "segment 1: 'Big Ones' is no name; use small letters"),
        ("segments: [{name: no, where: {orders: 1}}]", "False is no name"),
        (listed(a="orders: 1") + listed(a="orders: 2")[10:], "two segments 'a'"),
        ("segments: [{name: a, title: b, where: {orders: 1}}]", "a: 'title' means nothing here"),
        (listed(a="spend: 5"), "a: 'spend' is no condition; there are visits, orders"),
        (listed(a="orders: many"), "a: orders takes a whole number, not 'many'"),
        (listed(a="orders: 1.5"), "a: orders takes a whole number, not 1.5"),
        (listed(a="orders: true"), "a: orders takes a whole number, not True"),
        (
            listed(a="orders: {from: 3}"),
            r"a: orders takes at_least and at_most, such as \{at_least: 3\}, not \{'from': 3\}",
        ),
        (listed(a="orders: {at_least: 3, at_most: 1}"), "a: orders is never at least 3 and at most 1"),
        (listed(a="revenue: .inf"), "a: revenue takes a number, not inf"),
        (listed(a="country: NO"), "a: country takes words, not False; write it in quotes"),
        (listed(a="device: phone"), "a: device is one of mobile, tablet, desktop, other, not 'phone'"),
        (listed(a="rfm: champion"), "a: rfm is one of champions, .*, not 'champion'"),
        (listed(a="channel: []"), "a: channel has no word; leave it out"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_words(text: str, told: str) -> None:
    with pytest.raises(SegmentsUnusable, match=told):
        segment_file.read(text)


def test_a_file_that_is_not_there_is_named(make_stack: Callable[..., Stack]) -> None:
    with pytest.raises(SegmentsUnusable, match=r"CLICKSTREAM_SEGMENTS names /nowhere\.yml"):
        members(make_stack(CLICKSTREAM_SEGMENTS="/nowhere.yml"))


def test_every_condition_is_explained_in_the_file_that_comes_along() -> None:
    text: Any = segment_file.SHIPPED.read_text()
    assert all(f"#   {name} " in text for name in (*NUMBERS, *WORDS))

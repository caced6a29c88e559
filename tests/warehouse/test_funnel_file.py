"""funnels.yml: what it may say, that it becomes rows, and what is said of one that cannot be used."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse import funnel_file
from clickstream_dagster.warehouse.funnel_file import FunnelsUnusable
from support.stories import rows

MINE = """
funnels:
  - {name: short, steps: [view_product, purchase]}
  - name: long
    label: '"); drop table funnels; -- %s'
    count: people
    within: 7 days
    steps: [/product/*, add_to_cart of Home > Garden, page_view on /thanks]
"""


def test_a_file_becomes_rows_and_another_one_takes_their_place(
    make_stack: Callable[..., Stack], tmp_path: Path
) -> None:
    (tmp_path / "mine.yml").write_text(MINE)
    stack = make_stack(CLICKSTREAM_FUNNELS=str(tmp_path / "mine.yml"))
    assert rows(stack, "select * from funnels order by place") == [
        ("short", 0, "short", [{"event": "view_product"}, {"event": "purchase"}], "session", None),
        (
            *("long", 1, '"); drop table funnels; -- %s'),
            [
                {"page": "/product/*"},
                {"event": "add_to_cart", "category": "Home > Garden"},
                {"event": "page_view", "page": "/thanks"},
            ],
            *("person", timedelta(days=7)),
        ),
    ]
    (tmp_path / "mine.yml").write_text("funnels: []")
    stack = Stack(stack.settings)
    assert rows(stack, "select * from funnels") == []


def test_the_one_that_comes_along_can_be_used(stack: Stack) -> None:
    names = [name for (name,) in rows(stack, "select funnel from funnels order by place")]
    assert names == ["cart-to-order", "view-to-order-in-a-week"]


def entry(**fields: str) -> str:
    return "funnels: [{" + ", ".join(f"{name}: {value}" for name, value in fields.items()) + "}]"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("funnels: [", "cannot be read: .* line 1"),
        ("", "no list 'funnels'"),
        ("funnels: [a]", "funnel 1: it takes a name and a list of steps"),
        (entry(name="Big Ones", steps="[a, b]"), "funnel 1: 'Big Ones' is no name; use small letters"),
        (entry(name="a", steps="[a, b]", title="b"), "a: 'title' means nothing here"),
        (entry(name="a", steps="[a]"), "a: it takes from two steps to 8"),
        (entry(name="a", steps="[a, Add to cart]"), r"a: 'Add to cart' is no step; write an event \(add_to_cart\)"),
        (entry(name="a", steps="[a, 5]"), "a: 5 is no step"),
        (entry(name="a", steps="[a, on /*a*b*c*]"), "is no step; .* with up to 3 stars"),
        (entry(name="a", steps="[a, b]", count="carts"), "count is one of sessions, visitors, people, not 'carts'"),
        (entry(name="a", steps="[a, b]", within="[1 day]"), "within is one of 1 hour, 1 day, 7 days, 30 days, not"),
        ("funnels: [{name: a, steps: [a, b]}, {name: a, steps: [a, b]}]", "two funnels 'a'"),
    ],
)
def test_what_a_file_may_not_say_is_told(text: str, said: str) -> None:
    with pytest.raises(FunnelsUnusable, match=said):
        funnel_file.read(text)


def test_a_file_that_is_not_there_is_told(make_stack: Callable[..., Stack]) -> None:
    with pytest.raises(FunnelsUnusable, match=r"CLICKSTREAM_FUNNELS names /nowhere\.yml"):
        rows(make_stack(CLICKSTREAM_FUNNELS="/nowhere.yml"), "select 1")

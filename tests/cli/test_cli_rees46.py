"""A real shop's history through the command line: every figure that was computed independently comes out of the tables."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from cli_command import Command, Ran

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data" / "rees46_2019_october.csv"
MAPPING = ROOT / "tests" / "importer" / "rees46_mapping.yml"
pytestmark = pytest.mark.skipif(not DATA.parent.exists(), reason="a fresh clone has no data folder")

FIGURES = {
    "events by type": (
        "select event_name, count(*) from fact_events group by 1 order by 1",
        [["add_to_cart", "165"], ["purchase", "214"], ["view_product", "17055"]],
    ),
    "visitors and sessions": (
        "select visitors, sessions, bounces, round(bounces::numeric / sessions, 6), "
        "round(duration_seconds / sessions, 3) from agg_daily_traffic",
        [["4504", "4518", "1664", "0.368305", "175.565"]],
    ),
    "bounces are the sessions with one event": (
        "select count(*), bool_and(is_bounce) from fact_sessions where event_count = 1",
        [["1664", "t"]],
    ),
    "sessions with view, cart, purchase": (
        "select count(*) filter (where product_view_count > 0), count(*) filter (where add_to_cart_count > 0), "
        "count(*) filter (where purchase_count > 0) from fact_sessions",
        [["4518", "111", "193"]],
    ),
    "funnel": (
        "select event_name, sum(sessions) from agg_daily_funnel group by step, event_name order by step",
        [["view_product", "4518"], ["add_to_cart", "111"], ["purchase", "62"]],
    ),
    "revenue": (
        "select currency, sum(revenue) from agg_daily_revenue group by currency",
        [["USD", "59442.63"]],
    ),
    "most viewed": (
        "select product_id, views from agg_daily_products order by views desc, product_id limit 5",
        [["1004856", "186"], ["1004767", "165"], ["1005115", "162"], ["1005105", "108"], ["1004870", "94"]],
    ),
    "most bought": (
        "select product_id, units from agg_daily_products order by units desc, product_id limit 3",
        [["1004833", "10"], ["1004856", "10"], ["1004767", "6"]],
    ),
    "sessions that viewed, or bought, two products and more": (
        "select count(*), count(*) filter (where cardinality(viewed) > 1), count(*) filter (where bought <> '{}'), "
        "count(*) filter (where cardinality(bought) > 1) from fact_session_baskets",
        [["4518", "2314", "193", "14"]],
    ),
    "most viewed together": (
        "select one, other, count(*) from fact_session_baskets, unnest(viewed) as one, unnest(viewed) as other "
        "where one < other group by 1, 2 order by 3 desc, 1, 2 limit 3",
        [["1005105", "1005115", "31"], ["1004767", "1004856", "19"], ["1003317", "1005115", "16"]],
    ),
    "books": (
        "select sum(received), sum(loaded), sum(duplicate), sum(rejected), max(abs(difference)) from etl_ledger",
        [["17435", "17434", "0", "1", "0"]],
    ),
    "the row that is cut off": (
        "select code, count(*), bool_and(body like '2019-10-01 02:50:00 UTC,view,10900305,%') from rejected_events group by 1",
        [["invalid_row", "1", "t"]],
    ),
}


@pytest.fixture(scope="module")
def shop(embedded: Command) -> Command:
    """The history, imported and materialized. This shop sends no checkout event."""
    return Command(embedded.home, {"CLICKSTREAM_FUNNEL_STEPS": "view_product,add_to_cart,purchase"})


@pytest.fixture(scope="module")
def imported(shop: Command) -> Ran:
    return shop("import", DATA, "--map", MAPPING)


@pytest.fixture(scope="module")
def materialized(shop: Command, imported: Ran) -> Ran:
    assert imported.code == 0, imported.err
    return shop("materialize")


def test_the_import_says_what_it_stored_and_that_the_range_begins_earlier(imported: Ran) -> None:
    assert "17,434 events in 4 objects, hours 2019-10-01-00:00 to 2019-10-01-02:00." in imported.out
    assert "1 rejected: invalid_row" in imported.out
    assert "now begins at 2019-10-01-00:00 (it began at 2026-01-01-00:00)" in imported.out


def test_one_run_loads_all_of_it_and_says_the_balance(materialized: Ran) -> None:
    assert materialized.code == 0, materialized.err
    assert "received 17,435 = loaded 17,434 + duplicate 0 + rejected 1" in materialized.out


@pytest.fixture(scope="module")
def figures(shop: Command, materialized: Ran) -> dict[str, list[list[str]]]:
    """Every query of the table above, asked in one `clickstream sql`."""
    each = (f"select '{name}', array(select t::text from ({query}) as t)" for name, (query, _) in FIGURES.items())
    ran = shop("sql", "--csv", " union all ".join(each))
    assert ran.code == 0, ran.err
    _header, *rows = csv.reader(io.StringIO(ran.out))
    return {name: [row.strip("()").split(",") for row in json.loads(found)] for name, found in rows}


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_is_the_one_computed_independently(figures: dict[str, list[list[str]]], name: str) -> None:
    assert figures[name] == FIGURES[name][1]


def test_importing_again_stores_nothing_new_and_leaves_nothing_to_load(shop: Command, materialized: Ran) -> None:
    before = shop.stored()
    again = shop("import", DATA, "--map", MAPPING)
    assert "imported before, nothing new (17,434 events)" in again.out
    assert shop.stored() == before
    assert "Everything is loaded and up to date." in shop("materialize").out

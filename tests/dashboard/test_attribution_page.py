"""The attribution page against touches and credits that are worked out on their own, order by order."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from shiny.playwright import controller

import charts
from clickstream_dagster.cli.serving import reader_environment
from clickstream_dagster.warehouse.spend import Spent, store
from dashboard_site import Site, settled
from formats import is_missing
from pages import attribution, attribution_rows
from periods import Period
from queries import Warehouse, dsn
from support.touches import Attribution, path, worth
from support.touches import attribution as second_opinion
from view import View

VIEW = View("attribution", Period(date(2026, 2, 20), date(2026, 3, 19)), date(2026, 2, 13))
VIEWS = [VIEW, replace(VIEW, period=Period(date(2026, 3, 19), date(2026, 3, 19)))]
STORED = attribution_rows.STORED
_ORDERS = """
    select order_id, revenue - refunded from fact_orders
    where local_date between %(start)s and %(end)s and not is_bot and currency = coalesce(%(currency)s, currency)
"""
_ORIGINS = "select session_key, coalesce(source, '(none)'), coalesce(campaign, '(none)') from fact_sessions"


def ask(site: Site, rows: Any, *arguments: Any) -> Any:
    """What a page's function gives. In a thread of its own, since Playwright keeps an event loop in this one."""
    warehouse = Warehouse(dsn(reader_environment(site.stack)))
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(rows(warehouse, *arguments))).result()


def chosen(view: View, **options: str) -> View:
    for name, value in options.items():
        view = view.with_option(f"attribution-{name}", value)
    return view


@pytest.fixture(scope="module")
def told(site: Site) -> Attribution:
    return second_opinion(site.stack, timedelta(days=30))


def orders_of(site: Site, view: View, currency: str | None = None) -> dict[str, Decimal]:
    """Net revenue of each order, of one currency or of all."""
    return dict(site.rows(_ORDERS, start=view.period.start, end=view.period.end, currency=currency))


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("by", ["channel", "source", "campaign"])
def test_credits_are_those_of_the_orders(site: Site, told: Attribution, view: View, by: str) -> None:
    origins = {session: {"source": source, "campaign": campaign} for session, source, campaign in site.rows(_ORIGINS)}
    frames = {
        m: ask(site, attribution_rows.side_by_side, chosen(view, by=by, measure=m)) for m in ("orders", "revenue")
    }
    currencies = set(frames["orders"]["currency"])
    assert sum(len(orders_of(site, view, currency)) for currency in currencies) == len(orders_of(site, view))
    for currency in currencies:
        orders = orders_of(site, view, currency)
        expected: dict[tuple[str, str], dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
        for order, net in orders.items():
            touches = told.touches[order]
            for model in STORED:
                for measure, amount, decimals in (("orders", Decimal(1), 6), ("revenue", net, 2)):
                    for touch, part in zip(touches, worth(model, touches, amount, decimals), strict=True):
                        value = touch.channel if by == "channel" else origins[touch.session][by]
                        expected[model, measure][value] += part
        for measure, whole in (("orders", Decimal(len(orders))), ("revenue", sum(orders.values(), Decimal(0)))):
            frame = frames[measure][frames[measure]["currency"] == currency].set_index("value")
            for model in STORED:
                assert {n: part for n, part in frame[model].items() if part} == {
                    n: part for n, part in expected[model, measure].items() if part
                }
                assert sum(frame[model]) == whole
            if by == "channel":
                assert sum(frame["markov"]) == whole
            else:
                assert frame["markov"].isna().all()


def test_a_model_stands_beside_last_click(site: Site) -> None:
    for model in attribution_rows.MODEL.choices:
        keys = ["value", "currency"]
        frame = ask(site, attribution_rows.compared, chosen(VIEW, model=model)).set_index(keys)
        sides = ask(site, attribution_rows.side_by_side, VIEW).set_index(keys)
        assert frame["chosen"].to_dict() == sides[model].to_dict()
        assert frame["last"].to_dict() == sides["last"].to_dict()
        assert sum(frame["difference"]) == 0
        own = frame[frame["is_own"]]
        assert list(own["chosen"]) == sorted(own["chosen"], reverse=True)
        assert list(frame["is_own"]) == sorted(frame["is_own"], reverse=True)


def test_markov_removes_channels_from_the_journeys_of_the_period(site: Site, told: Attribution) -> None:
    """Once more, journey by journey: the chain without the channel, by repeating its moves until nobody is on the way."""
    view = VIEW
    journeys = [(path(told.touches[order]), True) for order in orders_of(site, view)]
    lost = site.rows(
        "select path from fact_lost_journeys where local_date between %(start)s and %(end)s and not is_bot",
        start=view.period.start,
        end=view.period.end,
    )
    journeys += [(tuple(steps), False) for (steps,) in lost]
    moves: dict[str, Counter[str]] = defaultdict(Counter)
    for steps, is_order in journeys:
        for origin, target in zip(("start", *steps), (*steps, "order" if is_order else "lost"), strict=True):
            moves[origin][target] += 1

    def ordering(removed: str) -> float:
        here, bought = {"start": 1.0}, 0.0
        for _ in range(500):
            there: dict[str, float] = defaultdict(float)
            for origin, weight in here.items():
                for target, count in moves[origin].items():
                    part = weight * count / moves[origin].total()
                    bought += part * (target == "order")
                    there[target] += part * (target not in ("order", "lost", removed))
            here = there
        return bought

    effects = ask(site, attribution_rows.removal_effects, view)
    assert {name: float(value) for name, value in effects.items()} == pytest.approx(
        {name: 1 - ordering(name) / ordering("nobody") for name in effects}
    )


@pytest.mark.parametrize("view", VIEWS)
def test_paths_and_totals_are_those_of_the_orders(site: Site, told: Attribution, view: View) -> None:
    orders = orders_of(site, view)
    ways = Counter(path(told.touches[order]) for order in orders)
    frame = ask(site, attribution_rows.paths, view)
    assert {tuple(steps): n for steps, n in zip(frame["path"], frame["orders"], strict=True)} == ways
    assert frame["share"].sum() == pytest.approx(1)
    own = orders_of(site, view, "USD")
    revenue = defaultdict(Decimal)
    for order, net in own.items():
        revenue[path(told.touches[order])] += net
    assert {
        tuple(steps): total for steps, total in zip(frame["path"], frame["revenue"], strict=True) if total
    } == revenue
    _, boxes = ask(site, attribution._boxes, view)
    value = {box.id: box.value for box in boxes}
    assert (value["orders"], value["revenue"]) == (len(orders), sum(own.values()))
    assert value["touches"] == pytest.approx(sum(len(told.touches[order]) for order in orders) / len(orders))
    assert value["over_channels"] == pytest.approx(sum(n for way, n in ways.items() if len(way) > 1) / len(orders))


def test_pictures_make_few_orders_pale(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (charts, attribution):
        monkeypatch.setattr(module, "FEW", 5)
    view = chosen(VIEW, measure="orders")
    frame = ask(site, attribution_rows.compared, view)
    frame = frame[frame["is_own"]]
    bars = attribution._draw_compared(frame, view).data[0]
    assert list(bars.marker.opacity) == [1.0 if n >= 5 else 0.35 for n in frame["orders"][:10]]
    assert {1.0, 0.35} == set(bars.marker.opacity)
    sides = ask(site, attribution_rows.side_by_side, view)
    sides = sides[sides["is_own"]]
    cells = attribution._draw_models(sides, view).data[0].z
    assert [not any(row) for row in cells] == [n < 5 for n in sides["orders"][:12]]


def test_the_page_shows_them_and_follows_what_is_chosen(site: Site, page: Page) -> None:
    page.goto(f"{site.url}?page=attribution&from=2026-02-20&to=2026-03-19&attribution-model=first")
    settled(page)
    orders = orders_of(site, VIEW)
    box = page.locator("[id='attribution_boxes-orders'] .value-box-value span[title]").first
    expect(box).to_have_attribute("title", f"{len(orders):,}")
    page.locator("[id='attribution_compared-face'] a[data-value=table]").click()
    table = controller.OutputDataFrame(page, "attribution_compared-table")
    for model in ("first", "markov"):
        first = ask(site, attribution_rows.compared, chosen(VIEW, model=model)).iloc[0]
        page.locator("[id='attribution_compared-attribution_model-select']").select_option(model)
        page.wait_for_url(f"**attribution-model={model}*" if model != "linear" else "**")
        settled(page)
        table.expect_cell(first["value"], row=0, col=0)
        table.expect_cell(f"{first['chosen']:,.2f}", row=0, col=2)


def test_costs_stand_beside_what_they_brought(site: Site) -> None:
    """Of a campaign with a cost in two currencies, one with a source that is not its own, and one that nobody came by."""
    [(name, source)] = site.rows("""
        select campaign, min(source) from agg_daily_attribution where campaign <> '(none)' and not is_bot
        group by 1 order by sum(linear_orders) desc limit 1
        """)
    day, late = date(2026, 3, 1), date(2026, 3, 20)
    costs = {
        Spent(day, name, None, None, "USD"): Decimal(100),
        Spent(late, name, None, None, "USD"): Decimal(999),  # after the period
        Spent(day, name, None, None, "EUR"): Decimal(10),
        Spent(day, name, source, None, "USD"): Decimal(50),
        Spent(day, name, "elsewhere", None, "USD"): Decimal(20),
        Spent(day, "nobody", None, None, "USD"): Decimal(5),
    }
    with site.stack.warehouse() as connection:
        store(connection, costs)
    for model in ("position", "markov"):
        view = chosen(VIEW, model=model)
        frame = ask(site, attribution_rows.spend, view).set_index(["campaign", "source", "currency"])
        credits = ask(site, attribution_rows.compared, chosen(view, by="campaign")).set_index(["value", "currency"])
        own, credited = frame.loc[(name, None, "USD")], credits.loc[(name, "USD")]
        assert (own["cost"], own["revenue"], own["last_revenue"]) == (100, credited["chosen"], credited["last"])
        assert own["cost_per_order"] == pytest.approx(100 / float(own["orders"]))
        assert own["return"] == pytest.approx(float(own["revenue"]) / 100)
        assert 0 < frame.loc[(name, source, "USD")]["orders"] <= own["orders"]
        for nothing in ((name, "elsewhere", "USD"), ("nobody", None, "USD")):
            assert frame.loc[nothing]["return"] == 0
            assert is_missing(frame.loc[nothing]["cost_per_order"])
        assert list(attribution._draw_spend(frame.reset_index(), view).data[0].x) == list(frame["return"])
        of_few = ask(site, attribution_rows.spend, replace(view, segment="window-shoppers"))
        assert of_few.set_index(list(frame.index.names)).equals(frame), "the cost is everybody's, and so are the orders"

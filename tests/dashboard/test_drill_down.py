"""Every value is a link: it filters, becomes the period, or opens the page about it; a chip says so and takes it off."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from clickstream_dagster.cli.serving import reader_environment
from dashboard_site import Site, settled, shown_as_table
from dimensions import ABOUT_ONE, DIMENSIONS
from pages import product_page_rows, product_rows, visit_rows
from periods import Period
from queries import Warehouse, dsn
from view import View

PERIOD = Period(date(2026, 2, 20), date(2026, 3, 19))
VIEW = View("visits", PERIOD, date(2026, 2, 13))
#: How the visits of a value are found without the dashboard.
VISITS = {
    "campaign": "campaign = %(value)s",
    "medium": "medium = %(value)s",
    "landing": "entry_path = %(value)s",
    "browser": "browser = %(value)s",
    "term": """exists (
        select from clickstream_events as e where e.visitor_id = s.visitor_id and e.event_name = 'search'
            and e.event_timestamp between s.started_at and s.ended_at and lower(trim(e.search_query)) = %(value)s
    )""",
    "path": """exists (
        select from clickstream_events as e where e.visitor_id = s.visitor_id and e.page_path = %(value)s
            and e.event_timestamp between s.started_at and s.ended_at and e.event_name in ('page_view', 'view_product')
    )""",
}


def ask(site: Site, rows: Any, *arguments: Any) -> Any:
    """What a page's function gives. In a thread of its own, since Playwright keeps an event loop in this one."""
    warehouse = Warehouse(dsn(reader_environment(site.stack)))
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(rows(warehouse, *arguments))).result()


def commonest(site: Site, dimension: str) -> str:
    """A value that many visits have."""
    columns = {"landing": "entry_path", "path": "exit_path"}
    if dimension == "term":
        query = "select term from fact_session_searches group by term order by count(*) desc, term limit 1"
    else:
        name = columns.get(dimension, dimension)
        query = (
            f"select {name} from fact_sessions where {name} is not null group by 1 order by count(*) desc, 1 limit 1"
        )
    return str(site.rows(query)[0][0])


@pytest.mark.parametrize("dimension", VISITS)
@pytest.mark.parametrize("device", [(), ("desktop",)])
def test_visits_with_a_value_are_those_of_the_sessions(site: Site, dimension: str, device: tuple[str, ...]) -> None:
    about = (dimension, commonest(site, dimension))
    found = site.rows(
        f"""select s.session_key, s.funnel_step, coalesce(o.revenue, 0) from fact_sessions as s
        left join (select session_key, sum(revenue) as revenue from fact_orders where currency = 'USD' group by 1) as o
            using (session_key)
        where not is_bot and local_date between %(start)s and %(end)s and {VISITS[dimension]}
            and (%(all)s or device_type = 'desktop')""",
        start=PERIOD.start,
        end=PERIOD.end,
        value=about[1],
        all=not device,
    )
    view = replace(VIEW, about=about, device=device)
    totals = ask(site, visit_rows.totals, view, PERIOD)
    assert (totals["sessions"], totals["revenue"]) == (len(found), sum(revenue for *_, revenue in found))
    assert len(found) > 0
    steps = ask(site, visit_rows.steps, view)
    assert list(steps["reached"]) == [sum(step >= number for _, step, _ in found) for number in range(len(steps))]
    for by in visit_rows.KEYS:
        assert ask(site, visit_rows.told_apart, view, by)["sessions"].sum() == len(found)


@pytest.mark.parametrize(("dimension", "column"), [("campaign", "campaign"), ("landing", "entry_path")])
def test_visits_without_a_value_have_a_page_too(site: Site, dimension: str, column: str) -> None:
    [(sessions,)] = site.rows(
        f"""select count(*) from fact_sessions
        where not is_bot and local_date between %(start)s and %(end)s and {column} is null""",
        start=PERIOD.start,
        end=PERIOD.end,
    )
    totals = ask(site, visit_rows.totals, replace(VIEW, about=(dimension, "(none)")), PERIOD)
    assert totals["sessions"] == sessions
    assert sessions > 0 or dimension == "landing"


def test_a_source_is_also_the_website_that_tags_call_by_its_name(site: Site) -> None:
    counts = dict(
        site.rows(
            "select source, count(*) from fact_sessions where not is_bot and local_date between %(start)s and %(end)s group by 1",
            start=PERIOD.start,
            end=PERIOD.end,
        )
    )
    both = ask(site, visit_rows.totals, replace(VIEW, about=("source", "google")), PERIOD)
    assert both["sessions"] == counts["google"] + counts["google.com"]
    one = ask(site, visit_rows.totals, replace(VIEW, about=("source", "google.com")), PERIOD)
    assert one["sessions"] == counts["google.com"]


def test_the_page_about_a_product_counts_what_its_sessions_did(site: Site) -> None:
    [(product, _)] = site.rows(
        "select product_id, sum(units) from agg_daily_products group by 1 order by 2 desc, 1 limit 1"
    )
    view = replace(VIEW, page="product", about=("product", product))
    seen = site.rows(
        """select p.session_key, p.views > 0, p.adds > 0, exists (
            select from fact_orders as o inner join fact_order_items as i using (order_id)
            where o.session_key = p.session_key and i.product_id = p.product_id
        ) from fact_session_products as p
        where product_id = %(product)s and not is_bot and local_date between %(start)s and %(end)s""",
        product=product,
        start=PERIOD.start,
        end=PERIOD.end,
    )
    steps = ask(site, product_page_rows.steps, view)
    viewed = [row for row in seen if row[1]]
    added = [row for row in viewed if row[2]]
    assert list(steps["reached"]) == [len(viewed), len(added), sum(row[3] for row in added)]
    for by in product_page_rows.KEYS:
        origins = ask(site, product_page_rows.origins, view, by)
        assert (origins["viewed"].sum(), origins["bought"].sum()) == (len(viewed), sum(row[3] for row in seen))
    totals, days, _ = ask(site, product_rows.totals, view, PERIOD)
    whole = ask(site, product_rows.products, replace(view, about=None), "units")
    rows = whole[whole["product_id"] == product]
    assert (totals["views"], totals["cart_rate"]) == (rows["views"].sum(), rows["cart_rate"].iloc[0])
    assert days["units"].sum() == rows["units"].sum()
    baskets = site.rows(
        """select array_agg(distinct product_id) from fact_orders inner join fact_order_items using (order_id)
        where session_key in (
            select session_key from fact_sessions where not is_bot and local_date between %(start)s and %(end)s
        ) and product_id is not null group by session_key""",
        start=PERIOD.start,
        end=PERIOD.end,
    )
    others = Counter(other for (basket,) in baskets if product in basket for other in basket if other != product)
    together = ask(site, product_page_rows.together, view)
    assert dict(zip(together["product_id"], together["together"], strict=True)) == dict(others.most_common(100))


def bar(page: Page, card: str, number: int = 0) -> Locator:
    """A bar or a point of a chart."""
    return page.locator(f"[id='{card}-chart'] .points path, [id='{card}-chart'] .points .point").nth(number)


def clicked(place: Locator) -> None:
    """Clicked with the mouse, in its middle: plotly's own layer lies above."""
    place.scroll_into_view_if_needed()
    box = place.bounding_box()
    assert box
    place.page.mouse.move(box["x"] + box["width"] / 2 + 1, box["y"] + box["height"] / 2)
    place.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


def test_a_bar_opens_the_page_about_it_and_its_chip_leads_back(site: Site, page: Page) -> None:
    page.goto(site.url)
    settled(page)
    clicked(bar(page, "overview_sold"))
    page.wait_for_url("**page=product&product=*")
    settled(page)
    [(name,)] = site.rows(
        "select product_name from dim_product where product_id = %(id)s", id=page.url.rpartition("product=")[2]
    )
    expect(page.locator("#product_period-row .row-head")).to_contain_text(name)
    page.get_by_role("button", name=re.compile("Take the filter product")).click()
    page.wait_for_url("**page=products")
    page.go_back()
    page.wait_for_url("**page=product&product=*")
    settled(page)
    clicked(bar(page, "product_origins", 1))
    page.wait_for_url("**page=visits&source=*")
    settled(page)
    expect(page.locator("#visits_period-row .row-head")).to_contain_text("Source")
    expect(page.locator(".navbar .nav-link", has_text="Visits")).to_be_visible()
    page.locator(".navbar .nav-link", has_text="Overview").click()
    page.wait_for_url("**page=overview")
    expect(page.locator(".navbar .nav-link", has_text="Visits")).to_be_hidden()


def test_a_point_becomes_the_day_and_its_chip_takes_it_off(site: Site, page: Page) -> None:
    page.goto(site.url)
    settled(page)
    clicked(bar(page, "overview_trend", 5))
    page.wait_for_url("**from=2026-02-25&to=2026-02-25")
    settled(page)
    expect(page.locator("#overview_period-row .row-head")).to_have_text("25 Feb 2026")
    page.get_by_role("button", name="Take the filter period").click()
    page.wait_for_url("**?page=overview")


def test_a_bar_of_a_country_filters_by_its_code(site: Site, page: Page) -> None:
    page.goto(site.url)
    settled(page)
    clicked(bar(page, "overview_countries"))
    page.wait_for_url(re.compile("country=[A-Z]{2}$"))


def test_a_row_opens_by_the_keyboard(site: Site, page: Page) -> None:
    page.goto(f"{site.url}?page=search")
    settled(page)
    table = shown_as_table(page, "search_terms")
    table.locator("tbody tr").nth(0).focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**page=visits&term=*")
    settled(page)
    expect(page.locator("#visits_period-row .row-head")).to_contain_text("Search for")


@pytest.mark.parametrize("name", sorted(ABOUT_ONE))
@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_everyone_can_use_them(site: Site, page: Page, name: str, width: int, scheme: str) -> None:
    dimension = next(each for each, of in DIMENSIONS.items() if of.page == name)
    [(product,)] = site.rows("select product_id from dim_product order by product_id limit 1")
    value = product if dimension == "product" else "google"
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(f"{site.url}?page={name}&{dimension}={value}")
    settled(page)
    expect(page.locator(".tab-pane.active .card-problem")).to_have_count(0)
    found = Axe().run(page).response["violations"]
    assert [(v["id"], v["nodes"][0]["target"]) for v in found if v["impact"] in ("serious", "critical")] == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")


@pytest.mark.parametrize("query", ["?page=product", "?page=visits&source=", "?page=visits&product=x"])
def test_a_page_about_nothing_is_the_overview(site: Site, page: Page, query: str) -> None:
    page.goto(site.url + query)
    expect(page.locator(".shiny-notification").first).to_be_visible()
    settled(page)
    assert page.url.endswith("?page=overview")

"""What a shop owner asks on Monday morning, answered from the overview in two clicks and ten seconds at most."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page

from dashboard_site import Site, settled
from formats import count, delta, percent

MOST_CLICKS, MOST_SECONDS = 2, 10
#: The last 28 whole days of the shop in conftest.py.
MONTH = {"start": "2026-02-20", "end": "2026-03-19"}
#: Of the last week no order came by a campaign.
TO_DATE = {"start": "2026-03-01", "end": "2026-03-19"}
#: A cart is left a day after its last event: of the last day that cannot be told.
SETTLED = MONTH | {"end": "2026-03-18"}
IN_TIME = "not is_bot and local_date between %(start)s and %(end)s"


class Owner:
    """Somebody who looks at the overview, and whose clicks are counted."""

    def __init__(self, site: Site, page: Page) -> None:
        self.site, self.page, self.clicks = site, page, 0

    def open(self, page: str) -> None:
        self.clicks += 1
        self.page.locator(f"#page [data-value={page}]").click()
        self.page.wait_for_url(f"**page={page}*")
        settled(self.page)

    def choose(self, select: str, value: str) -> None:
        """Choose in a list, which is one click on a phone, and one choice elsewhere."""
        self.clicks += 1
        self.page.locator(f"[id='{select}']").select_option(value)
        self.page.wait_for_url(f"**={value}*")
        settled(self.page)

    def box(self, id: str) -> str:
        return self.page.locator(f"[id='{id}']").inner_text()

    def first_bar(self, card: str) -> str:
        """The name of a chart's uppermost bar, and what stands beside it."""
        chart = self.page.locator(f"[id='{card}-chart']")
        parts = (_uppermost(chart.locator(each)) for each in (".ytick text", ".bartext"))
        return " ".join(part.text_content() or "" for part in parts).replace("\u2068", "").replace("\u2069", "")

    def first_row(self, card: str) -> str:
        return self.page.locator(f"[id='{card}-table'] tbody tr:has(td)").first.inner_text()


def _uppermost(parts: Locator) -> Locator:
    parts.first.wait_for()
    return min(parts.all(), key=lambda part: (part.bounding_box() or {"y": 0})["y"])


def rows(owner: Owner, query: str, **bound: Any) -> list[tuple[Any, ...]]:
    return owner.site.rows(query, **bound)


def yesterday_against_the_same_weekday(owner: Owner) -> tuple[str, str]:
    owner.choose("period", "yesterday")
    owner.choose("compare", "weekdays")
    counts = [
        rows(owner, f"select count(*) from fact_sessions where {IN_TIME}", start=day, end=day)[0][0]
        for day in ("2026-03-19", "2026-03-12")
    ]
    return owner.box("overview_period-period_sessions"), f"{count(counts[0])}\n{delta(*counts).text}"


def campaign_with_the_most_revenue_this_month(owner: Owner) -> tuple[str, str]:
    owner.choose("period", "month")
    owner.open("acquisition")
    [(campaign, revenue)] = rows(
        owner,
        f"""select campaign, sum(revenue) from fact_orders where {IN_TIME} and currency = 'USD' and campaign is not null
        group by campaign order by 2 desc limit 1""",
        **TO_DATE,
    )
    found = owner.first_row("acquisition_origins")
    assert f"{revenue:,.2f}" in found
    return found, campaign


def product_lost_between_cart_and_purchase(owner: Owner) -> tuple[str, str]:
    owner.open("carts")
    [(product,)] = rows(
        owner,
        f"""select product_name from agg_daily_cart_products inner join dim_product using (product_id)
        where {IN_TIME} and agg_daily_cart_products.currency = 'USD' group by product_id, product_name
        order by sum(abandoned_value) desc, product_id limit 1""",
        **SETTLED,
    )
    return owner.first_bar("carts_products"), product


def search_that_finds_nothing(owner: Owner) -> tuple[str, str]:
    owner.open("search")
    [(term,)] = rows(
        owner,
        f"""select term from fact_session_searches where {IN_TIME} and without_results > 0
        group by term order by count(*) desc, term limit 1""",
        **MONTH,
    )
    return owner.first_bar("search_losses"), term


def revenue_given_back(owner: Owner) -> tuple[str, str]:
    [(amount,)] = rows(
        owner,
        """select sum(refunded) from fact_orders where currency = 'USD' and not is_bot and (
            select min(event_timestamp at time zone 'Europe/Berlin')::date from clickstream_events as e
            where e.order_key = order_id and e.event_name = 'refund'
        ) between %(start)s and %(end)s""",
        **MONTH,
    )
    return owner.box("overview_period-period_refunds"), f"{amount:,.0f}" if amount >= 1_000 else f"{amount:,.2f}"


def customers_who_came_back(owner: Owner) -> tuple[str, str]:
    owner.open("customers")
    [(returning,)] = rows(
        owner,
        f"""select count(distinct person_id) from fact_customer_orders as o where {IN_TIME} and exists (
            select from fact_customer_orders as b
            where b.person_id = o.person_id and not b.is_bot and b.local_date < %(start)s
        )""",
        **MONTH,
    )
    return owner.box("customers_period-returning"), count(returning)


def what_happened_on_the_day_that_dipped(owner: Owner) -> tuple[str, str]:
    days = rows(owner, f"select local_date, visitors from agg_daily_traffic where {IN_TIME} order by 1", **MONTH)
    place = min(range(len(days)), key=lambda number: days[number][1])
    point = owner.page.locator("[id='overview_trend-chart'] .points .point").nth(place)
    point.scroll_into_view_if_needed()
    spot = point.bounding_box()
    assert spot
    owner.clicks += 1
    owner.page.mouse.click(spot["x"] + spot["width"] / 2, spot["y"] + spot["height"] / 2)
    owner.page.wait_for_url(f"**from={days[place][0]}&to={days[place][0]}*")
    settled(owner.page)
    return owner.box("overview_period-period_visitors"), count(days[place][1])


def phones_against_desktops(owner: Owner) -> tuple[str, str]:
    owner.open("funnel")
    told = {}
    for device in ("mobile", "desktop"):
        viewed, added = rows(
            owner,
            f"""select count(*) filter (where funnel_step >= 1), count(*) filter (where funnel_step >= 2)
            from fact_sessions where {IN_TIME} and device_type = %(device)s""",
            device=device,
            **MONTH,
        )[0]
        words = owner.page.locator(f"[id='funnel_{device}_steps-chart'] .annotation-text").all_text_contents()
        told[device] = (next(text for text in words if text.startswith("step")), f"step {100 * added / viewed:.1f} %")
    assert told["mobile"][1] in told["mobile"][0]
    return told["desktop"]


def landing_page_that_converts_best(owner: Owner) -> tuple[str, str]:
    owner.open("acquisition")
    owner.choose("acquisition_landings-acquisition_landings-select", "conversion")
    [(path, bought, entries)] = rows(
        owner,
        f"""select entry_path, count(*) filter (where purchase_count > 0), count(*) from fact_sessions
        where {IN_TIME} and entry_path is not null group by 1 having count(*) >= 30
        order by avg((purchase_count > 0)::integer) desc, 3 desc, 1 limit 1""",
        **MONTH,
    )
    return owner.first_bar("acquisition_landings"), f"{path} {percent(bought / entries)} of {entries:,}"


def what_lies_in_abandoned_carts(owner: Owner) -> tuple[str, str]:
    owner.open("carts")
    [(value,)] = rows(
        owner, f"select sum(abandoned_value) from agg_daily_carts where {IN_TIME} and currency = 'USD'", **SETTLED
    )
    return owner.box("carts_totals-abandoned_value"), count(value)


QUESTIONS: list[Callable[[Owner], tuple[str, str]]] = [
    yesterday_against_the_same_weekday,
    campaign_with_the_most_revenue_this_month,
    product_lost_between_cart_and_purchase,
    search_that_finds_nothing,
    revenue_given_back,
    customers_who_came_back,
    what_happened_on_the_day_that_dipped,
    phones_against_desktops,
    landing_page_that_converts_best,
    what_lies_in_abandoned_carts,
]


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_is_answered(site: Site, page: Page, question: Callable[[Owner], tuple[str, str]]) -> None:
    page.goto(site.url)
    settled(page)
    owner = Owner(site, page)
    started = time.monotonic()
    told, answer = question(owner)
    seconds = time.monotonic() - started
    assert answer in re.sub(r"\s*\n\s*", "\n", told)
    assert owner.clicks <= MOST_CLICKS
    assert seconds <= MOST_SECONDS

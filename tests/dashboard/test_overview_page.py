"""The overview in a browser, against the tables: its numbers, its links, Back, its files, and who can use it."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from shiny.playwright import controller

from dashboard_site import Site, settled, shown_as_table
from formats import delta
from names import in_words

PEOPLE = "not is_bot and local_date between %(start)s and %(end)s"
#: The last 28 whole days of the shop in conftest.py.
DAYS = {"start": "2026-02-20", "end": "2026-03-19"}


def shows(page: Page, box: str, number: str) -> None:
    """Waits for a box to say a number: after Back the page is settled for a moment before it hears of it."""
    expect(page.locator(f"[id='overview_{box}'] .value-box-value span[title]").first).to_have_attribute("title", number)
    settled(page)


def value(page: Page, box: str) -> str:
    """The exact number of a value box, from its hover."""
    return page.locator(f"[id='overview_{box}'] .value-box-value span[title]").first.get_attribute("title") or ""


def expected(site: Site, where: str, who: str, **parameters: object) -> dict[str, str]:
    """The six numbers straight from sessions and orders."""
    [(visitors, sessions, buying)] = site.rows(
        f"select count(distinct {who}), count(*), count(*) filter (where purchase_count > 0) "
        f"from fact_person_sessions where {where}",
        **parameters,
    )
    [(orders, revenue)] = site.rows(
        f"select count(*), sum(revenue) filter (where currency = 'USD') from fact_orders where {where}",
        **parameters,
    )
    return {
        "visitors": f"{visitors:,}",
        "sessions": f"{sessions:,}",
        "orders": f"{orders:,}",
        "revenue": f"{revenue:,}",
        "conversion": f"{buying / sessions:,.10g}",
    }


@pytest.mark.parametrize(
    ("query", "where", "parameters"),
    [
        ("", PEOPLE, DAYS),
        ("?count=people", PEOPLE, DAYS),
        ("?count=people&device=mobile", PEOPLE + " and device_type = 'mobile'", DAYS),
        ("?bots=in", PEOPLE.replace("not is_bot and", ""), DAYS),
        ("?channel=direct&channel=email", PEOPLE + " and channel in ('direct', 'email')", DAYS),
        ("?device=desktop&country=US", PEOPLE + " and device_type = 'desktop' and country = 'US'", DAYS),
        ("?from=2026-03-01&to=2026-03-07", PEOPLE, {"start": "2026-03-01", "end": "2026-03-07"}),
        ("?period=yesterday", PEOPLE, {"start": "2026-03-19", "end": "2026-03-19"}),
    ],
)
def test_the_boxes_say_what_the_tables_hold(
    site: Site, page: Page, query: str, where: str, parameters: dict[str, object]
) -> None:
    page.goto(site.url + query)
    settled(page)
    found = expected(site, where, "person_id" if "people" in query else "visitor_id", **parameters)
    assert {name: value(page, f"period-period_{name}") for name in found} == found


def test_net_revenue_and_refunds_count_on_dates_of_their_own(site: Site, page: Page) -> None:
    [(net,)] = site.rows(f"select sum(revenue - refunded) from fact_orders where currency = 'USD' and {PEOPLE}", **DAYS)
    given_back = site.rows(
        """select o.refunded, first.at::date from fact_orders as o cross join lateral (
            select min(event_timestamp) at time zone 'Europe/Berlin' as at from clickstream_events as e
            where e.order_key = o.order_id and e.event_name = 'refund'
        ) as first
        where currency = 'USD' and not is_bot and first.at::date between %(start)s and %(end)s""",
        **DAYS,
    )
    assert len(given_back) > 1
    page.goto(site.url + "?metric=refunds")
    settled(page)
    assert value(page, "period-period_net") == f"{net:,}"
    assert value(page, "period-period_refunds") == f"{sum(amount for amount, _ in given_back):,}"
    table = shown_as_table(page, "overview_trend")
    head = table.locator("thead th").all_inner_texts().index("Refunds made")
    by_day = {row.locator("td").first.inner_text(): row for row in table.locator("tbody tr:has(td)").all()}
    day = max(at for _, at in given_back if str(at) in by_day)
    expect(by_day[str(day)].locator("td").nth(head)).to_have_text(
        f"{sum(amount for amount, at in given_back if at == day):,.2f}"
    )


def test_the_first_numbers_stand_in_the_document(site: Site, browser: Browser) -> None:
    """Before any script has run."""
    context = browser.new_context(java_script_enabled=False)
    for query, where in (("", PEOPLE), ("?device=mobile", PEOPLE + " and device_type = 'mobile'")):
        page = context.new_page()
        box = page.locator("[id='overview_period-period_sessions']")
        for _ in range(10):  # a busy machine may not have them in time at first
            if not box.is_visible():
                page.goto(site.url + query)
        assert value(page, "period-period_sessions") == expected(site, where, "visitor_id", **DAYS)["sessions"]
        expect(page.locator("#chips")).to_contain_text("20 Feb – 19 Mar 2026")
        assert page.locator("#chips button").count() == query.count("=")
    context.close()


def test_today_is_compared_with_as_much_of_the_same_weekday(site: Site, page: Page) -> None:
    page.goto(site.url)
    settled(page)
    so_far = PEOPLE + " and (started_at at time zone 'Europe/Berlin')::time < '15:00'"
    counts = [
        site.rows(f"select count(*) from fact_sessions where {so_far}", start=day, end=day)[0][0]
        for day in ("2026-03-20", "2026-03-13")
    ]
    assert value(page, "today-today_sessions") == str(counts[0])
    change = page.locator("[id='overview_today-today_sessions'] .delta").inner_text()
    assert change == delta(counts[0], counts[1]).text
    expect(page.locator(".box-line .row-head")).to_contain_text(
        "Friday 20 March, until 15:00, against the Friday before"
    )


def test_the_day_so_far_says_what_is_not_shown_yet(site: Site, page: Page) -> None:
    page.goto(site.url + "?period=7d")
    settled(page)
    page.get_by_role("button", name="Nothing after that is shown yet; see Now").click()
    page.wait_for_url("**page=now&period=7d")


def test_a_click_on_a_number_shows_it_over_time(site: Site, page: Page) -> None:
    page.goto(site.url)
    settled(page)
    page.get_by_role("button", name="Orders", exact=True).click()
    page.wait_for_url("**metric=orders*")
    expect(page.locator(".bslib-value-box.chosen")).to_have_id("overview_period-period_orders")


def test_the_filters_are_in_the_url_and_back_takes_them_off(site: Site, page: Page) -> None:
    page.goto(site.url)
    settled(page)
    all_sessions = value(page, "period-period_sessions")
    controller.InputSelect(page, "period").set("7d")
    page.wait_for_url("**period=7d*")
    settled(page)
    week = value(page, "period-period_sessions")
    page.get_by_role("button", name="Filters").click()
    controller.InputSelectize(page, "device").set(["mobile"])
    page.wait_for_url("**device=mobile*")
    page.locator("#filters .btn-close").click()
    settled(page)
    mobile, link = value(page, "period-period_sessions"), page.url
    controller.PageNavbar(page, "page").set("search")
    page.wait_for_url("**page=search*")
    page.go_back()
    page.wait_for_url(link)
    shows(page, "period-period_sessions", mobile)
    page.go_back()
    shows(page, "period-period_sessions", week)
    controller.InputSelect(page, "period").expect_selected("7d")
    page.go_back()
    shows(page, "period-period_sessions", all_sessions)
    controller.InputSelect(page, "period").expect_selected("28d")
    page.go_forward()
    shows(page, "period-period_sessions", week)
    other = page.context.new_page()
    other.goto(link)
    settled(other)
    assert value(other, "period-period_sessions") == mobile
    assert len({all_sessions, week, mobile}) == 3


def test_a_click_on_a_row_filters_and_the_chip_takes_it_off(site: Site, page: Page) -> None:
    page.goto(site.url)
    settled(page)
    page.locator("[id='overview_devices-face'] a[data-value=table]").click()
    table = controller.OutputDataFrame(page, "overview_devices-table")
    table.expect_nrow(3)
    table.select_rows([1])
    page.wait_for_url("**device=mobile*")
    settled(page)
    assert (
        value(page, "period-period_sessions")
        == expected(site, PEOPLE + " and device_type = 'mobile'", "visitor_id", **DAYS)["sessions"]
    )
    page.get_by_role("button", name="Take the filter Device Phone off").click()
    page.wait_for_url(lambda url: "device" not in url)


def test_the_table_of_a_chart_has_its_numbers(site: Site, page: Page) -> None:
    page.goto(site.url)
    settled(page)
    page.locator("[id='overview_countries-face'] a[data-value=table]").click()
    top = site.rows(
        f"select coalesce(country, '(none)'), count(*) from fact_sessions where {PEOPLE} group by 1 order by 2 desc, 1 limit 1",
        **DAYS,
    )[0]
    table = controller.OutputDataFrame(page, "overview_countries-table")
    table.expect_cell(in_words("country", top[0]), row=0, col=0)
    table.expect_cell(f"{top[1]:,}", row=0, col=1)


def test_a_csv_has_the_filters_and_the_rows(site: Site, page: Page) -> None:
    page.goto(site.url + "?channel=direct")
    settled(page)
    with page.expect_download() as waiting:
        page.locator("[id='overview_trend-csv']").click()
    text = Path(waiting.value.path()).read_text(encoding="utf-8-sig")
    head = [line for line in text.splitlines() if line.startswith("#")]
    assert head[:2] == ["# Table: Trend", "# Period: 20 Feb – 19 Mar 2026"]
    assert "# Channel: direct" in head
    assert "# Time zone: Europe/Berlin" in head
    rows = list(csv.DictReader(io.StringIO("\n".join(text.splitlines()[len(head) :]))))
    found = site.rows(
        f"select local_date::text, count(*) from fact_sessions where {PEOPLE} and channel = 'direct' group by 1 order by 1",
        **DAYS,
    )
    assert [(row["Time"][:10], int(row["Sessions"])) for row in rows if row["Sessions"] != "0"] == found


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark"), (320, "light")])
def test_everyone_can_use_it(site: Site, page: Page, width: int, scheme: str) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(site.url)
    settled(page)
    found = Axe().run(page).response["violations"]
    serious = [(v["id"], v["nodes"][0]["target"]) for v in found if v["impact"] in ("serious", "critical")]
    assert serious == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")

"""The shop's pages: who can use them, how fast they are, and what they allow."""

from __future__ import annotations

import urllib.error
import urllib.request

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from buyer import pay, put_into_cart
from clickstream_dagster.local.traffic.catalogue import SEARCHES, ZERO_RESULT_SEARCHES
from shop_site import Shop

MOUSE = "sku-1026"
PAGES = (
    "/",
    "/category/graphics-cards",
    f"/product/{MOUSE}",
    "/search?q=gaming",
    "/search?q=labtop",
    "/cart",
    "/account",
    "/nothing",
)
#: What good means for Google: milliseconds until the largest part is there, and how much the page jumps.
LARGEST_PAINT, SHIFT = 2_500, 0.1


def problems(page: Page, width: int) -> list[str]:
    """What a person with a screen reader, without colours, or on a small screen would stumble over."""
    expect(page.get_by_role("heading", level=1)).not_to_be_empty()
    found = Axe().run(page).response["violations"]
    wide = page.evaluate("document.documentElement.scrollWidth")
    return [f"{page.url}: {v['id']} {v['nodes'][0]['target']}" for v in found] + (
        [f"{page.url}: {wide} wide"] if wide > width else []
    )


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark"), (320, "light")])
def test_everyone_can_use_every_page(storefront: Shop, browser: Browser, width: int, scheme: str) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(storefront.url)
    wrong = problems(page, width)
    page.get_by_role("button", name="No", exact=True).click()
    for path in PAGES:
        page.goto(storefront.url + path)
        wrong += problems(page, width)
    storefront.set_stock(50, MOUSE)
    put_into_cart(page, storefront, MOUSE)
    for path in ("/cart", "/checkout"):
        page.goto(storefront.url + path)
        wrong += problems(page, width)
    pay(page, storefront)
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    wrong += problems(page, width)
    page.close()
    assert wrong == []


@pytest.mark.parametrize("path", ["/", f"/product/{MOUSE}"])
def test_a_page_is_there_in_a_blink_and_stands_still(storefront: Shop, browser: Browser, path: str) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 844})
    line = page.context.new_cdp_session(page)
    line.send("Network.enable")
    # A slow phone: what Lighthouse takes for its measure.
    slow = {"offline": False, "latency": 150, "downloadThroughput": 1.6e6 / 8, "uploadThroughput": 750e3 / 8}
    line.send("Network.emulateNetworkConditions", slow)
    page.add_init_script(
        """window.seen = { paint: 0, shift: 0 };
        new PerformanceObserver((list) => list.getEntries().forEach((e) => (seen.paint = e.startTime)))
            .observe({ type: "largest-contentful-paint", buffered: true });
        new PerformanceObserver((list) => list.getEntries().forEach((e) => (seen.shift += e.value)))
            .observe({ type: "layout-shift", buffered: true });"""
    )
    page.context.add_cookies([{"name": "consent", "value": "granted", "url": storefront.url}])
    with page.expect_request(lambda request: request.url.endswith("/clickstream")):  # the tracker is on
        page.goto(storefront.url + path, wait_until="networkidle")
    seen = page.evaluate("window.seen")
    sizes = page.evaluate(
        "performance.getEntriesByType('resource').filter((e) => e.name.includes('.js')).map((e) => e.encodedBodySize)"
    )
    page.close()
    assert 0 < seen["paint"] < LARGEST_PAINT
    assert seen["shift"] < SHIFT
    assert sum(sizes) < 150_000


@pytest.mark.parametrize("width", [390, 1440])
def test_pictures_are_not_squeezed(storefront: Shop, browser: Browser, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900})
    for path in ("/", f"/product/{MOUSE}"):
        page.goto(storefront.url + path)
        shapes = page.evaluate(
            "[...document.querySelectorAll('.picture')].map((picture) => picture.width / picture.height)"
        )
        assert shapes == [pytest.approx(4 / 3, abs=0.02)] * len(shapes) != []
    page.close()


def test_pages_and_cookies_allow_no_more_than_they_need(storefront: Shop, page: Page) -> None:
    answer = urllib.request.urlopen(storefront.url)
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-powered-by"] is None
    put_into_cart(page, storefront, MOUSE)
    [cart] = [cookie for cookie in page.context.cookies() if cookie["name"] == "cart"]
    assert (cart["httpOnly"], cart["sameSite"]) == (True, "Lax")


def test_searches_of_the_invented_visitors_find_what_they_are_meant_to(storefront: Shop, page: Page) -> None:
    for query in (query for queries in SEARCHES.values() for query in queries):
        page.goto(f"{storefront.url}/search?q={query}")
        expect(page.get_by_role("status").first, query).to_contain_text("found")
        expect(page.get_by_role("status").first, query).not_to_have_text("No products found")
    for query in ZERO_RESULT_SEARCHES:
        page.goto(f"{storefront.url}/search?q={query}")
        expect(page.get_by_role("status").first, query).to_have_text("No products found")


def test_what_is_searched_for_stays_text(storefront: Shop, page: Page) -> None:
    query = "<img src=x onerror=alert(1)>\"'&%_"
    page.goto(f"{storefront.url}/search")
    page.get_by_role("searchbox").fill(query)
    page.get_by_role("searchbox").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(f"“{query}”")


@pytest.mark.parametrize(
    "path", ["/product/none", "/category/none", "/thank-you/none", "/admin", "/product/%25", f"/thank-you/{'0' * 36}"]
)
def test_what_is_not_there_is_not_found(storefront: Shop, path: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as refusal:
        urllib.request.urlopen(storefront.url + path)
    assert refusal.value.code == 404

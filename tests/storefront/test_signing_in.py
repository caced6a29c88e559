"""Signing in, by the OpenID provider of this computer: who is signed in, what the collector believes, and what no link can do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from buyer import ANN, sign_up
from clickstream_dagster.settings import Postgres
from shop_site import Shop, shop

MOUSE = "/product/sku-1026"


def signed_in(page: Page, site: Shop, back: str = "/") -> None:
    page.goto(f"{site.url}/auth/sign-in?return={quote(back)}")
    sign_up(page, *ANN)
    expect(page.get_by_role("link", name=ANN[0])).to_be_visible()


def until(page: Page, holds: Callable[[], Any]) -> None:
    for _ in range(150):
        if holds():
            return
        page.wait_for_timeout(100)
    raise AssertionError("it did not happen")


def events(site: Shop, page: Page) -> list[dict[str, Any]]:
    """This browser's, as far as they have arrived."""
    client = page.evaluate("/_cs=1:([^:]+)/.exec(document.cookie)[1]")
    return [line for line in site.events() if line.get("client_id") == client]


def sub(site: Shop) -> str:
    [(found,)] = site.rows("select cognito_sub::text from users where email = %s", ANN[1])
    return str(found)


def test_what_a_customer_does_signed_in_is_checked(storefront: Shop, page: Page) -> None:
    page.goto(storefront.url + MOUSE)
    page.get_by_role("button", name="Accept all").click()
    until(page, lambda: events(storefront, page))
    page.get_by_role("link", name="Sign in").click()
    page.get_by_role("link", name="Sign in or sign up").click()
    sign_up(page, *ANN)
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Hello, {ANN[0]}")
    assert page.url == f"{storefront.url}/account"
    until(page, lambda: any(line["event_name"] == "login" for line in events(storefront, page)))
    page.get_by_role("link", name="Cart").click()
    cart = f"{storefront.url}/cart"
    until(page, lambda: any(line["page_url"] == cart for line in events(storefront, page)))
    seen = {
        line["event_name"] if line["event_name"] != "page_view" else line["page_url"]: line
        for line in events(storefront, page)
    }
    for done in ("login", cart):
        assert (seen[done]["user_id"], seen[done]["identity_source"]) == (sub(storefront), "cognito_verified")
        assert seen[done]["user_login_state"] == "logged_in"
    assert "user_id" not in seen["view_product"]


def test_signing_out_is_the_provider_s_too_and_the_tracker_forgets(storefront: Shop, page: Page) -> None:
    page.goto(storefront.url)
    page.get_by_role("button", name="Accept all").click()
    signed_in(page, storefront, "/account")
    until(page, lambda: any(line["event_name"] == "login" for line in events(storefront, page)))
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()
    assert page.url == storefront.url + "/"
    page.goto(storefront.url + MOUSE)
    until(page, lambda: any(line["event_name"] == "view_product" for line in events(storefront, page)))
    [viewed] = [line for line in events(storefront, page) if line["event_name"] == "view_product"]
    assert "user_id" not in viewed
    page.goto(storefront.url + "/auth/sign-in")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")  # it asks again
    page.get_by_role("button", name=ANN[1]).click()
    expect(page.get_by_role("link", name=ANN[0])).to_be_visible()


def test_the_same_customer_on_another_device_is_one_row(storefront: Shop, page: Page, browser: Browser) -> None:
    signed_in(page, storefront)
    other = browser.new_context().new_page()
    signed_in(other, storefront)
    other.context.close()
    assert storefront.rows("select count(*) from users where email = %s", ANN[1]) == [(1,)]


def test_an_account_that_takes_over_an_address_takes_over_its_orders(storefront: Shop, page: Page) -> None:
    signed_in(page, storefront)
    own = sub(storefront)
    storefront.rows("update users set email = 'ann.before@mail.example' where email = %s", ANN[1])
    [(other,)] = storefront.rows(
        "insert into users (email, cognito_sub) values (%s, gen_random_uuid()) returning user_id", ANN[1]
    )
    [(order,)] = storefront.rows("insert into orders (user_id, total) values (%s, 9) returning order_id::text", other)
    page.context.clear_cookies()
    signed_in(page, storefront, "/orders")
    expect(page.get_by_text(order)).to_be_visible()
    assert storefront.rows("select email, cognito_sub::text from users where email like 'ann%%'") == [(ANN[1], own)]


def test_a_session_does_not_take_an_address_back(storefront: Shop, page: Page) -> None:
    signed_in(page, storefront)
    [(taker,)] = storefront.rows(
        "update users set cognito_sub = gen_random_uuid() where email = %s returning cognito_sub::text", ANN[1]
    )
    page.goto(storefront.url)
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()
    assert sub(storefront) == taker


@pytest.mark.parametrize("consent", ["Count me without an id", "No"])
def test_without_full_consent_no_event_names_a_customer(storefront: Shop, page: Page, consent: str) -> None:
    page.goto(storefront.url)
    before = len(storefront.events())
    page.get_by_role("button", name=consent, exact=True).click()
    signed_in(page, storefront)
    page.goto(storefront.url + MOUSE)
    page.wait_for_timeout(2_500)
    assert [line for line in storefront.events()[before:] if "user_id" in line] == []


@pytest.mark.parametrize(
    "back",
    [
        "//evil.example/x",
        "https://evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "",
    ],
)
def test_the_way_back_is_a_page_of_the_shop(storefront: Shop, page: Page, back: str) -> None:
    signed_in(page, storefront, back)
    assert page.url == storefront.url + "/"


def test_the_way_back_keeps_its_query(storefront: Shop, page: Page) -> None:
    signed_in(page, storefront, "/search?q=mouse&page=2")
    assert page.url == storefront.url + "/search?q=mouse&page=2"


def session_cookies(context: BrowserContext) -> dict[str, dict[str, Any]]:
    return {str(one["name"]): dict(one) for one in context.cookies() if str(one["name"]).startswith("shop_")}


def test_an_answer_is_taken_once_and_by_the_browser_that_asked(storefront: Shop, page: Page, browser: Browser) -> None:
    answers: list[str] = []
    page.on("request", lambda request: answers.append(request.url) if "/auth/callback" in request.url else None)
    signed_in(page, storefront)
    [answer] = answers
    stranger = browser.new_context().new_page()
    for address in (answer, f"{storefront.url}/auth/callback?code=x&state=y", f"{storefront.url}/auth/callback"):
        stranger.goto(address)
        assert stranger.url == f"{storefront.url}/auth/failed"
    stranger.goto(f"{storefront.url}/auth/sign-in")  # it has a sign-in of its own under way, with another state
    stranger.goto(answer)
    assert stranger.url == f"{storefront.url}/auth/failed"
    assert "shop_session" not in session_cookies(stranger.context)
    expect(stranger.get_by_role("link", name="Sign in", exact=True)).to_be_visible()
    stranger.context.close()


def test_no_script_reads_the_session_and_nobody_else_makes_one(storefront: Shop, page: Page) -> None:
    signed_in(page, storefront)
    cookies = session_cookies(page.context)
    assert cookies.keys() == {"shop_session", "shop_refresh"}
    assert all(one["httpOnly"] and one["sameSite"] == "Lax" for one in cookies.values())
    assert "shop_" not in page.evaluate("document.cookie")
    assert max(len(one["value"]) for one in cookies.values()) < 3_800
    # The refresh token's cookie is one of this server's, too; but it is no session.
    for forged in (cookies["shop_refresh"]["value"], cookies["shop_session"]["value"][:-8] + "AAAAAAAA", "x"):
        page.context.add_cookies([{"name": "shop_session", "value": forged, "url": storefront.url}])
        page.goto(storefront.url)
        expect(page.get_by_role("link", name="Sign in")).to_be_visible()


def test_a_token_is_given_to_its_own_page_only(storefront: Shop, page: Page, browser: Browser) -> None:
    signed_in(page, storefront)
    given = page.request.get(storefront.url + "/auth/token")
    assert given.headers["cache-control"] == "no-store"
    assert "access-control-allow-origin" not in given.headers
    assert given.json()["token"].count(".") == 2
    stranger = browser.new_context()
    assert stranger.request.get(storefront.url + "/auth/token").status == 401
    stranger.close()


@pytest.fixture(scope="module")
def hasty(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A shop whose provider gives tokens that are always about to end."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENID_TOKEN_MINUTES", "1")
        home: Path = tmp_path_factory.mktemp("hasty")
        with shop(postgres, "hasty", home) as running:
            yield running


def test_a_token_is_renewed_until_the_provider_gives_none(hasty: Shop, browser: Browser) -> None:
    page = browser.new_context().new_page()
    providers: list[str] = []
    page.on("request", lambda sent: providers.append(sent.url) if "/auth?" in sent.url else None)
    signed_in(page, hasty)
    first = page.request.get(hasty.url + "/auth/token").json()["token"]
    page.wait_for_timeout(1_100)  # a token says its second
    assert page.request.get(hasty.url + "/auth/token").json()["token"] != first
    page.goto(providers[0].partition("/auth?")[0] + "/session/end")  # signed out there, in another window, say
    expect(page.get_by_text("You are signed out")).to_be_visible()
    page.goto(hasty.url)
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()
    assert page.request.get(hasty.url + "/auth/token").status == 401
    page.context.close()

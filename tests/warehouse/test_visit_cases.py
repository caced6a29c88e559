"""Where visits come from and whose they are: through the collector, into the sessions. Each came out wrong once."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from clickstream_dagster.stack import Stack
from ingest_lambda.contract import Order
from support.posting import post
from support.stories import at, event, rows, tell
from support.tables import unequal_sums

SHOP = "https://shop.example/p/1"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
_ANDROID = (
    "Mozilla/5.0 (Linux; Android 14; {} wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/140.0.0.0 {}"
)


def view(client: str, url: str = SHOP, referrer: str = "", agent: str = FIREFOX, **more: Any) -> dict[str, Any]:
    page = {"page_url": url, "referrer": referrer, "user_agent": agent}
    return {"event_name": "page_view", "client_id": client, **page, **more}


ORIGINS = [
    ("?twclid=a", "", "paid social"),
    ("?li_fat_id=a", "", "paid social"),
    ("?epik=a", "", "paid social"),
    ("?yclid=a", "", "paid search"),
    ("?gad_source=1", "", "paid search"),
    ("?utm_source=partner&utm_medium=paid", "", "paid other"),
    ("?utm_source=coupons.example&utm_medium=cpc", "", "paid other"),
    ("?utm_source=bing", "", "organic search"),
    ("?utm_source=google", "", "organic search"),
    ("?utm_source=email", "", "email"),
    ("?utm_source=chatgpt.com&utm_medium=referral", "", "ai assistant"),
    ("", "https://x.ai/", "ai assistant"),
    ("", "android-app://com.linkedin.android/", "social"),
    ("?utm_source=news&amp;utm_medium=email", "", "email"),
    ("?utm_medium=sms", "", "sms"),
    ("?utm_medium=push", "", "push"),
]


@pytest.mark.parametrize(("query", "referrer", "channel"), ORIGINS)
def test_an_origin_is_the_channel_that_it_should_be(stack: Stack, query: str, referrer: str, channel: str) -> None:
    post(stack, view("c", SHOP + query, referrer))
    assert rows(stack, "select channel from fact_sessions") == [(channel,)]


def test_own_hosts_and_a_bank_in_mid_session_open_no_source(stack: Stack) -> None:
    post(
        stack,
        view("c", "https://www.shop.example/", "https://www.google.com/"),
        view("c", "https://blog.shop.example/a", "https://www.shop.example/"),
        view("c", "https://www.shop.example/thanks", "https://secure.bank.example/3ds"),
        view("d", "https://www.shop.example/", "https://blog.shop.example/a"),
    )
    found = rows(stack, "select visitor_id, channel, source from fact_sessions order by 1")
    assert found[0][:2] == ("c", "organic search")
    assert found[1] == ("d", "direct", None)


def test_campaigns_compare_without_case_in_every_alphabet(stack: Stack) -> None:
    for number, name in enumerate(("Весна", "ВЕСНА", "весна")):
        post(stack, view(f"c{number}", f"{SHOP}?utm_source=News&utm_medium=Email&utm_campaign={name}"))
    assert rows(stack, "select distinct source, medium, campaign from fact_sessions") == [("news", "email", "весна")]


def test_an_ean_in_a_search_and_the_id_of_a_campaign_stay(stack: Stack) -> None:
    search = {"event_name": "search", "search_query": "4006381333931", "client_id": "c"}
    post(stack, view("c", f"{SHOP}?utm_source=g&utm_campaign=12345678901234567"), search)
    assert rows(stack, "select campaign from fact_sessions") == [("12345678901234567",)]
    assert rows(stack, "select term from agg_daily_search") == [("4006381333931",)]


@pytest.mark.parametrize("library", ["axios/1.7.2", "python-requests/2.32.3"])
def test_a_purchase_that_the_shop_s_server_confirms_makes_no_bot_of_its_customer(stack: Stack, library: str) -> None:
    order = {"id": "A", "value": 50}
    purchase = {"event_name": "purchase", "client_id": "c", "order": order, "user_agent": library}
    post(stack, *[view("c", referrer="https://www.google.com/")] * 4, purchase)
    assert rows(stack, "select is_bot, device_type, order_count from fact_sessions") == [(False, "desktop", 1)]
    assert rows(stack, "select revenue, is_bot, device_type from fact_orders") == [(50, False, "desktop")]


@pytest.mark.parametrize("nobody", ["NULL", "nan", "none", "0", "guest", "(not set)", "  ", "undefined "])
def test_an_id_that_is_nobodys_is_nobody(stack: Stack, nobody: str) -> None:
    replies = post(stack, view(nobody), view(nobody, session_id="s-1"), view(nobody, session_id="s-2"))
    assert [reply["status"] for reply in replies] == [400, 200, 200]
    assert replies[0]["errors"][0]["code"] == "missing_visitor"
    assert rows(stack, "select count(distinct visitor_id) from fact_sessions") == [(2,)]


@pytest.mark.parametrize(
    ("agent", "is_bot", "device"),
    [
        ("Mozilla/5.0 (compatible; Ezooms/1.0; ezooms.bot@gmail.com)", True, None),
        (
            _ANDROID.format("CPH2653 Build/AP3A.240617.008;", "Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/480.0;]"),
            False,
            "mobile",
        ),
        (_ANDROID.format("Pixel 10 Pro XL Build/CP1A;", "Mobile Safari/537.36 MetaIAB Facebook"), False, "mobile"),
        (
            _ANDROID.format("SM-S911B Build/UP1A;", "Mobile Safari/537.36 Instagram 300.0 Android (34/14;)"),
            False,
            "mobile",
        ),
        (_ANDROID.format("SM-S911B;", "Mobile Safari/537.36 WhatsApp/2.24"), False, "mobile"),
    ],
)
def test_an_agent_is_what_it_is(stack: Stack, agent: str, is_bot: bool, device: str | None) -> None:
    post(stack, view("c", agent=agent))
    [(found, kind)] = rows(stack, "select is_bot, device_type from fact_sessions")
    assert found is is_bot
    assert device in (None, kind)


@pytest.mark.parametrize(("views", "apart", "is_bot"), [(100, "0.6", True), (100, "0.7", False), (99, "0.1", False)])
def test_who_opens_a_hundred_pages_in_a_minute_is_a_bot(stack: Stack, views: int, apart: str, is_bot: bool) -> None:
    """Whatever its agent says, and however slow the rest of its visit is."""
    fast = [event(at("1 09:00") + n * timedelta(seconds=float(apart)), path="/p") for n in range(views)]
    tell(stack, *fast, *(event(at("1 09:05") + n * timedelta(minutes=5), path="/p") for n in range(3)))
    assert rows(stack, "select is_bot, event_count from fact_sessions") == [(is_bot, views + 3)]


def test_a_session_of_more_than_a_day_is_a_bot_s_from_then_on(stack: Stack) -> None:
    """Its orders and sums go with it, as those of any bot, once the event is loaded that makes it so long."""
    steps = [event(at("1 09:00") + n * timedelta(minutes=29), path="/p") for n in range(50)]
    buy = event("1 12:00", "purchase", order=Order(id="o1", value=Decimal(9)))
    tell(stack, *steps, buy)
    asked = "select (select is_bot from fact_sessions), (select is_bot from fact_orders)"
    assert rows(stack, asked) == [(False, False)]
    tell(stack, event("2 09:01", path="/p"))
    assert rows(stack, asked) == [(True, True)]
    with stack.warehouse() as connection:
        assert unequal_sums(connection) == {}


def test_a_shop_s_system_that_reports_orders_under_one_id_is_none(stack: Stack) -> None:
    """A till, or a back end, that never pauses: its orders are those of people."""
    bought = [
        event(at("1 09:00") + n * timedelta(minutes=29), "purchase", order=Order(id=f"o{n}", value=Decimal(9)))
        for n in range(60)
    ]
    tell(stack, *bought)
    assert rows(stack, "select is_bot, order_count from fact_sessions") == [(False, 60)]

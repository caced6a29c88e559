"""What a user agent is. The figures are stated over lists of others: see the heads of agents/*.txt."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from clickstream_dagster.raw import agents
from clickstream_dagster.raw.agents import Agent, label
from ingest_lambda.normalize import normalize

LISTS = Path(__file__).parent / "agents"
WEBVIEW = "AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/130.0.6723.58 Mobile Safari/537.36"
PIXEL = f"Mozilla/5.0 (Linux; Android 15; Pixel 8 Build/AP3A.240617.008; wv) {WEBVIEW}"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"
PEOPLE: dict[str, tuple[str, str | None, str]] = {
    f"{PIXEL} [FB_IAB/FB4A;FBAV/485.0.0.70.77;]": ("mobile", "Facebook", "Android"),
    f"{PIXEL} MetaIAB Facebook": ("mobile", "Facebook", "Android"),
    f"{PIXEL} Instagram 300.0 Android (34/14; 420dpi; 1080x2400; Google; Pixel 8)": ("mobile", "Instagram", "Android"),
    f"{PIXEL} Instagram 300.0 Android (34/14; …)": ("mobile", "Instagram", "Android"),
    "Instagram 300.0 Android (34/14; 420dpi; 1080x2400; samsung; SM-S911B)": ("mobile", "Instagram", "Android"),
    "Instagram 300.0 Android (34/14; 320dpi; 1600x2560; samsung; SM-X710)": ("tablet", "Instagram", "Android"),
    f"{PIXEL} musical_ly_2021806060 BytedanceWebview/d8a21c6": ("mobile", "TikTok", "Android"),
    f"{IPHONE} Mobile/15E148 WhatsApp/24.6": ("mobile", "WhatsApp", "iOS"),
    f"{PIXEL} WhatsApp/2.24.6": ("mobile", "WhatsApp", "Android"),
    f"{PIXEL} SogouMSE,SogouMobileBrowser/5.20.6": ("mobile", "Sogou", "Android"),
    f"{WINDOWS} AppleWebKit/535.11 Chrome/17.0.963.84 Safari/535.11 SE 2.X MetaSr 1.0": ("desktop", "Sogou", "Windows"),
    f"{WINDOWS} AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36": (
        "desktop",
        "Chrome",
        "Windows",
    ),
    f"{WINDOWS} Gecko/20100101 Firefox/128.0": ("desktop", "Firefox", "Windows"),
    f"{IPHONE} Version/17.4 Mobile/15E148 Safari/604.1": ("mobile", "Safari", "iOS"),
    "Mozilla/5.0 (iPad; CPU OS 17_4 like Mac OS X) Version/17.4 Mobile/15E148 Safari/604.1": (
        "tablet",
        "Safari",
        "iOS",
    ),
    "Mozilla/5.0 (Linux; Android 14; SM-X710) Chrome/126.0 Safari/537.36": ("tablet", "Chrome", "Android"),
    "Mozilla/5.0 (Linux; Android 6.0; CUBOT MAX) Chrome/72.0.3626.121 Mobile Safari/537.36": (
        "mobile",
        "Chrome",
        "Android",
    ),
    f"{IPHONE} Version/17.4.1 Mobile/15E148 Safari/604.1 (Ecosia ios@9.2.3.1367)": ("mobile", "Ecosia iOS", "iOS"),
    f"{PIXEL} (Ecosia android@140.0.0.0)": ("mobile", "Ecosia Android", "Android"),
    f"{PIXEL} (Ecosia [email])": ("mobile", "Android WebView", "Android"),  # as it was stored
    f"{PIXEL} Viber/14.7.0.4": ("mobile", "Android WebView", "Android"),
    "MyShop/120 CFNetwork/1404.0.5 Darwin/22.3.0": ("other", "MyShop", "iOS"),
    "MyShop/3.4 (com.myshop.app; build:12; iOS 17.0.0) Alamofire/5.8.1": ("mobile", None, "iOS"),
}
BOTS = [
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
    "Ezooms/1.0; ezooms.bot@gmail.com",
    "Mozilla/5.0 (compatible; Ezooms/1.0; [email])",
    "WhatsApp/2.24.6 A",  # the preview of a link
    "Sogou web spider/4.0(+http://www.sogou.com/docs/help/webmasters.htm#07)",
    "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)",
    f"{WINDOWS} Chrome/126.0.0.0 Safari/537.36 (+https://crawl.example)",
    "Googlebot-Image/1.0",
    "python-requests/2.32 mybot/1.0",
]
SERVERS = [
    *("axios/1.7.2", "python-requests/2.32", "curl/8.5.0", "okhttp/4.12.0", "Go-http-client/2.0", "node-fetch", "undici"),
    *("Java-http-client/17.0.2", "Apache-HttpClient/4.5.13 (Java/11.0.3)", "GuzzleHttp/7", "Python/3.11 aiohttp/3.9.1"),
    *("got (https://github.com/sindresorhus/got)", "WordPress/6.4; https://shop.example", "Stripe/1.0 (+https://stripe.com/docs/webhooks)"),
    *("Google-Cloud-Tasks", "Google-Cloud-Scheduler", "Google-HTTP-Java-Client/1.43.3 (gzip)", "Integromat/production"),
    *("PHP/8.2.1", "Ruby", "Faraday v2.7.4", "PostmanRuntime/7.29.0", "node", "Dart/3.2 (dart:io)"),
]  # fmt: skip


@pytest.mark.parametrize(("user_agent", "expected"), PEOPLE.items())
def test_people_are_people_whatever_app_they_look_from(user_agent: str, expected: tuple[str, str | None, str]) -> None:
    device, browser, system = expected
    assert label(user_agent) == Agent("human", device, browser, system)


@pytest.mark.parametrize("user_agent", BOTS)
def test_a_crawler_is_a_bot(user_agent: str) -> None:
    assert label(user_agent).kind == "bot"


def test_a_contact_that_the_collector_takes_out_still_tells_a_crawler() -> None:
    sent = {
        "event_name": "page_view",
        "client_id": "c-1",
        "user_agent": "Mozilla/5.0 (compatible; Ezooms; e@mail.example)",
    }
    stored = normalize(sent, received_at=datetime(2026, 4, 6, tzinfo=UTC)).user_agent
    assert stored is not None and "@" not in stored
    assert label(stored).kind == "bot"


@pytest.mark.parametrize("user_agent", SERVERS)
def test_a_library_reports_for_somebody_and_tells_nothing_of_them(user_agent: str) -> None:
    assert label(user_agent) == Agent("server")


#: They name their home, as crawlers do, and are shops' servers as often: a crawler is what views pages.
PROGRAMS = (
    *("Hexometer", "Drupal/10.2.3 (+https://www.drupal.org/) GuzzleHttp/7", "axios/1.6.2 (https://shop.example)"),
    *("MyShop/1.0 (+https://shop.example)", "shop.example/2.3 (mailto:dev@shop.example)", "Ezooms/1.0; [email]"),
    "http.rb/3.2.0 (Mastodon/2.4.3; +https://uwu.social/)",
)


@pytest.mark.parametrize("user_agent", PROGRAMS)
def test_a_program_that_nobody_knows_is_neither_a_crawler_nor_a_person(user_agent: str) -> None:
    assert label(user_agent) == Agent("program")


@pytest.mark.parametrize("contact", ["ios@9.2.3.1367", "android@140.0.0.0", "android@114.0.5735.58"])
def test_the_version_of_a_program_is_no_contact(contact: str) -> None:
    sent = {"event_name": "page_view", "client_id": "c-1", "user_agent": f"{PIXEL} (Ecosia {contact})"}
    assert normalize(sent, received_at=datetime(2026, 4, 6, tzinfo=UTC)).user_agent == sent["user_agent"]


def test_what_stands_for_an_agent_is_the_part_that_is_looked_at() -> None:
    assert agents.key("a" * 600) == agents.key("a" * agents.MAX_AGENT) != agents.key("a" * 511)


def test_of_the_crawlers_that_others_list_nineteen_in_twenty_are_found() -> None:
    lines = [line for line in (LISTS / "crawlers.txt").read_text().splitlines() if not line.startswith("#")]
    found = sum(label(line).kind in ("bot", "program") for line in lines)
    assert found / len(lines) >= 0.95, f"{found} of {len(lines)}"


def test_of_people_not_one_in_two_hundred_is_taken_for_a_bot() -> None:
    lines = [line for line in (LISTS / "people.txt").read_text().splitlines() if not line.startswith("#")]
    pairs = [line.split("\t", 1) for line in lines]
    wrong = [agent for _, agent in pairs if label(agent).kind in ("bot", "program")]
    assert len(wrong) <= 0.005 * len(pairs), wrong
    kinds = [(kind, agent) for kind, agent in pairs if kind != "-"]
    off = [(kind, label(agent).device_type, agent) for kind, agent in kinds if label(agent).device_type != kind]
    assert len(off) <= 0.005 * len(kinds), off

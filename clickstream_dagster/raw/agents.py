"""Who wrote to us: what a user agent is, by lists that others maintain and by rules of our own.

A person's browser, a crawler (bot), a library that reports for a visitor (server), or a program that nobody has listed.
Definitions: docs/metrics.md, "bot". The lists are asked late and once for each distinct agent (`dim_user_agent`), because they
compile for a tenth of a second, and each answer takes a millisecond.
"""

from __future__ import annotations

import hashlib
import re
from functools import cache, lru_cache
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Any, NamedTuple

from clickstream_dagster.raw import devices

#: Nothing behind this says who it is; whoever sends more costs no more.
MAX_AGENT = 512

#: Patterns of the list that are no crawler's: a build of Android, and browsers inside of apps.
_PEOPLE = frozenset({r"AP3A\.240617\.008", "MetaIAB Facebook", "WhatsApp", "Sogou", "okhttp", "axios"})
_CRAWLER = re.compile(
    r"(?<!cu)bots?(?![a-z])|bot[/_-]|robot|crawl|spider|slurp"
    r"|scrap(?:er|y|ing)|archiv(?:er|e\.org|ebox)|headless|phantomjs|lighthouse"
    r"|(?<!node-)fetch(?:er)?(?![a-z])|\bfeed|rss(?![a-z])|link ?preview|uripreview|web preview|imageproxy|emailproxy"
    r"|monitor|checker|validat|scanner|sitesearch|check_http|health-?check|uptime|synthetic|page ?speed|pagespeed|favicon"
    r"|\d subscriber|subscribers=|indexer|\bgrab|\bgoogle-(?!app|cloud|http|api)|external(?:agent|fetcher|hit)"
    r"|selenium|webdriver|playwright|puppeteer|cypress|web ?(?:scan|mirror|copier)",
    re.IGNORECASE,
)
_ADDRESS = re.compile(
    r"https?://|(?<![a-z])www\.|(?<!Ecosia )\[email\]|\(at\)|[a-z0-9_-]@[a-z][a-z0-9-]*\.[a-z]{2}", re.IGNORECASE
)
# Ecosia's browsers are `(Ecosia ios@9.2.3.1367)`, which the collector once took for an e-mail address.
#: Old browsers that name the home of a library they are built with; they are people.
_BUILT_WITH = re.compile(r"https?://(?:www\.)?(?:bsalsa|qtweb|ucweb)\.(?:com|net)", re.IGNORECASE)
_LIBRARY = re.compile(
    r"^(?:axios|node-fetch|node-superagent|superagent|undici|got|ky|needle|request|node(?:\.js)?|deno|bun|phin"
    r"|python-requests|python-urllib|python-httpx|python|aiohttp|httpx|urllib3|requests|niquests"
    r"|okhttp|java|java-http-client|apache-httpclient|apache-httpasyncclient|jakarta commons-httpclient|ahc|jetty"
    r"|ktor(?:-client)?|reactornetty|spring|akka-http|pekko-http|feign|unirest-java|vert\.x-webclient|gatling"
    r"|go-http-client|go-resty|go|fasthttp|reqwest|hyper|ureq|rust|isahc|curl|libcurl|php-curl-class|wget"
    r"|php|guzzlehttp|guzzle|symfony httpclient|symfony|laravel|zend_http_client|laminas_http_client|buzz|saloon"
    r"|ruby|faraday|http\.rb|rest-client|httparty|typhoeus|excon|httpclient|libwww-perl|lwp(?:::simple)?|mojolicious"
    r"|restsharp|flurl|refit|\.net|dotnet|microsoft-(?:cryptoapi|webapi)|winhttp|dart|elixir|hackney|mint|finch|tesla|clj-http"
    r"|grpc-[a-z-]+|postmanruntime|insomnia|httpie|bruno|paw|amazon-?(?:lambda|eventbridge|api-?gateway|sns)"
    r"|wordpress|woocommerce(?: hookshot)?|magento|adobe ?commerce|shopware|prestashop|opencart|sylius"
    r"|spree|bigcommerce|shopify[a-z -]*"
    r"|stripe|paypal ?ipn|zapier|make|integromat|n8n|segment|rudderstack|snowplow"
    r"|google-(?:http-java|api)[a-z-]*|google-?cloud-?(?:tasks|functions|scheduler)?)"
    r"(?:[/ ;,(:_-]|$)",
    re.IGNORECASE,
)
#: A library may say where it lives, and a shop's system where it runs. Any other address is a crawler's.
_HOME = re.compile(r"https?://(?:www\.)?(?:github\.com|stripe\.com|guzzlephp\.org|symfony\.com)", re.IGNORECASE)
_SHOP = re.compile(r"^(?:wordpress|woocommerce|magento|shopware|prestashop|shopify)", re.IGNORECASE)
#: What any agent of a person has: the name of a browser's family, of a system or of a maker.
_PLATFORM = re.compile(
    r"opera|dalvik|cfnetwork|darwin|android|iphone|ipad|ipod|\bios\b|windows|linux|macintosh|mac os|x11|tizen|webos"
    r"|blackberry|nokia|symbian|midp|samsung|harmony|playstation|nintendo|xbox|roku|kaios|instagram|facebook|snapchat|lynx|w3m|links|browser/|safari|trident|firefox|gecko/"
    r"|konqueror|netsurf|risc os|amiga|morphos|haiku|beos|os/2|sunos|bsd|aix|irix|midori|smart-?tv|cros|mobile|\bapp\b|app/",
    re.IGNORECASE,
)


_BROWSER = re.compile(r"mozilla/|opera/|dalvik/", re.IGNORECASE)
#: A browser inside of an app: it ends in the app's own name, which a list may know as that of a preview.
_IN_APP = re.compile(r"(?:Mobile Safari|Mobile)/[0-9A-Za-z.]{1,20} [A-Za-z]{1,40}/[0-9.]{1,20}\Z")


class Agent(NamedTuple):
    """What a user agent tells. `kind` is human, bot, server or program; the last two do not tell what they report for.
    Browser and operating system are families, without versions."""

    kind: str
    device_type: str | None = None
    browser: str | None = None
    operating_system: str | None = None


@lru_cache(maxsize=16_384)
def key(user_agent: str) -> str:
    """What stands for this agent in the events."""
    return hashlib.md5(user_agent[:MAX_AGENT].encode(), usedforsecurity=False).hexdigest()


def label(user_agent: str) -> Agent:
    """What this agent is."""
    text = user_agent[:MAX_AGENT]
    kind = _kind(text)
    if kind in ("server", "program"):
        return Agent(kind)
    browser, system = _parser().parse_user_agent(text), _parser().parse_os(text)
    return Agent(
        kind,
        devices.device_type(text),
        devices.browser(text, browser and browser.family),
        devices.system(system and system.family),
    )


@cache
def version() -> str:
    """Another one labels every agent anew: of the lists, or of this code."""
    lists = "".join(
        f"{name} {version_of(name)} " for name in ("crawler-user-agents", "ua-parser", "ua-parser-builtins")
    )
    code = Path(__file__).read_bytes() + Path(devices.__file__).read_bytes()
    return hashlib.sha256(lists.encode() + code).hexdigest()


def _kind(text: str) -> str:
    if _CRAWLER.search(text) or text.startswith("WhatsApp/"):
        return "bot"
    has_address = _has_address(text)
    if _LIBRARY.match(text):
        return "server" if _SHOP.match(text) or not has_address else "program"
    if not _IN_APP.search(text) and _is_listed(text):
        return "bot"
    if has_address:
        # What is no browser names its home as a crawler does and as a shop's server does: a crawler is what views pages.
        return "bot" if _BROWSER.match(text) else "program"
    return "human" if _PLATFORM.search(text) else "program"


def _has_address(text: str) -> bool:
    return bool(_ADDRESS.search(_HOME.sub("", _BUILT_WITH.sub("", text))))


def _is_listed(text: str) -> bool:
    if any(pattern.search(text) for pattern in _crawlers()):
        return True
    device = _parser().parse_device(text)
    return device is not None and device.family == "Spider"


@cache
def _crawlers() -> list[re.Pattern[str]]:
    from crawleruseragents import CRAWLER_USER_AGENTS_DATA

    patterns = [entry["pattern"] for entry in CRAWLER_USER_AGENTS_DATA if entry["pattern"] not in _PEOPLE]
    return list(map(re.compile, ("|".join(patterns[first : first + 25]) for first in range(0, len(patterns), 25))))


@cache
def _parser() -> Any:
    from ua_parser import Parser
    from ua_parser.basic import Resolver
    from ua_parser.loaders import load_lazy_builtins

    return Parser(Resolver(load_lazy_builtins()))

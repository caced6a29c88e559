"""Where a visit came from: the channel of a page view.

Definitions: docs/metrics.md, "channel". What repeats itself is cached: places, campaigns, referring
hosts and user agents, but no whole addresses, since a click id makes an address the only one of its kind.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

CLICK_IDS = {
    "gclid": ("paid search", "google"),
    "gbraid": ("paid search", "google"),
    "wbraid": ("paid search", "google"),
    "msclkid": ("paid search", "bing"),
    "fbclid": ("social", "facebook"),
    "ttclid": ("paid social", "tiktok"),
    "dclid": ("display", "google"),
}
_TAGS = {"utm_medium", "utm_source", "utm_campaign", *CLICK_IDS}
_NO_BREAKS = str.maketrans("", "", "\n\t\r")
_PAID_MEDIA = re.compile(r"^(cpc|ppc|paid.*|.*[-_]cpc|retargeting)$")
_MEDIUM_CHANNELS = (
    (re.compile(r"^(display|banner|cpm|interstitial|expandable)$"), "display"),
    (re.compile(r"^(e-?mail|e[_ ]mail|newsletter)$"), "email"),
    (re.compile(r"^(affiliates?|partner)$"), "affiliate"),
    (re.compile(r"^(social|social[-_ ]?(network|media)|sm)$"), "social"),
    (re.compile(r"^(organic)$"), "organic search"),
    (re.compile(r"^(referral)$"), "referral"),
)
# The name right before the public suffix tells them: google.com.vn, cn.bing.com; not google.com.evil.example, and not the
# other houses of the same name: mail.google.com. A portal counts where its search does: search.yahoo.co.jp.
_SUFFIX = r"\.(?:com?\.[a-z]{2}|[a-z]{2,3})"
_SEARCH_HOST = re.compile(
    r"(?:(?:[a-z]{2}|m|wap|html|lite|search|images?)\.){0,2}"
    r"(?:google|bing|duckduckgo|baidu|yandex|ecosia|qwant|startpage|coccoc|sogou|ask)" + _SUFFIX + r"\Z"
    r"|(?:[a-z]{1,3}\.)*search\.(?:yahoo|naver|seznam|aol|daum|brave)" + _SUFFIX + r"\Z"
    r"|ya\.ru\Z|com\.google\.android\.googlequicksearchbox\Z"
)
_SOCIAL_HOSTS = {
    *("facebook.com", "instagram.com", "t.co", "twitter.com", "x.com", "linkedin.com", "lnkd.in", "reddit.com"),
    *("pinterest.com", "tiktok.com", "youtube.com", "youtu.be", "vk.com", "zalo.me", "threads.net", "tumblr.com"),
    *("bsky.app", "snapchat.com", "whatsapp.com", "t.me", "discord.com", "quora.com", "news.ycombinator.com"),
}
_ASSISTANT_HOSTS = {
    *("chatgpt.com", "chat.openai.com", "perplexity.ai", "gemini.google.com", "copilot.microsoft.com", "claude.ai"),
    *("you.com", "phind.com", "chat.deepseek.com", "chat.mistral.ai", "meta.ai", "grok.com"),
}
_SOCIAL_NAMES = {host.rsplit(".", 1)[0] for host in _SOCIAL_HOSTS} | {"meta", "fb", "ig"}


#: Nothing longer names a campaign; whoever writes more into an address makes no table of ours large.
MAX_TAG = 200


class Source(NamedTuple):
    """What an event says of its origin; all None when it says nothing (a click inside the shop)."""

    channel: str | None = None
    source: str | None = None
    medium: str | None = None
    campaign: str | None = None


class Page(NamedTuple):
    """The parts of a page address that models group by."""

    host: str | None = None
    path: str | None = None
    query: str = ""


def page(url: str | None) -> Page:
    """Host, path and query of an address; nothing for one that cannot be parsed."""
    if not url:
        return Page()
    address, _, query = url.partition("#")[0].partition("?")
    here = _place(address)
    if not query or here.path is None:
        return here
    if "\n" in query or "\t" in query or "\r" in query:  # as urlsplit and browsers read it
        query = query.translate(_NO_BREAKS)
    return Page(here.host, here.path, query)


@lru_cache(maxsize=65_536)
def _place(address: str) -> Page:
    """Host and path of what stands before the query: its click ids make most addresses unique, the places repeat. What
    follows a `?` or a `#` changes neither."""
    try:
        parts = urlsplit(address)
        host = parts.hostname
    except ValueError:
        return Page()
    return Page(_plain(host)[:MAX_TAG] if host else None, parts.path or "/")


def source(url: str | None, referrer: str | None, own_hosts: tuple[str, ...]) -> Source:
    """Where this page view came from. `own_hosts` (the shop and its payment gateways) are never a referrer."""
    return source_of(page(url), referrer, own_hosts)


def source_of(here: Page, referrer: str | None, own_hosts: tuple[str, ...]) -> Source:
    """The same, of an address that is parsed already."""
    if "=" in here.query and (tags := _tags(here.query.lower())):
        medium, name, campaign = tags.get("utm_medium"), tags.get("utm_source"), tags.get("utm_campaign")
        click = next((CLICK_IDS[key] for key in tags if key in CLICK_IDS), None)
        if click and not medium and not name:
            return Source(click[0], click[1], "cpc" if click[0].startswith("paid") else None, campaign)
        return Source(_tagged_channel(name or "", medium or "", click), name, medium, campaign)
    return _referred(page(referrer).host, here.host, own_hosts) if referrer else Source()


def _tags(query: str) -> dict[str, str]:
    """What `parse_qsl` finds under the names that matter here; of the other fields nothing is decoded."""
    tags = {}
    for field in query.split("&"):
        name, _, text = field.partition("=")
        if "%" in name:
            name = unquote(name)
        if text and name in _TAGS:
            tags[name] = unquote(text.replace("+", " "))[:MAX_TAG]
    return tags


@lru_cache(maxsize=16_384)
def _tagged_channel(name: str, medium: str, click: tuple[str, str] | None) -> str:
    is_social = name.split(".")[0] in _SOCIAL_NAMES or name in _SOCIAL_HOSTS
    if _PAID_MEDIA.match(medium) or (click and click[0].startswith("paid")):
        is_social = is_social or bool(click and click[0] == "paid social") or "social" in medium
        return "paid social" if is_social else "paid search"
    for pattern, channel in _MEDIUM_CHANNELS:
        if pattern.match(medium):
            return channel
    if click:
        return click[0]
    if name in _ASSISTANT_HOSTS:
        return "ai assistant"
    if is_social:
        return "social"
    return "other campaign"


@lru_cache(maxsize=16_384)
def _referred(host: str | None, own: str | None, own_hosts: tuple[str, ...]) -> Source:
    if not host or host == own or any(_is_under(host, name) for name in own_hosts):
        return Source()
    if any(_is_under(host, name) for name in _ASSISTANT_HOSTS):
        return Source("ai assistant", host, "referral")
    if _SEARCH_HOST.match(host):
        return Source("organic search", host, "organic")
    if any(_is_under(host, name) for name in _SOCIAL_HOSTS):
        return Source("social", host, "social")
    return Source("referral", host, "referral")


def _is_under(host: str, name: str) -> bool:
    return host == name or host.endswith("." + name)


def _plain(host: str) -> str:
    return host.lower().rstrip(".").removeprefix("www.")

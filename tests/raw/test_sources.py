"""Where a visit came from, on what device, and whether a bot made it."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clickstream_dagster.raw import sources
from clickstream_dagster.raw.sources import Page, Source, page, source

OWN = ("shop.example", "paypal.com")
HERE = "https://www.shop.example/p/1"

TAGGED = {
    "gclid=abc": ("paid search", "google", "cpc"),
    "wbraid=1": ("paid search", "google", "cpc"),
    "msclkid=1": ("paid search", "bing", "cpc"),
    "ttclid=1": ("paid social", "tiktok", "cpc"),
    "fbclid=1": ("social", "facebook", None),
    "dclid=1": ("display", "google", None),
    "gclid=abc&utm_source=google&utm_medium=cpc": ("paid search", "google", "cpc"),
    "gclid=abc&utm_source=newsletter&utm_medium=email": ("paid search", "newsletter", "email"),
    "ttclid=1&utm_source=promo": ("paid social", "promo", None),
    "utm_source=google&utm_medium=cpc": ("paid search", "google", "cpc"),
    "UTM_SOURCE=Google&utm_medium=PPC": ("paid search", "google", "ppc"),
    "utm_source=facebook&utm_medium=cpc": ("paid social", "facebook", "cpc"),
    "utm_source=facebook.com&utm_medium=paid": ("paid social", "facebook.com", "paid"),
    "utm_source=any&utm_medium=paid_social": ("paid social", "any", "paid_social"),
    "utm_source=any&utm_medium=retargeting": ("paid search", "any", "retargeting"),
    "utm_source=any&utm_medium=banner": ("display", "any", "banner"),
    "utm_source=any&utm_medium=cpm": ("display", "any", "cpm"),
    "utm_source=any&utm_medium=e-mail": ("email", "any", "e-mail"),
    "utm_source=any&utm_medium=newsletter": ("email", "any", "newsletter"),
    "utm_source=any&utm_medium=affiliates": ("affiliate", "any", "affiliates"),
    "utm_source=any&utm_medium=social-network": ("social", "any", "social-network"),
    "utm_source=any&utm_medium=organic": ("organic search", "any", "organic"),
    "utm_source=any&utm_medium=referral": ("referral", "any", "referral"),
    "utm_source=instagram": ("social", "instagram", None),
    "utm_source=chatgpt.com": ("ai assistant", "chatgpt.com", None),
    "utm_source=billboard": ("other campaign", "billboard", None),
    "utm_campaign=spring": ("other campaign", None, None),
}
REFERRED = {
    "https://www.google.com/": "organic search",
    "https://google.de/": "organic search",
    "https://www.google.co.uk/search?q=shoes": "organic search",
    "https://www.google.com.vn/": "organic search",
    "https://images.google.com/": "organic search",
    "android-app://com.google.android.googlequicksearchbox/": "organic search",
    "https://cn.bing.com/": "organic search",
    "https://search.yahoo.co.jp/": "organic search",
    "https://fr.search.yahoo.com/": "organic search",
    "https://html.duckduckgo.com/": "organic search",
    "https://yandex.com.tr/": "organic search",
    "https://search.brave.com/": "organic search",
    "https://google.com.evil.example/": "referral",
    "https://google.evil.example/": "referral",
    "https://evilgoogle.com/": "referral",
    "https://google.example/": "referral",
    "https://google.com.shop/": "referral",
    "https://mail.google.com/": "referral",
    "https://finance.yahoo.com/": "referral",
    "https://ask.blog.example/": "referral",
    "https://gemini.google.com/": "ai assistant",
    "https://chatgpt.com/c/1": "ai assistant",
    "https://www.perplexity.ai/": "ai assistant",
    "https://chatgpt.com.evil.example/": "referral",
    "https://t.co/abc": "social",
    "https://l.facebook.com/": "social",
    "https://m.facebook.com.evil.example/": "referral",
    "https://notfacebook.com/": "referral",
    "https://youtu.be/1": "social",
    "https://blog.example/post": "referral",
    "https://GOOGLE.com./": "organic search",
}
NO_SOURCE = ["", "about:blank", "https://www.shop.example/cart", "https://shop.example/", "https://pay.shop.example/"]


@pytest.mark.parametrize(("query", "expected"), TAGGED.items())
def test_a_tagged_address_says_its_channel_whatever_the_referrer(query: str, expected: tuple[str | None, ...]) -> None:
    for referrer in (None, "https://google.com/", HERE):
        found = source(f"{HERE}?{query}", referrer, OWN)
        assert (found.channel, found.source, found.medium) == expected


@pytest.mark.parametrize(("referrer", "channel"), REFERRED.items())
def test_a_referrer_says_its_channel(referrer: str, channel: str) -> None:
    assert source(HERE, referrer, OWN).channel == channel


@pytest.mark.parametrize("referrer", [None, *NO_SOURCE, "https://www.paypal.com/checkout", "https://x.paypal.com/"])
def test_the_shop_and_its_payment_gateways_are_never_a_source(referrer: str | None) -> None:
    assert source(HERE, referrer, OWN) == Source()


def test_a_host_that_only_ends_like_the_shop_s_is_a_referral() -> None:
    assert source(HERE, "https://evilshop.example/", OWN).channel == "referral"


def test_the_page_s_own_host_is_no_source_even_where_no_host_is_set() -> None:
    assert source("https://a.example/2", "https://www.a.example/1", ()) == Source()


def test_a_campaign_keeps_its_name() -> None:
    assert (
        source(f"{HERE}?utm_source=x&utm_medium=email&utm_campaign=Spring%20Sale", None, ()).campaign == "spring sale"
    )


@pytest.mark.parametrize("tag", ["utm_source", "utm_medium", "utm_campaign"])
def test_a_tag_is_never_longer_than_an_index_takes(tag: str) -> None:
    found = source(f"{HERE}?utm_source=a&{tag}={'ü' * 4_000}", None, ())
    assert all(len(text) <= sources.MAX_TAG for text in found if text)
    assert len(source(HERE, f"https://{'a' * 4_000}.example/", ()).source or "") <= sources.MAX_TAG


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://www.Shop.Example/p/1?a=1#x", Page("shop.example", "/p/1", "a=1")),
        ("https://shop.example", Page("shop.example", "/")),
        ("https://shop.example:8443/x", Page("shop.example", "/x")),
        ("https://user:secret@shop.example/x", Page("shop.example", "/x")),
        ("https://[2001:db8::1]:80/x", Page("2001:db8::1", "/x")),
        ("/only/a/path", Page(None, "/only/a/path")),
        ("https://[2001:db8::1/x", Page()),
        ("https://]/", Page()),
        ("https://[not-an-ip]/", Page()),
        ("", Page()),
        (None, Page()),
    ],
)
def test_the_host_and_path_of_an_address(url: str | None, expected: Page) -> None:
    assert page(url) == expected


@given(url=st.text(max_size=60), referrer=st.text(max_size=60))
def test_no_text_is_an_address_that_raises(url: str, referrer: str) -> None:
    for start in ("", "https://", "https://[", "//", "https://shop.example/?utm_source="):
        found = source(start + url, start + referrer, OWN)
        assert found.channel is not None or found == Source()
        assert page(start + url).host != ""


def whole_page(url: str) -> Page:
    """An address as the standard library reads it, whole."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return Page()
    return Page(
        sources._plain(host)[: sources.MAX_TAG] if host else None, (parts.path or "/") if url else None, parts.query
    )


def whole_tags(query: str) -> list[tuple[str, str]]:
    return [
        (name, text[: sources.MAX_TAG])
        for name, text in dict(parse_qsl(query)).items()
        if name.startswith("utm_") or name in sources.CLICK_IDS
    ]


_bits = st.sampled_from([
    *("https", "http", "android-app", "://", "//", "/", ":", "?", "#", "@", "[", "]", "::1", "v1.a", ":80", "&", "=", ";"),
    *("%", "%5f", "%5B", "%C3", "+", " ", "\t", "\n", "\r", "\x00", "\x1f", "\x85", "www.", "Shop.EXAMPLE", ".", "a" * 201),
    *("utm_medium", "UTM_Source", "utm_campaign", "utm_content", "gclid", "fbclid", "%67clid", "utm%5Fmedium", "cpc"),
    *("\u2100", "\uff0f", "\u212a", "\u0130", "ü", "1"),
])  # fmt: skip
_parts_of_addresses = st.lists(_bits | st.text(max_size=3), max_size=16).map("".join)
_addresses = st.builds(str.__add__, st.sampled_from(["", "https://", "https://shop.example/?"]), _parts_of_addresses)


@settings(max_examples=1_000)
@given(url=_addresses)
def test_an_address_is_read_as_the_standard_library_reads_it_whole(url: str) -> None:
    here = page(url)
    assert here == whole_page(url)
    query = here.query.lower()
    assert list(sources._tags(query).items()) == [
        (name, text)
        for name, text in whole_tags(query)
        if name in ("utm_medium", "utm_source", "utm_campaign") or name in sources.CLICK_IDS
    ]

"""What an event says of its origin: the parts of its address and of its referrer's."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clickstream_dagster.raw import sources
from clickstream_dagster.raw.sources import Origin, Page, origin, page

HERE = "https://www.shop.example/p/1"


def said(url: str | None, referrer: str | None = None) -> Origin:
    found = origin(url, referrer)
    assert found
    return found


@pytest.mark.parametrize(
    "referrer", [None, "", "about:blank", "https://www.shop.example/cart", "https://shop.example/"]
)
def test_the_page_s_own_host_says_nothing(referrer: str | None) -> None:
    assert origin(HERE, referrer) is None


def test_another_host_of_the_shop_says_something_that_rules_may_leave_out() -> None:
    assert said(HERE, "https://pay.shop.example/").referrer_host == "pay.shop.example"


def test_an_app_is_told_from_a_host() -> None:
    assert said(HERE, "android-app://com.linkedin.android/").referrer_host == "android-app://com.linkedin.android"


@pytest.mark.parametrize("spring", ["Fr%C3%BChling", "FR%C3%9CHLING", "Frühling", "+fru%CC%88hling "])
def test_a_campaign_compares_without_case_in_every_alphabet(spring: str) -> None:
    assert said(f"{HERE}?utm_campaign={spring}").utm_campaign == "frühling"
    assert said(f"{HERE}?UTM_Campaign=ΟΔΟΣ&utm_source=Весна")[1:4] == ("весна", None, "οδοσ")


def test_an_address_out_of_a_mail_s_source_is_read() -> None:
    pasted = said(f"{HERE}?utm_source=news&amp;utm_medium=email&amp;utm_campaign=May")
    assert pasted[1:4] == ("news", "email", "may")
    assert pasted.key == said(f"{HERE}?utm_source=news&utm_medium=email&utm_campaign=May").key


def test_the_names_of_parameters_are_kept_and_not_what_they_say() -> None:
    assert said(f"{HERE}?size=41&gclid=abc&q=Shoes").parameters == ("gclid", "q", "size")
    assert said(f"{HERE}?gclid=abc").key == said(f"{HERE}?gclid=another").key


@pytest.mark.parametrize("tag", ["utm_source", "utm_medium", "utm_campaign"])
def test_a_tag_is_never_longer_than_an_index_takes(tag: str) -> None:
    found = said(f"{HERE}?utm_source=a&{tag}={'ü' * 4_000}", f"https://{'a' * 4_000}.example/")
    assert all(len(text) <= sources.MAX_TAG for text in (*found[1:4], found.referrer_host) if text)
    many = said(HERE + "?" + "&".join(f"{'n' * 50}{number}=1" for number in range(100)))
    assert max(map(len, many.parameters)) <= sources.MAX_NAME and len(many.parameters) <= sources.MAX_PARAMETERS


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
        found = origin(start + url, start + referrer)
        assert found is None or not any("\0" in (text or "") for text in (*found[1:4], *found.parameters))
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


def whole_tags(query: str) -> dict[str, str]:
    """The parameters of a query as the standard library reads it, whole."""
    pairs = [(sources.folded(name)[: sources.MAX_NAME], text) for name, text in parse_qsl(query.replace("&amp;", "&"))]
    return {name: sources.folded(text)[: sources.MAX_TAG] if name in sources._UTM else "" for name, text in pairs}


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
    assert sources._tags(here.query) == whole_tags(here.query)

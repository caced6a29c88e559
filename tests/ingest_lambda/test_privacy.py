"""Personal data never reaches a bucket, and what is not personal stays as it was."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest_lambda.personal import is_id, shape_of
from ingest_lambda.privacy import _UUID, _scrub_suspect, is_ip, pseudonym, scrub_bytes, scrub_props, scrub_text

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjMifQ.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("write to anna.b+c@mail.example.com, please", "write to [email], please"),
        ("jörg@müller.example", "[email]"),
        ("https://x.example/?q=anna%40mail.example&b=%20c", "https://x.example/?q=[email]&b=%20c"),
        ("https://x.example/?next=%2Fa%2540b.example", "https://x.example/?next=[email]"),
        (
            "https://x.example/?Email=any&b=1#Access_Token=abc&c=2",
            "https://x.example/?Email=[removed]&b=1#Access_Token=[removed]&c=2",
        ),
        ("https://x.example/?user%5Bpassword%5D=pw&a=1", "https://x.example/?user%5Bpassword%5D=[removed]&a=1"),
        (
            "https://x.example/?next=%2Flogin%3Ftoken%3Dabc%26a%3D1",
            "https://x.example/?next=%2Flogin%3Ftoken%3D[removed]%26a%3D1",
        ),
        ("https://x.example/?host=10.0.0.1&v=2", "https://x.example/?host=[ip]&v=2"),
        ("https://user:pass@x.example/a", "https://[removed]@x.example/a"),
        (f"https://x.example/#{JWT}", "https://x.example/#[token]"),
        ("Authorization: Bearer abcdefghij0123456789", "Authorization: [token]"),
        ("my card is 4111 1111 1111 1111, thanks", "my card is [card], thanks"),
        ("4111-1111-1111-1111", "[card]"),
        ("2 x 378282246310005 12/27", "2 x [card] 12/27"),
        ("6011111111111117 5555 5555 5555 4444", "[card] [card]"),
        ("4111 1111 1111 1111 123", "[card] 123"),
        ("?q=4111%201111+1111%201111&x=1", "?q=[card]&x=1"),
        ("/search/4111-1111-1111-1111", "/search/[card]"),
    ],
)
def test_personal_text_is_replaced(text: str, clean: str) -> None:
    assert scrub_text(text) == clean
    assert scrub_text(clean) == clean


@pytest.mark.parametrize(
    "text",
    [
        "https://shop.example/thanks?order_id=4111111111111111&sku=5555555555554444",
        "https://shop.example/p/4111111111111111?orderNumber=4111111111111111",
        "https://shop.example/?utm_source=a&gclid=378282246310005",
        "https://cdn.example/logo@2x.png",
        "https://medium.example/@anna/story?a=%40anna",
        "1773500400123 and 4111 1111 1111 1112",
        "order-4111111111111111",
        "https://shop.example/search?q=4006381333931",  # an EAN
        "https://shop.example/search?q=4006381333931+123&n=4012345678901 20 4012345678901",
        "https://shop.example/?utm_campaign=4111111111111111&utm_id=378282246310005",
        "campaigns 62385234567890124 and 238523456789012349, 4222222222222, 362345678901234568",
        "5611111111111113 and 9111111111111110",  # of no network
        "GA1.2.4111111111111111.1712345678",
        "UUID 41111111-1111-4111-8111-411111111111",
        "sizes 36 38 40 42 44 46 48 50",
        "bearer of bad news, tokens = 3",
        "日本語 ?q=%E6%97%A5 🙂\u202e",
        "a=b&c=d; x = y",
        "",
    ],
)
def test_what_is_not_personal_stays(text: str) -> None:
    assert scrub_text(text) == text


@pytest.mark.parametrize(
    "name",
    ["email", "E-Mail", "customer_email", "emailAddress", "email2", "PASSWORD", "billing_address", "accessToken", "IP",
     "ipAddress", "client-ip", "firstName", "cardNumber", "card_no", "CVV", "api_key", "zipCode", "user[phone]"],
)  # fmt: skip
def test_a_name_that_says_personal(name: str) -> None:
    assert shape_of(name) is not None


@pytest.mark.parametrize(
    "name", ["name", "shipping", "description", "tip", "email_campaign_id", "cardinal", "product", "", "_"]
)
def test_a_name_that_does_not(name: str) -> None:
    assert shape_of(name) is None


def test_a_name_that_says_id() -> None:
    assert all(
        map(is_id, ["id", "orderId", "order_number", "sku", "userID", "created_at", "utm_campaign", "utm_content"])
    )
    assert not any(map(is_id, ["number", "card_number", "note", "q", ""]))


def test_properties_at_any_depth() -> None:
    props: dict[str, Any] = {
        "form": {"E-mail": "a@b.co", "fields": [{"phone": 15550100100}, "call me at a@b.co"]},
        "host": "2001:db8::1",
        "seen": "203.0.113.7",
        "order_id": "4111111111111111",
        "order_ref": 4111111111111111,
        "note": 4111111111111111,
        "version": "1.2.3",
        "a@b.co": 1,
    }
    assert scrub_props(props) == {
        "form": {"fields": [{}, "call me at [email]"]},
        "host": "[ip]",
        "seen": "[ip]",
        "order_id": "4111111111111111",
        "order_ref": 4111111111111111,
        "note": "[card]",
        "version": "1.2.3",
        "[email]": 1,
    }


def test_a_visitor_who_is_an_address_becomes_a_stable_hash() -> None:
    one = pseudonym("Anna@Mail.example", "pepper")
    assert one is not None
    assert one.startswith("h_")
    assert len(one) == 34
    assert one == pseudonym(" anna@mail.example ", "pepper") == pseudonym(one, "pepper")
    assert one != pseudonym("anna@mail.example", "other")
    assert pseudonym("anna@mail.example", "") is None
    assert pseudonym("[email]", "pepper") is None


@pytest.mark.parametrize("visitor", ["c-1", "4111111111111111", "GA1.2.1234567890.1712345678", "auth0|5f", "12:30"])
def test_any_other_id_stays(visitor: str) -> None:
    assert pseudonym(visitor, "pepper") == visitor


@pytest.mark.parametrize(
    ("text", "expected"), [("1.2.3.4", True), ("::1", True), ("1.2.3", False), ("12:30:45", False), ("", False)]
)
def test_an_address_is_told_from_a_number(text: str, expected: bool) -> None:
    assert is_ip(text) is expected


def test_a_rejected_body_is_scrubbed_however_broken_it_is() -> None:
    body = b'{"user": {"email":"a@b.co", "Password" : "x\\"y", "order_id": 4111111111111111}, "n": "caf\xc3\xa9 \xff'
    clean = body.replace(b"a@b.co", b"[removed]").replace(b'x\\"y', b"[removed]")
    assert scrub_bytes(body) == clean
    assert scrub_bytes(b'{"pin": 1234, "n": 1}') == b'{"pin": "[removed]", "n": 1}'
    assert (
        scrub_bytes(b'{"q":"a\\u0040b.co","from":"203.0.113.7","email":"cut')
        == b'{"q":"[email]","from":"[ip]","email":"[removed]"'
    )


def test_utf_16_is_no_way_around() -> None:
    assert "b.co" not in scrub_bytes('{"q":"write to a@b.co"}'.encode("utf-16")).decode("utf-16")


@settings(deadline=None)
@given(st.binary(max_size=200) | st.text(st.characters(codec="utf-8")).map(str.encode))
def test_scrubbing_twice_is_scrubbing_once(body: bytes) -> None:
    once = scrub_bytes(body)
    assert scrub_bytes(once) == once


@settings(deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_characters="@=%:0123456789")))
def test_plain_words_are_never_touched(text: str) -> None:
    assert scrub_text(text) == text or "eyJ" in text or "earer" in text or "_" in text


def test_nothing_personal_is_ever_stored(collector: Any) -> None:
    secrets = ["anna@mail.example", "4111 1111 1111 1111", "hunter2", "203.0.113.9", JWT]
    event = {
        "event_name": "search",
        "user_id": "anna@mail.example",
        "page_url": f"https://x.example/?email=anna@mail.example&token={JWT}",
        "page_title": "4111 1111 1111 1111",
        "search_query": "anna@mail.example",
        "product": {"name": "anna@mail.example"},
        "props": {"password": "hunter2", "ip": "203.0.113.9", "text": JWT},
    }
    broken = {**event, "event_name": "Not A Name"}
    assert collector.post([event, broken], user_agent="bot (anna@mail.example)").status == 200
    stored = b"".join(collector.lines("events") + collector.lines("rejected")).decode()
    assert not [secret for secret in secrets if secret in stored]
    assert json.loads(collector.lines("events")[0])["user_id"].startswith("h_")


@given(st.uuids())
def test_the_short_way_of_a_uuid_is_the_long_one(uuid: UUID) -> None:
    assert scrub_text(str(uuid), "session") == _scrub_suspect(str(uuid), "session")


@pytest.mark.parametrize("start", ["de12", "4111", "0000"])
def test_a_uuid_that_could_be_more_goes_the_long_way(start: str) -> None:
    text = f"{start}1111-1111-1111-1111-111111111111"
    assert not _UUID.match(text)

"""What is found in other people's spellings, and what honest shops send that must not be touched."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote

import pytest

from ingest_lambda.privacy import pseudonym, scrub_bytes, scrub_props, scrub_text

SECRET = "f4Kq9ZtB27xLw0PeYv83"
JOHN = "anna.muster@mail.example"

#: A text, and the part of it that must not be left anywhere.
TEXTS = [
    # parameters of an address
    *((f"https://shop.example/a?{name}={SECRET}&b=1", SECRET) for name in (
        "pass", "pw", "sid", "PHPSESSID", "key", "sig", "signature", "session", "hash", "auth", "nonce", "_wpnonce",
        "X-Amz-Signature", "X-Amz-Security-Token", "reset_password_token", "ticket", "SAMLResponse", "jsessionid", "hmac",
    )),
    ("https://shop.example/a;jsessionid=1A530637289A03B07199A44E8D531427?b=1", "1A530637289A03B07199A44E8D531427"),
    ("https://shop.example/callback?code=4/0AX4XfWh_x1&state=af0ifjsldkj", "0AX4XfWh"),
    ("https://shop.example/callback?code=4/0AX4XfWh_x1&state=af0ifjsldkj", "af0ifjsldkj"),
    ("https://shop.example/callback?code=SplxlOBeZQQYbYS6WxSbIA", "SplxlOBeZQQYbYS6WxSbIA"),
    ("https://shop.example/a?pass=hunter2", "hunter2"),
    ("/checkout/order-received/67/?key=wc_order_end8kB5c0BZ9D", "end8kB5c0BZ9D"),
    ("/login?next=%252Freset%253Ftoken%253Dabcdef", "abcdef"),
    ("https://shop.example/?name=John+Smith", "Smith"),
    ("https://shop.example/?name=John%20Smith&x=1", "Smith"),
    ("https://shop.example/?customer_name=smith&line1=Main+St+5", "smith"),
    ("https://shop.example/?customer_name=smith&line1=Main+St+5", "Main"),
    ("https://shop.example/?telefon=0170+1234567", "1234567"),
    ("https://shop.example/?u=" + base64.b64encode(JOHN.encode()).decode(), base64.b64encode(JOHN.encode()).decode()),
    ("https://shop.example/?u=" + JOHN.encode().hex(), JOHN.encode().hex()),
    # tokens, in a path and by their beginning
    ("https://shop.example/reset-password/a8f5f167f44f4964e6c998dee827110c", "a8f5f167"),
    ("/verify/ab12cd34ef56", "ab12cd34"),
    ("/invite/9c5b94b1-35ad-49bb-b118-8e8fc24abf80", "9c5b94b1"),
    ("/users/confirm/a8f5f167f44f4964e6c998dee827110c?x=1", "a8f5f167"),
    ("AIza" + "SyA1234567890abcdefghijklmnopqrstuv", "SyA123"),
    ("AKIA" + "IOSFODNN7EXAMPLE", "IOSFODNN"),
    ("ASIA" + "IOSFODNN7EXAMPLE", "IOSFODNN"),
    ("ghp_" + "a1B2a1B2a1B2a1B2a1B2", "a1B2a1B2"),
    ("glpat-" + "a1B2a1B2a1B2a1B2", "a1B2a1B2"),
    ("npm_" + "a1B2a1B2a1B2a1B2a1B2a1B2a1B2a1B2", "a1B2a1B2"),
    ("ya29." + "a1B2a1B2a1B2a1B2", "a1B2a1B2"),
    ("SG." + "a1B2a1B2a1B2a1B2", "a1B2a1B2"),
    ("whsec_" + "a1B2a1B2a1B2a1B2", "a1B2a1B2"),
    ("see github_pat_11ABCDEFG0abcdefghijkl_mnopqrstuvwxyz", "11ABCDEFG0"),
    ("https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXX", "T00000000"),
    ("x-eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjMifQ.c2lnbmF0dXJl", "eyJ"),
    # addresses of machines
    ("from 203.0.113.77 today", "203.0"),
    ("/stats/203.0.113.77/", "203.0"),
    ("Your IP: 203.0.113.77", "203.0"),
    ("203.0.113.77", "203.0"),
    ("203.0.113.7, 198.51.100.4", "198.51"),
    ("seen 2001:db8:85a3::8a2e:370:7334.", "8a2e"),
    ("?q=2001%3Adb8%3A%3A1a2f", "1a2f"),
    ("fe80::1ff:fe23:4567:890a", "890a"),
    # telephones
    ("call +49 170 1234567 please", "1234567"),
    ("+4917012345678", "12345678"),
    ("+1 (415) 555-0132", "0132"),
    ("?q=%2B49+170+1234567", "1234567"),
    ("tel:0170-1234567", "1234567"),
    ("Tel.: 0170 1234567", "1234567"),
    ("https://wa.me/491701234567?text=hi", "1234567"),
    # accounts
    ("IBAN DE89 3704 0044 0532 0130 00 thanks", "3704"),
    ("DE89370400440532013000", "3704"),
    ("gb29 nwbk 6016 1331 9268 19", "6016"),
    ("My SSN: 078-05-1120", "078"),
    # e-mail addresses
    ("anna.muster&#64;mail.example", "muster"),
    ("anna.muster&commat;mail.example", "muster"),
    ("?q=anna.muster%252540mail.example", "muster"),
    ("?q=anna.muster%252525252540mail.example", "muster"),
    ("anna.muster @ mail.example", "muster"),
    ("anna.muster%20@%20mail.example", "muster"),
    ("anna.muster\uff20mail.example", "muster"),
    ("anna.muster%EF%BC%A0mail.example", "muster"),
    ("anna.muster (at) mail.example", "muster"),
    ('"anna muster"@mail.example', "muster"),
    ("anna/muster@mail.example", "anna"),
    ("anna/muster=x@mail.example", "anna"),
    ("a" * 80 + "muster@mail.example", "aaaa"),
    ("anna.muster@intranet", "muster"),
    ("anna.muster@[203.0.113.7]", "muster"),
    ("anna.muster@203.0.113.7", "muster"),
    # cards
    *((f"card {mark.join(('4111', '1111', '1111', '1111'))}.", "1111") for mark in "._/\xa0- "),
    ("\uff14\uff11\uff11\uff11" + "\uff11" * 12, "\uff11\uff11"),
    ("3782.822463.10005", "822463"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "secret"), TEXTS)
def test_a_spelling_is_found(text: str, secret: str) -> None:
    clean = scrub_text(text)
    assert secret not in clean
    assert scrub_text(clean) == clean
    sent = json.dumps({"event_name": "Not A Name", "text": text}, ensure_ascii=False).encode()
    kept = scrub_bytes(sent)
    assert secret not in kept.decode()
    assert scrub_bytes(kept) == kept


@pytest.mark.parametrize(
    "props",
    [
        {"customer_name": "Muster"},
        {"username": "muster"},
        {"recipient": "Anna Muster"},
        {"cardholder": "A Muster"},
        {"billing": {"name": "muster"}},
        {"line1": "Musterstrasse 5"},
        {"vorname": "muster", "nachname": "muster"},
        {"name": "Anna Muster", "email": "x"},
        {"telefono": "0170 6878137"},
        {"phone": {"number": "0170 6878137"}},
        {"ssn": "muster"},
        {"shipping_address": {"a": {"b": "Muster"}}},
        {"address": "Musterstrasse 5"},
        {"zip": "D-68781"},
        {"lat": 52.68781},
        {"card": "**** 6878"},
        {"pin": "6878"},
        {"dob": "6878-01-01"},
    ],
)
def test_a_personal_key_is_emptied_in_an_event_and_in_a_rejected_one(props: dict[str, Any]) -> None:
    assert not {"muster", "6878"} & set(json.dumps(scrub_props(props)).lower().replace("-", " ").split('"'))
    for text in (json.dumps(scrub_props(props)), scrub_bytes(json.dumps({"props": props}).encode()).decode()):
        assert "muster" not in text.lower()
        assert "6878" not in text


@pytest.mark.parametrize(
    "user", ["+4917012345678", "anna@intranet", base64.b64encode(JOHN.encode()).decode(), JOHN.encode().hex()]
)
def test_an_id_that_tells_who_it_is_becomes_a_hash(user: str) -> None:
    hashed = pseudonym(user, "pepper")
    assert hashed is not None
    assert hashed.startswith("h_")


@pytest.mark.parametrize(
    "pair",
    [
        {"key": "_billing_phone", "value": "01701234567"},
        {"id": 7, "key": "_billing_last_name", "value": "Schmidt"},
        {"name": "phone", "value": "0170 1234567"},
        {"key": "shipping", "name": "email", "value": ["a", "b"]},
    ],
)
def test_a_pair_of_a_name_and_its_value_is_cleaned_as_a_key_is(pair: dict[str, Any]) -> None:
    kept = scrub_props({"meta_data": [pair, {"key": "colour", "value": "red"}]})["meta_data"]
    assert kept == [{key: held for key, held in pair.items() if key != "value"}, {"key": "colour", "value": "red"}]


@pytest.mark.parametrize("key", ["203.0.113.77", "+49 170 1234567", "4111 1111 1111 1111", "anna@mail.example"])
def test_a_key_is_cleaned_as_a_text_is(key: str) -> None:
    assert key not in scrub_props({key: 1, "colour": "red"})


@pytest.mark.parametrize(
    "text",
    [
        *("brille +2.00 -1.25 180", "reading glasses +1.0 +1.5 +2.0 +2.5", "Kontaktlinse +1.25 +1.50 8.6 14.2"),
        *(
            "https://shop.example/lens/+2.00-1.25-180",
            "https://shop.example/?q=%2B2.00+-1.25+180+8.60",
            "lens +10 -1.25 180",
        ),
    ],
)
def test_the_strength_of_a_lens_is_no_telephone(text: str) -> None:
    assert scrub_text(text) == text


@pytest.mark.parametrize("number", ["+49.170.1234567", "+33-1.23.45.67.89", "+1 (555) 123-4567", "%2B49+170+1234567"])
def test_a_telephone_with_other_marks_is_one(number: str) -> None:
    assert scrub_text(f"call {number} now") == "call [phone] now"


HONEST_TEXTS = [
    "https://shop.example/blog?post=42&lng=de&lang=en",
    "https://shop.example/p?pin=enamel-pin&tel=0&mobile=true&key=value&code=SUMMER20&state=CA",
    "https://shop.example/deals?code=SAVE20NOW&state=open&hash=section2&session=spring2026&sid=12",
    "https://shop.example/files?zip=catalogue.zip&hash=top&auth=google&pass=season-pass&signature=classic",
    "https://shop.example/?address=https://shop.example/contact&address=/contact&name=blue-shirt",
    "https://shop.example/search?q=iphone+15+pro&sort=price&page=2&color=red&size=42",
    "https://shop.example/search?q=phone+cases&category=phone&brand=Bic&material=cotton",
    "https://shop.example/p?name=Blue+Shirt&sku=AB-12",
    "https://shop.example/?fbclid=IwAR0abcDEF123456789&gclid=Cj0KCQjw-12ab34_cd56&msclkid=0a1b2c3d4e5f",
    "https://shop.example/?utm_source=google&utm_campaign=sale_2026-11-28&utm_content=v1.2.3.4&_ga=2.1.123456789.1712345678",
    "https://shop.example/order/confirmation/ORD12345678",
    "https://shop.example/checkout/confirm/ORD123456",
    "https://shop.example/account/reset-password",
    "https://shop.example/password/recovery-link/how-to",
    "https://shop.example/invitations/wedding-invitation-cards-2026",
    "https://shop.example/sk-bratislava-cheap-flights-and-hotels-2026",
    "http://127.0.0.1:8787/shop/product.html",
    "http://192.168.1.20:8080/shop",
    "http://[2001:db8::1]:8080/shop",
    "Firmware v10.12.14.16 and version 2.14.10.12, release-10.20.30.40",
    "Version: 12.34.56.78",
    "driver 31.0.101.4502",
    "Chapter 1.2.3.4",
    "Chrome/126.0.0.0 Whale/3.26.244.21 Edg/126.0.2592.87",
    "12:30:45 and 2026-11-28T16:00:00+01:00",
    "std::string a::b ::before 00:1A:2B:3C:4D:5E",
    "+1 for this, +20% more, size +12, 3+4=7, C++20",
    "1.299,00 EUR, 12 345 678 sold, 4.5/5, 10.000.000",
    "react@18.2.0 react@latest logo@2x.png @anna 2@3 meet @ noon",
    "Follow us @ www.shop.example",
    "EAN 4006381333931 and 9783161484100",
    "SKU AB12-CDEF-3456-GHIJ, order DE12345678901234567890",
    "DE89 3704 0044 0532 0130 01",
    "iPhone 15 Pro 256GB, GTX 1080 Ti, WH-1000XM5",
    "Social Security benefits explained 2026",
    "Phone: 256 GB",
    "Tel Aviv 2026",
    "a/b@2x.png",
]


@pytest.mark.parametrize("text", HONEST_TEXTS)
def test_an_honest_text_stays(text: str) -> None:
    assert scrub_text(text) == text
    sent = json.dumps({"event_name": "Not A Name", "text": text}, ensure_ascii=False).encode()
    assert scrub_bytes(sent) == sent
    assert scrub_props({"next": quote(text, safe="")}) == {"next": quote(text, safe="")}


HONEST_PROPS: list[dict[str, Any]] = [
    {"pin": "enamel pin", "post": 42, "lng": "de", "lat": "latin", "zip": "download.zip", "mobile": True, "tel": 0},
    {"phone": "phone cases", "card": "birthday", "address": "/contact", "key": "value", "code": "SUMMER20", "state": "CA"},
    {"name": "Blue Shirt", "sku": "AB-12", "price": 12.5},
    {"product": {"name": "Blue Shirt", "id": "1"}, "items": [{"name": "Red Lamp"}, {"name": "Old Lamp"}]},
    {"name": "Newsletter Popup", "action": "close"},
    {"street": "street style", "bic": "pen", "passport": "passport holders", "birthday": "birthday cards"},
    {"order_id": "4111111111111111", "sku": "5555555555554444", "created_at": 1773500400123},
    {"order_ref": "DE89370400440532013000"},
    {"app_version": "10.12.14.16", "firmware": "1.2.3.4", "user_agent": "Whale/3.26.244.21"},
    {"recipient": "mother", "ip": 67, "auth": "google", "secret": False, "token": None, "password": False},
    {"session_id": "a1b2c3d4e5f6a7b8", "campaign_id": "23848570000000000", "hash": "top", "signature": "classic"},
    {"category": "mobile", "device": {"type": "mobile", "screen": "1920x1080"}, "line": "Summer line 2026"},
    {"experiment": "checkout-v2", "variant": "b", "list": {"name": "Search Results", "index": 3}},
    {"file": {"name": "Size Chart.pdf"}, "form": {"name": "Contact Us"}, "shipping": {"method": "express"}},
]  # fmt: skip


@pytest.mark.parametrize("props", HONEST_PROPS)
def test_honest_properties_stay(props: dict[str, Any]) -> None:
    assert scrub_props(props) == props
    sent = json.dumps({"event_name": "Not A Name", **props}).encode()
    if "name" not in json.dumps(props):  # in what was refused, nobody knows whose name it is
        assert scrub_bytes(sent) == sent

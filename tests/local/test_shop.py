"""The demo shop over real HTTP: what is there, as what, and that nothing else is."""

from __future__ import annotations

import http.client
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from http.client import HTTPResponse
from pathlib import Path

import pytest
import uvicorn
from obstore.store import MemoryStore

from clickstream_dagster.local.gateway.app import app
from clickstream_dagster.local.gateway.serving import listen
from clickstream_dagster.local.shop import documents
from clickstream_dagster.local.shop.serving import with_shop
from clickstream_dagster.local.traffic.catalogue import CATEGORIES, PRODUCTS

ROOT = Path(__file__).resolve().parents[2]
Ask = Callable[..., tuple[HTTPResponse, bytes]]
PLACES = re.compile(r'(?:href|src|action)="(/[^"?#]*)')


@pytest.fixture(scope="module")
def ask() -> Iterator[Ask]:
    """Ask the gateway with the shop on it. Paths go out as they are written: no client mends them."""
    listener = listen(port=0)
    server = uvicorn.Server(uvicorn.Config(with_shop(app(MemoryStore())), lifespan="off", log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    while not server.started:
        time.sleep(0.01)

    def asked(path: str, method: str = "GET", **headers: str) -> tuple[HTTPResponse, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", listener.getsockname()[1], timeout=20)
        connection.request(method, path, headers={name.replace("_", "-"): text for name, text in headers.items()})
        response = connection.getresponse()
        body = response.read()
        connection.close()
        return response, body

    yield asked
    server.should_exit = True
    thread.join(timeout=10)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/shop/", "text/html; charset=utf-8"),
        ("/shop/search?q=mouse", "text/html; charset=utf-8"),
        ("/shop/category/graphics-cards", "text/html; charset=utf-8"),
        ("/shop/product/velanta-rx-nova-70", "text/html; charset=utf-8"),
        ("/shop/checkout/thank-you?order=BF-1", "text/html; charset=utf-8"),
        ("/shop/assets/frame.js", "text/javascript; charset=utf-8"),
        ("/shop/assets/base.css", "text/css; charset=utf-8"),
        ("/shop/assets/icon.svg", "image/svg+xml; charset=utf-8"),
        ("/shop/catalogue.json", "application/json"),
        ("/clickstream.js", "text/javascript; charset=utf-8"),
        ("/clickstream-vitals.js", "text/javascript; charset=utf-8"),
        ("/clickstream.mjs", "text/javascript; charset=utf-8"),
    ],
)
def test_a_document_comes_with_its_type_and_can_be_asked_for_again(ask: Ask, path: str, kind: str) -> None:
    response, body = ask(path)
    assert (response.status, response.headers["content-type"]) == (200, kind)
    assert response.headers["cache-control"] == "no-cache"
    assert response.headers["x-content-type-options"] == "nosniff"
    again, nothing = ask(path, if_none_match=response.headers["etag"])
    assert (again.status, nothing) == (304, b"")
    head, nothing = ask(path, "HEAD")
    assert (head.status, nothing, head.headers["content-length"]) == (200, b"", str(len(body)))
    assert ask(path, if_none_match='"another"')[0].status == 200


@pytest.mark.parametrize(
    "path",
    [
        "/shop/nowhere",
        "/shop/product/no-such-thing",
        "/shop/assets/",
        "/shop/assets/none.js",
        "/shop/layout.html",
        "/shop/../clickstream_dagster/settings.py",
        "/shop/assets/../layout.html",
        "/shop/assets/..%2flayout.html",
        "/shop/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "/shop//etc/passwd",
        "/shop/assets/..\\layout.html",
        "/shop/assets/base.css%00.html",
    ],
)
def test_what_is_not_in_the_shop_is_its_404_page_and_no_file(ask: Ask, path: str) -> None:
    response, body = ask(path)
    assert response.status == 404
    assert b"There is no such page" in body
    assert "etag" not in response.headers


def test_the_shop_s_address_without_its_slash_keeps_the_campaign(ask: Ask) -> None:
    response, _ = ask("/shop?utm_source=newsletter&utm_medium=email")
    assert (response.status, response.headers["location"]) == (308, "/shop/?utm_source=newsletter&utm_medium=email")
    assert ask("/shop")[0].headers["location"] == "/shop/"


def test_nothing_can_be_sent_to_it(ask: Ask) -> None:
    response, _ = ask("/shop/", "POST")
    assert (response.status, response.headers["allow"]) == (405, "GET, HEAD")


def test_the_collector_is_still_there(ask: Ask) -> None:
    assert ask("/healthz")[1] == b"ok"
    assert ask("/shopping")[0].status == 404
    assert json.loads(ask("/shopping")[1])["errors"][0]["code"] == "not_found"


def test_the_catalogue_is_the_generator_s(ask: Ask) -> None:
    sold = json.loads(ask("/shop/catalogue.json")[1], parse_float=Decimal)
    made = [
        {**product.payload, "url_path": f"/shop{product.url_path}", "currency": sold["currency"]}
        for product in PRODUCTS
    ]
    assert sold["products"] == made
    assert [category["name"] for category in sold["categories"]] == list(CATEGORIES)
    for place in (*sold["products"], *sold["categories"]):
        assert ask(place["url_path"])[0].status == 200, place


def test_a_product_s_page_holds_the_product(ask: Ask) -> None:
    body = ask("/shop/product/quillon-glide-pro")[1].decode()
    [held] = re.findall(r'<script type="application/json" id="data">(.*)</script>', body)
    assert (json.loads(held)["id"], json.loads(held)["discount_price"]) == ("sku-1026", 69.0)
    assert "<title>Quillon Glide Pro | Bitforge</title>" in body


@pytest.mark.parametrize("path", [path for path in documents.documents() if "." not in path])
def test_every_page_is_whole_and_leads_only_where_something_is(ask: Ask, path: str) -> None:
    response, body = ask(path)
    text = body.decode()
    assert "{{" not in text
    assert "default-src 'self'" in response.headers["content-security-policy"]
    assert not re.search(r"<script>|<style|\sstyle=|\son\w+=", text), "the policy would block it"
    known = {*documents.documents(), "/clickstream"}
    assert {place for place in PLACES.findall(text) if place not in known} == set()


def test_every_script_finds_what_it_imports() -> None:
    scripts = {path.rpartition("/")[2]: found.text for path, found in documents.documents().items() if "assets" in path}
    asked = {name for text in scripts.values() for name in re.findall(r'(?:from|import\()\s*"\./([\w-]+\.js)"', text)}
    assert len(asked) > 10
    assert asked <= set(scripts)


def test_the_tracker_is_the_built_one_for_any_shop_on_this_machine(ask: Ask) -> None:
    response, body = ask("/clickstream.js")
    assert body == (ROOT / "tracker" / "dist" / "clickstream.js").read_bytes()
    assert response.headers["access-control-allow-origin"] == "*"

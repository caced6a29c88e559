"""The front over real HTTP and WebSockets: who is let through to an app that tells everything to everyone."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from clickstream_dagster.front import servers
from clickstream_dagster.front.front import _note
from clickstream_dagster.settings import FrontSettings
from front_site import SECRET, Site, app, served

NAME = "analytics.shop.example"
EVIL = ("origin", "https://evil.example")


@pytest.fixture(scope="module")
def dagster() -> Iterator[Site]:
    """Behind the rules of Dagster."""
    site = Site(0)
    with served(servers.dagster(app(site), FrontSettings((NAME,), None)), site):
        yield site


@pytest.fixture(scope="module")
def gateway() -> Iterator[Site]:
    """Behind the rules of the gateway."""
    site = Site(0)
    with served(servers.gateway(app(site), FrontSettings((), None), frozenset({"/clickstream"})), site):
        yield site


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
def test_what_is_no_browser_comes_through_under_our_names(dagster: Site, method: str) -> None:
    for host in (dagster.host, f"localhost:{dagster.port}", "[::1]", NAME, f"{NAME}:443"):
        answer = dagster.ask("/x", method, ("host", host))
        assert answer.status == 200, host
        assert answer.text == ("" if method == "HEAD" else SECRET)  # type: ignore[attr-defined]


@pytest.mark.parametrize("host", ["evil.example", f"evil.{NAME}", "127.0.0.1.evil.example:3000", "10.0.0.1", ""])
def test_a_name_that_is_not_ours_is_refused(dagster: Site, gateway: Site, host: str) -> None:
    for site, path in ((dagster, "/"), (gateway, "/clickstream"), (gateway, "/openapi.json")):
        before = len(site.reached)
        answer = site.ask(path, "POST", ("host", host))
        assert answer.status == 400
        assert "put it into CLICKSTREAM_HOSTS" in answer.text  # type: ignore[attr-defined]
        assert len(site.reached) == before


def test_a_second_host_is_refused_and_so_is_none(dagster: Site) -> None:
    before = len(dagster.reached)
    for hosts in ((dagster.host, "evil.example"), ("evil.example", dagster.host)):
        assert dagster.ask("/", "GET", *(("host", host) for host in hosts)).status == 400
    assert dagster.socket("/graphql", ("host", "evil.example")) == 403
    assert len(dagster.reached) == before


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "headers",
    [
        [EVIL],
        [("origin", "null")],
        [("origin", "http://127.0.0.1:1")],
        [("origin", "http://localhost:{port}")],
        [("origin", "http://127.0.0.1:{port}"), EVIL],
        [("sec-fetch-site", "cross-site")],
        [("sec-fetch-site", "same-site")],
        [("sec-fetch-site", "anything")],
        [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")],
        [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image")],
        [("origin", "http://127.0.0.1:{port}"), ("sec-fetch-site", "cross-site")],
    ],
)
def test_a_page_of_another_site_reaches_nothing(
    dagster: Site, gateway: Site, headers: list[tuple[str, str]], method: str
) -> None:
    for site, path in ((dagster, "/server_info"), (gateway, "/openapi.json")):
        before = len(site.reached)
        answer = site.ask(path, method, *((name, value.format(port=site.port)) for name, value in headers))
        assert answer.status == 403
        assert SECRET not in answer.text  # type: ignore[attr-defined]
        assert len(site.reached) == before


def test_our_own_page_and_a_person_come_through(dagster: Site) -> None:
    origin = ("origin", f"http://{dagster.host}")
    for headers in (
        [origin, ("sec-fetch-site", "same-origin")],
        [("sec-fetch-site", "none"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")],
        [("host", NAME), ("origin", f"https://{NAME}"), ("sec-fetch-site", "same-origin")],
    ):
        assert dagster.ask("/", "POST", *headers).status == 200
    followed = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")]
    assert dagster.ask("/runs/1", "GET", *followed).status == 200, "a link in a mail"
    assert dagster.ask("/runs/1", "POST", *followed).status == 403, "a form on a stranger's page"


def test_a_websocket_is_for_our_own_page_only(dagster: Site) -> None:
    assert dagster.socket("/graphql") == SECRET
    assert dagster.socket("/graphql", ("origin", f"http://{dagster.host}")) == SECRET
    assert dagster.socket("/graphql", ("host", NAME), ("origin", f"https://{NAME}")) == SECRET
    before = len(dagster.reached)
    for headers in (
        [EVIL],
        [("origin", "null")],
        [("origin", "http://127.0.0.1:1")],
        [("sec-fetch-site", "same-site")],
    ):
        assert dagster.socket("/graphql", *headers) == 403
    followed = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")]
    assert dagster.socket("/graphql", *followed) == 403
    assert len(dagster.reached) == before


def test_a_refused_websocket_is_told_once_and_is_no_error(
    dagster: Site, gateway: Site, caplog: pytest.LogCaptureFixture
) -> None:
    _note.cache_clear()
    with caplog.at_level(logging.WARNING):
        assert [gateway.socket("/clickstream") for _ in range(3)] == [403] * 3
        assert [dagster.socket("/graphql", EVIL) for _ in range(3)] == [403] * 3
    assert [line.levelname for line in caplog.records] == ["WARNING", "WARNING"]
    assert "There is no WebSocket here" in caplog.records[0].message
    assert "must pass the Host header on" in caplog.records[1].message


@pytest.mark.parametrize(
    "query",
    ["query=mutation{x}", "query={version}", "a=1&query=", "%71uery=x", "query=a&query=b", "query=subscription{x}"],
)
@pytest.mark.parametrize("path", ["/graphql", "/graphql%0a", "/prefix/graphql", "/"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_no_graphql_is_run_by_get(dagster: Site, query: str, path: str, method: str) -> None:
    before = len(dagster.reached)
    answer = dagster.ask(f"{path}?{query}", method, ("accept", "image/avif,image/webp,*/*"))
    assert (answer.status, answer.headers["allow"]) == (405, "POST")
    assert len(dagster.reached) == before


def test_dagster_s_own_get_requests_stay(dagster: Site) -> None:
    assert dagster.ask("/graphql?query={version}", "GET", ("accept", "text/html,*/*")).status == 200
    assert dagster.ask("/assets?q=orders").status == 200
    assert dagster.ask("/graphql?query={version}", "POST").status == 200


def test_the_collector_stays_open_to_other_sites_and_what_is_beside_it_does_not(gateway: Site) -> None:
    for headers in ([EVIL], [("origin", "null")], [EVIL, ("sec-fetch-site", "cross-site")]):
        for method in ("POST", "OPTIONS", "GET"):
            answer = gateway.ask("/clickstream", method, *headers)
            assert (answer.status, answer.headers["cross-origin-resource-policy"]) == (200, "cross-origin")
        assert gateway.ask("/clickstream/", "POST", *headers).status == 403
        assert gateway.ask("/openapi.json", "GET", *headers).status == 403


def test_every_answer_carries_the_headers(dagster: Site, gateway: Site) -> None:
    for site, asked in ((dagster, []), (dagster, [EVIL]), (dagster, [("host", "x.example")]), (gateway, [])):
        headers = site.ask("/x", "GET", *asked).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == ("DENY" if asked else "SAMEORIGIN"), "an app's own word stands"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["cross-origin-opener-policy"] == headers["cross-origin-resource-policy"] == "same-origin"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "default-src 'self'" in headers["content-security-policy"]

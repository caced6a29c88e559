"""The login: a header of a proxy that knows the secret, over HTTP and WebSocket; the example in docs/security.md."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from clickstream_dagster.front import servers
from clickstream_dagster.settings import load_front
from front_site import SECRET, Site, app, served

KEY = "0123456789abcdef-proxy"
PROXY = ("x-clickstream-login-secret", KEY)
ANN = ("x-forwarded-email", "Ann@shop.example")
EVE = ("x-forwarded-email", "eve@evil.example")
Make = Callable[..., Site]


@pytest.fixture(scope="module")
def guarded() -> Iterator[Make]:
    """The dashboard's rules, or another server's, with a login; keyword arguments are more of the environment."""
    environ = {"CLICKSTREAM_LOGIN_HEADER": "X-Forwarded-Email", "CLICKSTREAM_LOGIN_SECRET": KEY}
    with ExitStack() as ending:

        def make(server: str = "dashboard", **more: str) -> Site:
            site, settings = Site(0), load_front({**environ, **more})
            made = (
                servers.gateway(app(site), settings, frozenset({"/clickstream"}))
                if server == "gateway"
                else getattr(servers, server)(app(site), settings)
            )
            return ending.enter_context(served(made, site))

        yield make


@pytest.mark.parametrize("server", ["dashboard", "dagster"])
def test_nobody_comes_in_without_the_proxy(guarded: Make, server: str) -> None:
    site = guarded(server)
    for headers in (
        [],
        [ANN],
        [PROXY],
        [PROXY, ("x-forwarded-email", " ")],
        [ANN, ("x-clickstream-login-secret", KEY[:-1])],
        [ANN, ("x-clickstream-login-secret", "")],
        [PROXY, ANN, EVE],
    ):
        answer = site.ask("/page", "GET", *headers)
        assert answer.status == 401, headers
        assert "Come through the proxy" in answer.text  # type: ignore[attr-defined]
        assert site.socket("/socket", *headers) == 403, headers
    assert site.reached == []
    assert site.ask("/page", "GET", PROXY, EVE).status == 200, "whom the proxy lets in, where no users are listed"
    assert site.socket("/socket", PROXY, ANN) == SECRET


def test_only_listed_users_come_in(guarded: Make) -> None:
    site = guarded(CLICKSTREAM_LOGIN_USERS="ann@shop.example, bob@shop.example")
    assert site.ask("/page", "GET", PROXY, ANN).status == 200
    assert site.socket("/socket", PROXY, ANN) == SECRET
    answer = site.ask("/page", "GET", PROXY, EVE)
    assert (answer.status, "CLICKSTREAM_LOGIN_USERS does not list you" in answer.text) == (403, True)  # type: ignore[attr-defined]
    assert site.socket("/socket", PROXY, EVE) == 403
    assert site.reached == ["/page", "/socket"]


def test_a_login_opens_no_door_to_other_sites(guarded: Make) -> None:
    site = guarded()
    evil = ("origin", "https://evil.example")
    assert site.ask("/page", "GET", PROXY, ANN, evil).status == 403
    assert site.socket("/socket", PROXY, ANN, evil) == 403
    assert site.ask("/page", "GET", PROXY, ANN, ("host", "evil.example")).status == 400
    assert site.reached == []


def test_what_is_not_for_people_asks_nobody(guarded: Make) -> None:
    assert guarded().ask("/healthz").status == 200
    assert guarded("dagster").ask("/healthz").status == 401
    gateway = guarded("gateway")
    assert gateway.ask("/clickstream", "POST").status == 200
    assert gateway.ask("/openapi.json").status == 200

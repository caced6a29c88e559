"""Who is signed in, by a token that the gateway has checked: over real HTTP, with keys that an issuer publishes."""

from __future__ import annotations

import base64
import hmac
import http.client
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from obstore.store import MemoryStore

from clickstream_dagster.local.gateway import tokens as checking
from clickstream_dagster.local.gateway.app import app
from clickstream_dagster.local.gateway.tokens import Tokens
from clickstream_dagster.settings import SignIn
from support.gateways import serving
from support.issuers import CLIENT, SUB, Issuer, issuing

EVENT = {
    "event_name": "page_view",
    "user_id": "somebody-else",
    "identity_source": "cognito",
    "page_url": "https://a.example/",
}


@dataclass
class Site:
    """A gateway that is being served, and the store behind it."""

    port: int
    store: MemoryStore

    def send(self, path: str, token: str | None, method: str = "POST") -> tuple[int, dict[str, str]]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        headers = {"content-type": "application/json", "origin": "https://shop.example"}
        if token is not None:
            headers["authorization"] = f"Bearer {token}"
        connection.request(method, path, json.dumps(EVENT), headers)
        response = connection.getresponse()
        connection.close()
        return response.status, {name.lower(): value for name, value in response.getheaders()}

    def who(self) -> list[tuple[Any, Any]]:
        keys = sorted(entry["path"] for batch in self.store.list("events") for entry in batch)
        lines = [json.loads(line) for key in keys for line in bytes(self.store.get(key).bytes()).splitlines()]
        return [(line.get("user_id"), line.get("identity_source")) for line in lines]


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with issuing() as made:
        yield made


@pytest.fixture
def site(issuer: Issuer) -> Iterator[Site]:
    store = MemoryStore()
    with serving(app(store, Tokens(SignIn(issuer.url, CLIENT)))) as port:
        yield Site(port, store)


def signed(issuer: Issuer, key: RSAKey, **header: Any) -> str:
    return jwt.encode({"alg": "RS256", "kid": issuer.keys[-1].kid, **header}, issuer.claims(), key)


def by_hand(issuer: Issuer, algorithm: str, sign: Callable[[bytes], bytes]) -> str:
    """A token that no library makes."""
    parts = [{"alg": algorithm, "kid": issuer.keys[-1].kid}, issuer.claims()]
    text = b".".join(_base64(json.dumps(part).encode()) for part in parts)
    return (text + b"." + _base64(sign(text))).decode()


def _base64(part: bytes) -> bytes:
    return base64.urlsafe_b64encode(part).rstrip(b"=")


@pytest.mark.parametrize("path", ["/clickstream/auth", "/v1/events/auth"])
def test_a_right_token_says_who_it_is_whatever_the_event_says(site: Site, issuer: Issuer, path: str) -> None:
    status, headers = site.send(path, issuer.token())
    assert status == 200
    assert site.who() == [(SUB, "cognito_verified")]
    assert headers["access-control-allow-origin"] == "https://shop.example"


def test_an_access_token_of_cognito_names_its_client_and_no_audience(site: Site, issuer: Issuer) -> None:
    assert site.send("/clickstream/auth", issuer.token(aud=None, client_id=CLIENT, token_use="access"))[0] == 200
    assert site.send("/clickstream/auth", issuer.token(aud=None, client_id="another"))[0] == 401
    assert site.send("/clickstream/auth", issuer.token(aud="another", client_id=CLIENT))[0] == 401


def test_one_of_several_audiences_is_enough(site: Site, issuer: Issuer) -> None:
    assert site.send("/clickstream/auth", issuer.token(aud=["another", CLIENT]))[0] == 200


WRONG = {
    "expired": {"exp": int(time.time()) - 1},
    "without an end": {"exp": None},
    "not yet valid": {"nbf": int(time.time()) + 3_600},
    "of another issuer": {"iss": "https://cognito-idp.eu-central-1.amazonaws.com/another"},
    "without an issuer": {"iss": None},
    "for another client": {"aud": "another"},
    "for a longer name": {"aud": f"{CLIENT}-2"},
    "for nobody": {"aud": None},
    "of nobody": {"sub": None},
}


@pytest.mark.parametrize("claims", WRONG.values(), ids=WRONG.keys())
def test_a_token_is_refused(site: Site, issuer: Issuer, claims: dict[str, Any]) -> None:
    status, headers = site.send("/clickstream/auth", issuer.token(**claims))
    assert status == 401
    assert site.who() == []
    assert (
        headers["access-control-allow-origin"] == "https://shop.example"
    )  # or the tracker could not tell it from a failure


def test_a_token_that_its_issuer_has_not_signed_is_refused(site: Site, issuer: Issuer) -> None:
    public = issuer.keys[-1].as_pem(private=False)
    stranger = RSAKey.generate_key(2048)
    right = issuer.token()
    head, body, signature = right.split(".")
    forged = {
        "none": by_hand(issuer, "none", lambda text: b""),
        "none, in capitals": by_hand(issuer, "NONE", lambda text: b""),
        "hmac with the public key": by_hand(issuer, "HS256", lambda text: hmac.digest(public, text, "sha256")),
        "another's key under its name": signed(issuer, stranger),
        "a key that it brings along": signed(issuer, stranger, jwk=stranger.as_dict(private=False)),
        "other claims": f"{head}.{issuer.token(sub='another').split('.')[1]}.{signature}",
        "no signature": f"{head}.{body}.",
        "nothing": "",
        "a word": "token",
        "two": f"{right}, Bearer {right}",
        "not ascii": "tökén",
    }
    answers = {
        name: site.send("/clickstream/auth", token.encode().decode("latin-1"))[0] for name, token in forged.items()
    }
    assert answers == dict.fromkeys(forged, 401)
    assert site.send("/clickstream/auth", None)[0] == 401
    assert site.who() == []
    assert site.send("/clickstream/auth", right)[0] == 200


def test_a_key_that_was_rotated(site: Site, issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    old = issuer.token()
    assert site.send("/clickstream/auth", old)[0] == 200
    issuer.rotate()
    monkeypatch.setattr(checking, "KEYS_PATIENCE", 0)
    assert site.send("/clickstream/auth", issuer.token())[0] == 200
    assert site.send("/clickstream/auth", old)[0] == 401  # that key was withdrawn


def test_keys_are_asked_for_once_however_many_strangers_name_others(site: Site, issuer: Issuer) -> None:
    stranger = RSAKey.generate_key(2048)
    assert site.send("/clickstream/auth", issuer.token())[0] == 200
    for number in range(20):
        assert site.send("/clickstream/auth", signed(issuer, stranger, kid=f"key-{number}"))[0] == 401
    assert issuer.asked == 1


def test_without_its_issuer_nobody_is_signed_in_and_events_still_arrive() -> None:
    store = MemoryStore()
    with issuing() as issuer:
        token = issuer.token()
    with serving(app(store, Tokens(SignIn(issuer.url, CLIENT)))) as port:
        site = Site(port, store)
        assert site.send("/clickstream/auth", token)[0] == 401
        assert site.send("/clickstream", token)[0] == 200
    assert site.who() == [("somebody-else", "cognito")]  # claimed, not checked


def test_without_a_configuration_no_token_is_believed(issuer: Issuer) -> None:
    store = MemoryStore()
    with serving(app(store)) as port:
        assert Site(port, store).send("/clickstream/auth", issuer.token())[0] == 401


def test_an_issuer_that_calls_itself_otherwise_is_not_believed(issuer: Issuer) -> None:
    store = MemoryStore()
    with serving(app(store, Tokens(SignIn(issuer.url.replace("127.0.0.1", "localhost"), CLIENT)))) as port:
        assert Site(port, store).send("/clickstream/auth", issuer.token())[0] == 401


def test_a_browser_may_send_the_token(site: Site) -> None:
    status, headers = site.send("/clickstream/auth", None, "OPTIONS")
    assert status == 204
    assert "authorization" in headers["access-control-allow-headers"]

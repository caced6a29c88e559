"""Tokens of customers who are signed in, checked as the JWT authorizer of an HTTP API checks them."""

from __future__ import annotations

import json
import logging
import time
import urllib.request
from collections.abc import Mapping
from threading import Lock
from typing import Any

from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from clickstream_dagster.settings import SignIn
from ingest_lambda.request import SIGNED_IN_PATHS

#: An HTTP API takes RSA alone. A list is what keeps out `none`, and HMAC with the public key as its secret.
ALGORITHMS = ("RS256", "RS384", "RS512")
#: Keys are asked for again after an hour, so that one that was withdrawn ends; and at once for a token of an unknown key, but
#: not more often than this: strangers can name as many keys as they like. In seconds.
KEYS_LIFE = 3_600
KEYS_PATIENCE = 10
TIMEOUT = 2

_log = logging.getLogger(__name__)


class Tokens:
    """Checks tokens of one issuer, made for one client. Used by many threads."""

    def __init__(self, sign_in: SignIn) -> None:
        self._sign_in = sign_in
        self._claims = jwt.JWTClaimsRegistry(
            iss={"essential": True, "value": sign_in.issuer},
            sub={"essential": True},
            exp={"essential": True},
        )
        self._lock = Lock()
        self._keys = KeySet([])
        self._asked_at = float("-inf")

    def authorize(self, event: dict[str, Any]) -> dict[str, Any]:
        """The event with the token's claims where API Gateway puts them. Without them the collector refuses the request."""
        if event["rawPath"] not in SIGNED_IN_PATHS:
            return event
        try:
            claims = self.claims(event["headers"].get("authorization", ""))
        except (JoseError, ValueError) as error:
            _log.info("a token was refused: %s", error)
            return event
        authorizer = {"jwt": {"claims": {name: _text(value) for name, value in claims.items()}, "scopes": None}}
        return {**event, "requestContext": {**event["requestContext"], "authorizer": authorizer}}

    def claims(self, authorization: str) -> Mapping[str, Any]:
        """The claims of a token that is ours and valid now. Raises `JoseError` or `ValueError` for any other."""
        kind, _, token = authorization.strip().rpartition(" ")
        if kind.lower() not in ("", "bearer") or not token.isascii():
            raise ValueError("the header Authorization takes: Bearer TOKEN")
        claims = self._decode(token).claims
        self._claims.validate(claims)
        # Cognito's access tokens have no `aud`, and say in `client_id` whom they are for.
        audience = claims.get("aud") or claims.get("client_id")
        if self._sign_in.client not in (audience if isinstance(audience, list) else [audience]):
            raise ValueError("the token is for another client")
        return claims

    def _decode(self, token: str) -> jwt.Token:
        try:
            return jwt.decode(token, self._known_keys(KEYS_LIFE), ALGORITHMS)
        except InvalidKeyIdError:  # the issuer's keys may have changed
            return jwt.decode(token, self._known_keys(KEYS_PATIENCE), ALGORITHMS)

    def _known_keys(self, age: float) -> KeySet:
        """The issuer's keys, asked for if they are older than `age` seconds. Without an answer those from before stay."""
        with self._lock:
            if time.monotonic() - self._asked_at > age:
                self._asked_at = time.monotonic()
                try:
                    self._keys = _published_keys(self._sign_in.issuer)
                except (OSError, ValueError, KeyError, JoseError) as error:
                    _log.warning("the keys of %s cannot be read (%s); is it running?", self._sign_in.issuer, error)
            return self._keys


def _published_keys(issuer: str) -> KeySet:
    found = _json(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
    if found["issuer"] != issuer:
        raise ValueError(f"it calls itself {found['issuer']}: set CLICKSTREAM_ISSUER to that, letter by letter")
    return KeySet.import_key_set(_json(found["jwks_uri"]))


def _json(address: str) -> Any:
    if not address.startswith(("https://", "http://")):
        raise ValueError(f"{address} is no web address")
    with urllib.request.urlopen(address, timeout=TIMEOUT) as answer:  # noqa: S310 - its scheme was looked at
        return json.load(answer)


def _text(value: Any) -> str:
    """A claim as API Gateway writes it: everything is a text, and a list stands in brackets."""
    return f"[{' '.join(map(str, value))}]" if isinstance(value, list) else str(value)

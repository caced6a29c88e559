"""An issuer of tokens: keys of its own, published over HTTP where OpenID Connect looks for them."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

CLIENT = "shop"
SUB = "8f14e45f-ceea-467a-9575-6a1d3c5b0b7a"


class Issuer:
    """What it signs with is the newest of its keys; what it publishes are those that it has not withdrawn."""

    def __init__(self) -> None:
        self.url = ""
        self.asked = 0  # how often for its keys
        self.keys: list[RSAKey] = []
        self.rotate()

    def rotate(self) -> None:
        """A new key; the old ones are withdrawn."""
        self.keys = [RSAKey.generate_key(2048, auto_kid=True)]

    def claims(self, **others: Any) -> dict[str, Any]:
        """Those of an ID token of a minute ago, as Cognito has them."""
        now = int(time.time())
        plain = {"iss": self.url, "aud": CLIENT, "sub": SUB, "iat": now - 60, "exp": now + 3_540, "token_use": "id"}
        return {name: value for name, value in {**plain, **others}.items() if value is not None}

    def token(self, **others: Any) -> str:
        """A signed token; a claim that is None is left out."""
        key = self.keys[-1]
        return jwt.encode({"alg": "RS256", "kid": key.kid}, self.claims(**others), key)

    def answer(self, path: str) -> dict[str, Any]:
        if path == "/.well-known/openid-configuration":
            return {"issuer": self.url, "jwks_uri": f"{self.url}/keys"}
        self.asked += 1
        return dict(KeySet(list(self.keys)).as_dict(private=False))


@contextmanager
def issuing() -> Iterator[Issuer]:
    """An issuer that is being served."""
    issuer = Issuer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(issuer.answer(self.path)).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *said: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        issuer.url = f"http://127.0.0.1:{server.server_port}"
        yield issuer
        server.shutdown()
        thread.join()

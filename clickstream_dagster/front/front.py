"""An ASGI app behind the checks that all of ours share: its host, the site that asks, a login, and the headers of answers.

None of what we serve has users of its own, and a browser takes every page's requests to every server it can reach. So
what tells a person who opened our page from a stranger's page in the same browser is what the browser itself says.
"""

from __future__ import annotations

import hmac
import logging
from dataclasses import dataclass
from functools import cache

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from clickstream_dagster.front.headers import with_headers
from clickstream_dagster.settings import FrontSettings, Login
from ingest_lambda.hosts import is_own_origin, is_served

#: The header in which a proxy sends the secret that it shares with us.
SECRET_HEADER = "x-clickstream-login-secret"  # noqa: S105 - its name


@dataclass(frozen=True)
class Refusal:
    """Why a request is not passed on, and what to do."""

    status: int
    sentence: str


UNKNOWN_HOST = Refusal(
    400, "This server does not know the name it was called by. If the name is yours, put it into CLICKSTREAM_HOSTS."
)
NO_SOCKETS = Refusal(404, "There is no WebSocket here.")
FOREIGN = Refusal(
    403,
    "A page of another site may not use this server. Open it in a tab of its own; "
    "a proxy before it must pass the Host header on.",
)
NO_LOGIN = Refusal(401, "Nobody is signed in. Come through the proxy that asks who you are.")
NOT_LISTED = Refusal(403, "You are signed in, but CLICKSTREAM_LOGIN_USERS does not list you.")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Rules:
    """What differs between our servers."""

    #: The content security policy of every answer, besides one that the app sends.
    policy: str
    #: Paths that pages of other sites may use, and that ask for no login.
    open_paths: frozenset[str] = frozenset()
    #: Paths without a login, for those who only ask whether the server lives.
    health_paths: frozenset[str] = frozenset()
    has_sockets: bool = True


class Front:
    """Answers what may not pass, and adds the headers to every answer. Streams and WebSockets go through as they are."""

    def __init__(self, app: ASGIApp, rules: Rules, settings: FrontSettings) -> None:
        self._app = app
        self._rules = rules
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return await self._app(scope, receive, send)
        is_open = scope["type"] == "http" and scope["path"] in self._rules.open_paths
        refusal = self._refusal(scope, Headers(scope=scope), is_open)
        if refusal and scope["type"] == "websocket":
            return await _close(refusal, send)
        answer = PlainTextResponse(f"{refusal.sentence}\n", refusal.status) if refusal else self._app
        return await answer(scope, receive, with_headers(send, self._rules.policy, is_open=is_open))

    def _refusal(self, scope: Scope, headers: Headers, is_open: bool) -> Refusal | None:
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not is_served(hosts[0], self._settings.hosts):
            return UNKNOWN_HOST
        if scope["type"] == "websocket" and not self._rules.has_sockets:
            return NO_SOCKETS
        if is_open:
            return None
        if is_foreign(scope, headers):
            return FOREIGN
        if self._settings.login is None or scope["path"] in self._rules.health_paths:
            return None
        return _login_refusal(self._settings.login, headers)


async def _close(refusal: Refusal, send: Send) -> None:
    """A server answers 403 to this. Its sentence is for the log: no browser shows what a WebSocket is answered, and
    uvicorn writes an error of its own for each that is answered with a text."""
    _note(refusal)
    await send({"type": "websocket.close", "code": 1008})


@cache
def _note(refusal: Refusal) -> None:
    """Once for each reason: a stranger's page can ask a thousand times a second."""
    _log.warning("A WebSocket was refused; this is told once. %s", refusal.sentence)


def is_foreign(scope: Scope, headers: Headers) -> bool:
    """Did a page of another site send this? Other ports of this machine are other sites. What is no browser says nothing,
    and passes; so does a link that a person follows, since no page can read what opens in a tab of its own."""
    if any(not is_own_origin(origin, headers.get("host", "")) for origin in headers.getlist("origin")):
        return True
    if headers.get("sec-fetch-site", "none") in ("same-origin", "none"):
        return False
    is_opened = (headers.get("sec-fetch-mode"), headers.get("sec-fetch-dest")) == ("navigate", "document")
    return not (is_opened and scope["type"] == "http" and scope["method"] in ("GET", "HEAD"))


def _login_refusal(login: Login, headers: Headers) -> Refusal | None:
    names = headers.getlist(login.header)
    is_proxy = hmac.compare_digest(headers.get(SECRET_HEADER, "").encode(), login.secret.encode())
    if not is_proxy or len(names) != 1 or not names[0].strip():
        return NO_LOGIN
    if login.users and names[0].strip().lower() not in login.users:
        return NOT_LISTED
    return None

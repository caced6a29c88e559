"""No GraphQL by GET: Dagster would run a mutation that stands in the address of a picture."""

from __future__ import annotations

from starlette.datastructures import Headers, QueryParams
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send


class QueriesByPost:
    """Refuses each GET that carries a query, wherever it goes. Dagster's own pages send theirs by POST.

    A person who opens such an address gets a page with the query in its editor, and nothing is run: that stays.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refused = PlainTextResponse("Send GraphQL by POST.\n", 405, {"allow": "POST"})
        await (refused if _is_run(scope) else self._app)(scope, receive, send)


def _is_run(scope: Scope) -> bool:
    """The same words that Dagster's server looks at, read by the same library."""
    if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
        return False
    wants_page = "text/html" in Headers(scope=scope).get("accept", "")
    return "query" in QueryParams(scope["query_string"]) and not wants_page

"""What we serve, each behind the front with rules of its own."""

from __future__ import annotations

from dataclasses import replace

from starlette.types import ASGIApp

from clickstream_dagster.front.front import Front, Rules
from clickstream_dagster.front.graphql import QueriesByPost
from clickstream_dagster.settings import FrontSettings

_TIGHT = "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
#: Both apps write scripts and styles into their pages. What this leaves out is every other server.
_OWN = (
    f"default-src 'self'; img-src 'self' data: blob:; font-src 'self' data:; style-src 'self' 'unsafe-inline'; {_TIGHT}"
)

#: Shiny compiles the conditions of its panels.
DASHBOARD = Rules(f"{_OWN}; script-src 'self' 'unsafe-inline' 'unsafe-eval'", health_paths=frozenset({"/healthz"}))
#: Its asset graph is laid out by a worker that it makes of a text.
DAGSTER = Rules(f"{_OWN}; script-src 'self' 'unsafe-inline'; worker-src 'self' blob:")


def dashboard(app: ASGIApp, settings: FrontSettings) -> ASGIApp:
    """The dashboard."""
    return Front(app, DASHBOARD, settings)


def dagster(app: ASGIApp, settings: FrontSettings) -> ASGIApp:
    """Dagster's webserver."""
    return Front(QueriesByPost(app), DAGSTER, settings)


def gateway(app: ASGIApp, settings: FrontSettings, open_paths: frozenset[str]) -> ASGIApp:
    """The collector, which is for visitors: no login. `open_paths` are for the shops that send to it,
    which are other sites."""
    rules = Rules(f"default-src 'self'; {_TIGHT}", open_paths, has_sockets=False)
    return Front(app, rules, replace(settings, login=None))

"""The web server's entry: the dashboard under its path, since Shiny itself knows no root path.

    uvicorn --app-dir shiny asgi:site --port 3838
"""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route

from app import app

PATH = "/sbw_dashboard"


def _healthz(_: Request) -> Response:
    return PlainTextResponse("ok\n")


def _home(_: Request) -> Response:
    return RedirectResponse(f"{PATH}/")


site = Starlette(routes=[Route("/healthz", _healthz), Route("/", _home), Mount(PATH, app)])

"""The web server's entry: the dashboard under its path, since Shiny itself knows no root path.

uvicorn --app-dir shiny asgi:site --port 3838
"""

from __future__ import annotations

from pathlib import Path

import plotly
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from app import app
from chart_widget import BUNDLE_FOLDER

PATH = "/sbw_dashboard"


def _healthz(_: Request) -> Response:
    return PlainTextResponse("ok\n")


def _home(_: Request) -> Response:
    return RedirectResponse(f"{PATH}/")


_charts = StaticFiles(directory=Path(plotly.__file__).parent / "package_data")
site = Starlette(
    routes=[
        Route("/healthz", _healthz),
        Route("/", _home),
        Mount(f"{PATH}/{BUNDLE_FOLDER}", _charts),
        Mount(PATH, app),
    ],
    middleware=[Middleware(GZipMiddleware, minimum_size=2_000)],
)

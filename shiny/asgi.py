"""The web server's entry: the dashboard under its path, since Shiny itself knows no root path.

uvicorn --app-dir shiny asgi:site --port 3838
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route, Router

from app import app, watch
from document import document
from downloads import csv
from files import Kept
from hangups import Hangups

PATH = "/sbw_dashboard"


def _healthz(_: Request) -> Response:
    return PlainTextResponse("ok\n")


def _home(_: Request) -> Response:
    return RedirectResponse(f"{PATH}/")


@asynccontextmanager
async def _lifespan(_: Starlette) -> AsyncIterator[None]:
    async with watch.running():
        yield


site = Starlette(
    routes=[
        Route("/healthz", _healthz),
        Route("/", _home),
        Route(f"{PATH}/csv/{{page}}/{{card}}", csv),
        Mount(PATH, Hangups(Router([Route("/", document), Mount("/", Kept(app, "/lib/"))]))),
    ],
    middleware=[Middleware(GZipMiddleware, minimum_size=2_000)],
    lifespan=_lifespan,
)

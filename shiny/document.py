"""The document of a tab: the same for everybody but for its first numbers and what they are of, which stand in it.

Shiny shows a number when its scripts have run, its connection stands and an answer has come over it. Half of that is the
browser's own time, in which a reader would look at an empty page.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

from htmltools import Tag, TagList
from shiny.module import resolve_id
from starlette.requests import Request
from starlette.responses import HTMLResponse

import banner
from app import OPTIONS, PAGES, app, part_ui, warehouse
from boxes import Boxes, boxes_row
from filter_bar import chips_ui, shown_chips
from queries import Problem
from view import Bounds, View, from_query

_log = logging.getLogger(__name__)

#: What takes longer comes over the connection, as everything else does.
PATIENCE_SECONDS = 0.3


async def document(request: Request) -> HTMLResponse:
    """The document, with the chips and the boxes of the page that the address names."""
    html: str = app.ui["html"]  # type: ignore[index]  # one document, made at the start
    found = None
    with suppress(Problem, TimeoutError):
        found = await asyncio.wait_for(_view(request.url.query), PATIENCE_SECONDS)
    if found:
        view, bounds = found
        html = html.replace(*_within(chips_ui(), shown_chips(view, bounds)), 1)
        parts = [part for part in PAGES[view.page].PARTS if isinstance(part, Boxes)]
        for place, shown in await asyncio.gather(*(_filled(part, view) for part in parts)):
            html = html.replace(place, shown, 1)
    return HTMLResponse(html, headers={"Cache-Control": "no-cache"})


async def _view(query: str) -> tuple[View, Bounds] | None:
    bounds = await banner.bounds(warehouse)
    return (from_query(query, bounds, list(PAGES), OPTIONS)[0], bounds) if bounds else None


def _within(place: Tag, shown: TagList) -> tuple[str, str]:
    """An empty place as it stands in the document, and the same with something in it."""
    return str(place), str(place).removesuffix("</div>") + str(shown) + "</div>"


async def _filled(part: Boxes, view: View) -> tuple[str, str]:
    """The empty place of a row of boxes, and the same with its numbers. What fails here is asked again by the tab, which
    shows what is wrong."""
    part_place = part_ui(view.page, part)
    place = str(part_place)
    try:
        found = await asyncio.wait_for(part.rows(warehouse, view), PATIENCE_SECONDS)
        row = boxes_row(*found, resolve_id(f"{view.page}_{part.id}"), part.look)
    except (Problem, TimeoutError):
        return place, place
    except Exception:
        _log.exception("the first rows of %s failed", part.id)
        return place, place
    return _within(part_place, row)

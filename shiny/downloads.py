"""A card's rows as a file: a plain GET, which any process answers, since the address has the whole view."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

import banner
from app import OPTIONS, PAGES, warehouse
from cards import Card
from exports import to_csv
from queries import Problem
from view import from_query


async def csv(request: Request) -> Response:
    """The rows of `/csv/PAGE/CARD?VIEW`. What cannot be used of a view is left out, as on the page itself."""
    page, name = request.path_params["page"], request.path_params["card"]
    parts = PAGES[page].PARTS if page in PAGES else ()
    card = next((part for part in parts if isinstance(part, Card) and part.id == name), None)
    if card is None:
        return PlainTextResponse("There is no such card.\n", 404)
    try:
        text = await _text(card, page, request.url.query)
    except Problem as problem:
        return PlainTextResponse(f"{problem.title}. {problem.advice}\n", 503)
    headers = {"Content-Disposition": f'attachment; filename="{card.id}.csv"', "Cache-Control": "no-store"}
    return Response(text, headers=headers, media_type="text/csv; charset=utf-8")


async def _text(card: Card, page: str, query: str) -> str:
    bounds = await banner.bounds(warehouse)
    if bounds is None:
        raise Problem("No events yet", "Load some: clickstream materialize")
    view, _ = from_query(query, bounds, [page, *PAGES], OPTIONS)
    rows = (await card.rows(warehouse, view))[list(card.columns)]
    labels = [column.label.removesuffix(" %") for column in card.columns.values()]  # shares stay shares, 0 to 1
    told = [*view.describe()[: None if card.is_filtered else 2], ("Time zone", bounds.timezone)]
    return "\ufeff" + to_csv(card.title, told, labels, rows)

"""Two cards of the page of searches: what is searched for next, and what searches without results may cost."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

import charts
from cards import Card, Column
from formats import share
from pages import loss_rows
from queries import PERIOD, SEGMENT, Warehouse
from view import View

_REFINEMENTS = f"""
    select
        term, next_term, count(*)::bigint as sessions, count(*) filter (where is_without_results)::bigint as without_results,
        count(*) filter (where is_clicked)::bigint as clicked, count(*) filter (where has_purchase)::bigint as bought
    from fact_session_refinements where {PERIOD} and {SEGMENT}
    group by term, next_term order by sessions desc, term, next_term limit 200
"""
#: Rows in a picture.
SEEN = 12


async def refinements(warehouse: Warehouse, view: View) -> pd.DataFrame:
    """A row for each term and the other one that was searched for right after it."""
    frame = (await warehouse.frame(_REFINEMENTS, view.parameters())).copy()
    for name in ("without_results", "clicked", "bought"):
        frame[f"{name}_share"] = [share(*pair) for pair in zip(frame[name], frame["sessions"], strict=True)]
    return frame


def _draw_refinements(frame: pd.DataFrame, _: View) -> go.Figure:
    top = frame[:SEEN]
    names = [f"{one} → {other}" for one, other in zip(top["term"], top["next_term"], strict=True)]
    texts = [f"{n:,} · {clicked:,} clicked" for n, clicked in zip(top["sessions"], top["clicked"], strict=True)]
    made = charts.bars(names, top["sessions"], name="Sessions", texts=texts, most=28)
    made.update_traces(marker_opacity=charts.opacity(top["sessions"]))
    room = [0, 2.2 * float(top["sessions"].max())]  # a phone's bars are short, its words are not
    return made.update_layout(xaxis={"range": room, "title": "Sessions, few are pale", "dtick": None, "nticks": 4})


def _draw_losses(frame: pd.DataFrame, _: View) -> go.Figure:
    """What each term may have lost; where that cannot be told from chance, how often it found nothing."""
    top = frame[:SEEN]
    if top["word"].iat[0] == "estimate":
        title = f"{top['currency'].iat[0]}, an estimate"
        values = [float(value) for value in top["lost"]]
        texts = [f"{value:,.0f} · {n:,} sessions" for value, n in zip(values, top["sessions"], strict=True)]
    else:
        title = "Sessions; loss: may be chance" if top["word"].iat[0] == "may be chance" else "Sessions"
        values = [float(n) for n in top["sessions"]]
        texts = [f"{n:,} · {bought:,} bought" for n, bought in zip(top["sessions"], top["bought"], strict=True)]
    made = charts.bars(top["term"], values, name="Without results", texts=texts, most=24)
    made.update_traces(marker_opacity=charts.opacity(top["sessions"]))
    return made.update_layout(xaxis={"range": [0, 2 * max(values)], "title": title, "dtick": None})


REFINEMENTS = Card(
    "refinements",
    "What is searched for next",
    "Sessions whose very next search was for another term. Clicked: a click or product view followed that search before another "
    "one. Bought: a purchase followed it in the session. Without results: the first term had found nothing. The 200 first.",
    refinements,
    {
        "term": Column("Searched for", sets="term"),
        "next_term": Column("Then for"),
        "sessions": Column("Sessions", "count"),
        "clicked": Column("Clicked", "count"),
        "clicked_share": Column("Clicked %", "percent"),
        "bought": Column("Bought", "count"),
        "bought_share": Column("Bought %", "percent"),
        "without_results_share": Column("After no results %", "percent"),
    },
    _draw_refinements,
    width=6,
    height="420px",
    empty="Nobody searched for one thing and then for another in one session here.",
)
LOSSES = Card(
    "losses",
    "What empty results may cost",
    "An estimate. Sessions with a search that found nothing buy after it less often than sessions of which every search found "
    "something; that gap × the term's sessions × the average order after a search is what the term may have lost, in the shop's "
    "currency, with the 95 % interval of the gap (Newcombe). The gap is one for all terms, since one term has few sessions. "
    "People who search for what you do not sell may not have bought anyway. A session with two such terms is in both. The 200 "
    "first.",
    loss_rows.terms,
    {
        "term": Column("Term", sets="term"),
        "sessions": Column("Sessions without results", "count"),
        "bought": Column("Bought after it", "count"),
        "bought_rate": Column("Bought %", "percent"),
        "rate_without": Column("All without results %", "percent"),
        "rate_with": Column("All with results %", "percent"),
        "lost_orders": Column("Orders lost", "money"),
        "lost": Column("May be lost", "money"),
        "lost_low": Column("from", "money"),
        "lost_high": Column("to", "money"),
        "currency": Column("Currency"),
        "word": Column("How sure"),
    },
    _draw_losses,
    width=6,
    height="420px",
    empty="No search here says that it found nothing. The shop's search events tell by props.results.",
)

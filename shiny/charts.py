"""Pictures of result-sized frames. Every function gives a plain figure, which `chart.py` shows.

Colours of text and grid come from styles.css, so that dark mode needs no redraw.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median
from typing import Any

import plotly.graph_objects as go
import plotly.io

from formats import FEW, is_missing
from noise import between, wilson

#: The house's style is LAYOUT. Plotly's own would travel with each figure, seven kilobytes for rules that LAYOUT undoes.
plotly.io.templates.default = None

#: Told apart by people who do not see all colours, and on white as on black (after Okabe and Ito).
COLORS = ("#4f6bd8", "#d17a00", "#1f9e89", "#c2518f", "#8a8f98", "#b5a300", "#56a0d3", "#a5603a")
BEFORE = "#8a8f98"
#: Up to here an axis has a mark for each whole number: plotly marks halves, and nobody has half a visitor.
_FEW = 5
#: One hue from nothing to most.
SCALE = [[0.0, "rgba(79,107,216,0.06)"], [1.0, "rgba(79,107,216,1)"]]

#: Dates on an axis in the form that the pages have; what is shorter than a day stays plotly's.
_DAYS = [
    {"dtickrange": [86_400_000, "M1"], "value": "%-d %b\n%Y"},
    {"dtickrange": ["M1", "M12"], "value": "%b %Y"},
    {"dtickrange": ["M12", None], "value": "%Y"},
]

LAYOUT: dict[str, Any] = {
    "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
    "paper_bgcolor": "rgba(0,0,0,0)",
    "plot_bgcolor": "rgba(0,0,0,0)",
    "font": {"family": "Inter, system-ui, sans-serif", "size": 12},
    "hoverlabel": {"namelength": -1},
    "legend": {"orientation": "h", "yanchor": "bottom", "y": 1.02, "x": 0},
    "xaxis": {"automargin": True, "fixedrange": True, "ticks": "", "tickformatstops": _DAYS, "separatethousands": True},
    "yaxis": {
        "automargin": True,
        "fixedrange": True,
        "ticks": "",
        "rangemode": "tozero",
        "zeroline": False,
        "separatethousands": True,
        "ticklabelstandoff": 8,
    },
    "hovermode": "closest",
    "colorway": list(COLORS),
    "separators": ".,",
    "dragmode": False,
    "autosize": True,
}


def figure(*traces: Any, **layout: Any) -> go.Figure:
    """A figure in the house's style. An axis or a margin has what `layout` says of it, and for the rest the house's."""
    whole = LAYOUT | {
        name: {**LAYOUT.get(name, {}), **said} if isinstance(said, dict) else said for name, said in layout.items()
    }
    return go.Figure(data=list(traces), layout=whole)  # plotly takes a layout whole twelve times as fast as in updates


def _marks(*values: Sequence[Any]) -> dict[str, Any]:
    """What an axis needs besides the house's style, when all its values are a few whole numbers."""
    known = [float(value) for each in values for value in each if not is_missing(value)]
    return {"dtick": 1} if all(value.is_integer() and abs(value) <= _FEW for value in known) else {}


def lines(
    x: Sequence[Any],
    now: Sequence[Any],
    before: Sequence[Any] | None,
    *,
    name: str,
    before_name: str = "",
    is_open: bool,
    usual: Sequence[tuple[float, float] | None] = (),
) -> go.Figure:
    """A line over time, the comparison dashed behind it on the same places, and the usual range as a band behind both. The last
    point, while its time is not over, hangs on a dotted line."""
    x, now = list(x), list(now)
    closed = len(x) - 1 if is_open and len(x) > 1 else len(x)
    traces = [
        *_band(x, usual),
        go.Scatter(
            x=x[: len(before or ())],
            y=list(before or ()),
            name=before_name,
            mode="lines",
            line={"dash": "dash", "color": BEFORE, "width": 1.5},
            showlegend=before is not None,
        ),
        go.Scatter(
            x=x[:closed],
            y=now[:closed],
            name=name,
            mode="lines+markers" if len(x) < 40 else "lines",
            line={"color": COLORS[0], "width": 2.5},
            marker={"size": 5},
        ),
        go.Scatter(
            x=x[closed - 1 :] if closed < len(x) else [],
            y=now[closed - 1 :] if closed < len(x) else [],
            name=f"{name}, not over yet",
            mode="lines+markers",
            line={"dash": "dot", "color": COLORS[0], "width": 2.5},
            marker={"size": 5, "symbol": "circle-open"},
            showlegend=False,
        ),
    ]
    layout = {"xaxis": {"showgrid": False, "fixedrange": True}, "yaxis": _marks(now, before or ())}
    return figure(*traces, hovermode="x unified", **layout)


def _band(x: Sequence[Any], usual: Sequence[tuple[float, float] | None]) -> list[go.Scatter]:
    """What is usual at each place, where that is known."""
    if not any(usual):
        return []
    ends = [[None if one is None else one[end] for one in usual] for end in (0, 1)]
    edge = {"x": x[: len(usual)], "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip"}
    return [
        go.Scatter(y=ends[0], showlegend=False, **edge),
        go.Scatter(y=ends[1], name="Usual range", fill="tonexty", fillcolor="rgba(138,143,152,0.18)", **edge),
    ]


def series(x: Sequence[Any], named: Sequence[tuple[str, Sequence[Any]]]) -> go.Figure:
    """Several lines over the same times, told apart by colour and by dash."""
    dashes = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
    traces = [
        go.Scatter(x=list(x), y=list(y), name=name, mode="lines", line={"width": 2, "dash": dashes[i % len(dashes)]})
        for i, (name, y) in enumerate(named)
    ]
    return figure(*traces, hovermode="x unified", yaxis=_marks(*(y for _, y in named)))


def bars(
    labels: Sequence[Any],
    values: Sequence[Any],
    *,
    name: str,
    texts: Sequence[str] = (),
    most: int = 40,
    keys: Sequence[Any] = (),
) -> go.Figure:
    """Horizontal bars, the first label on top, each with its text beside it. `keys` are what labels stand for, where they are
    words for it."""
    known = [value for value in values if value is not None]
    low, high = min([0, *known]), max([0, *known])
    longest = max(map(len, texts), default=0)
    room = float(high - low) * max(0.15, 0.05 * longest) or 1  # a phone's bars are short, its words are not
    trace = go.Bar(
        x=list(values),
        y=[shortened(label, most) for label in told_apart(labels, most)],
        name=name,
        orientation="h",
        text=list(texts) or None,
        textposition="outside",
        cliponaxis=False,
        hovertext=[
            f"{shortened(label, 200)}<br>{name} {'' if is_missing(value) else f'{value:,}'}"
            for label, value in zip(labels, values, strict=True)
        ],
        hoverinfo="text",
        customdata=[str(key) for key in (keys if len(keys) else labels)],
        marker={"color": COLORS[0]},
    )
    places = {"automargin": True, "autorange": "reversed", "type": "category", "fixedrange": True}
    amounts = {
        "range": [float(low) - room if low < 0 else 0, float(high) + room if high > 0 else 1],
        "fixedrange": True,
        **_marks(known),
    }
    gap = max(0.25, 1 - 0.12 * len(labels))  # two bars need not fill a card
    return figure(trace, yaxis=places, xaxis=amounts, showlegend=False, bargap=gap)


def stacked(x: Sequence[Any], named: Sequence[tuple[str, Sequence[Any]]]) -> go.Figure:
    """Columns on each other, one colour and one pattern for each name."""
    patterns = ("", "/", "x", ".", "-", "+")
    traces = [
        go.Bar(
            x=list(x),
            y=list(y),
            name=name,
            marker={"pattern": {"shape": patterns[i % len(patterns)], "fillmode": "overlay", "solidity": 0.2}},
        )
        for i, (name, y) in enumerate(named)
    ]
    sums = [
        sum(value for value in column if not is_missing(value)) for column in zip(*(y for _, y in named), strict=True)
    ]
    return figure(*traces, barmode="stack", hovermode="x unified", yaxis=_marks(sums))


def heatmap(
    x: Sequence[str],
    y: Sequence[str],
    z: Sequence[Sequence[Any]],
    *,
    texts: Sequence[Sequence[str]] | None = None,
    name: str,
) -> go.Figure:
    """A matrix, the first row on top, with its numbers in it where `texts` gives them."""
    trace = go.Heatmap(
        x=list(x),
        y=list(y),
        z=[list(row) for row in z],
        text=[list(row) for row in texts] if texts is not None else None,
        texttemplate="%{text}" if texts is not None else None,
        colorscale=SCALE,
        showscale=False,
        xgap=2,
        ygap=2,
        hovertemplate="%{y}, %{x}: %{z} " + name + "<extra></extra>",
        hoverongaps=False,
    )
    axis = {"automargin": True, "autorange": "reversed", "type": "category", "fixedrange": True, "showgrid": False}
    return figure(trace, yaxis=axis, xaxis={"type": "category", "fixedrange": True, "showgrid": False})


def opacity(counts: Iterable[Any]) -> list[float]:
    """Of marks that stand for so many: pale where they are few."""
    return [1.0 if number >= FEW else 0.35 for number in counts]


def paled(made: go.Figure, parts: Iterable[Any], wholes: Sequence[Any]) -> go.Figure:
    """Bars of rates: those of few are pale, and have their interval on the hover."""
    made.update_traces(marker_opacity=opacity(wholes))
    found = [wilson(part, whole) if whole < FEW else None for part, whole in zip(parts, wholes, strict=True)]
    made.data[0].hovertext = [
        f"{label}<br>{between(interval, whole)}" if interval else label
        for label, interval, whole in zip(made.data[0].hovertext, found, wholes, strict=True)
    ]
    return made


def shortened(label: Any, most: int = 40) -> str:
    """A label that fits an axis. Plotly reads a few tags in texts: without its angle brackets, text stays text; isolated,
    it does not turn the writing direction of what stands beside it."""
    text = " ".join(str(label).split())
    text = text if len(text) <= most else text[: most - 1] + "…"
    return "\u2068" + text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") + "\u2069"


def scatter(x: Sequence[Any], y: Sequence[Any], labels: Sequence[str], *, x_title: str, y_title: str) -> go.Figure:
    """Points in four fields, cut at the medians of both axes."""
    trace = go.Scatter(
        x=list(x),
        y=list(y),
        mode="markers",
        hovertext=[shortened(label) for label in labels],
        customdata=list(labels),
        hovertemplate="%{hovertext}<br>" + x_title + " %{x}<br>" + y_title + " %{y:.2f}<extra></extra>",
        marker={"size": 9, "color": COLORS[0], "opacity": 0.75},
    )
    made = figure(trace, xaxis={"title": x_title}, yaxis={"title": y_title}, showlegend=False)
    made.add_vline(x=median(x), line={"dash": "dot", "color": BEFORE})
    made.add_hline(y=median(y), line={"dash": "dot", "color": BEFORE})
    return made


def told_apart(labels: Sequence[Any], most: int = 40) -> list[str]:
    """Labels of bars. Plotly draws bars of the same label over each other: those that are alike once cut get a number."""
    told: dict[str, None] = {}
    for label in labels:
        plain = " ".join(str(label).split())
        text = plain = plain if len(plain) <= most else plain[: most - 1] + "…"
        number = 1
        while text in told:
            number += 1
            text = f"{plain[: most - 6]} ({number})"
        told[text] = None
    return list(told)

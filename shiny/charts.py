"""Pictures of result-sized frames. Every function gives a plain figure; `redraw` puts it into the widget that stands.

Colours of text and grid come from styles.css, so that dark mode needs no redraw.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from statistics import median
from typing import Any

import plotly
import plotly.graph_objects as go

#: Below the dashboard's path; `asgi.py` serves it.
BUNDLE_FOLDER = f"plotly-{plotly.__version__}"
BUNDLE = f"{BUNDLE_FOLDER}/widgetbundle.js"

#: Told apart by people who do not see all colours, and on white as on black (after Okabe and Ito).
COLORS = ("#4f6bd8", "#d17a00", "#1f9e89", "#c2518f", "#8a8f98", "#b5a300", "#56a0d3", "#a5603a")
BEFORE = "#8a8f98"
#: One hue from nothing to most.
SCALE = [[0.0, "rgba(79,107,216,0.06)"], [1.0, "rgba(79,107,216,1)"]]

_LAYOUT: dict[str, Any] = {
    "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
    "paper_bgcolor": "rgba(0,0,0,0)",
    "plot_bgcolor": "rgba(0,0,0,0)",
    "font": {"family": "system-ui, sans-serif", "size": 12},
    "hoverlabel": {"namelength": -1},
    "legend": {"orientation": "h", "yanchor": "bottom", "y": 1.02, "x": 0},
    "xaxis": {"automargin": True, "fixedrange": True},
    "yaxis": {"automargin": True, "fixedrange": True, "rangemode": "tozero", "zeroline": False},
    "hovermode": "closest",
    "colorway": list(COLORS),
    "separators": ".,",
    "dragmode": False,
    "autosize": True,
}


def figure(*traces: Any, **layout: Any) -> go.Figure:
    """A figure in the house's style."""
    made = go.Figure(data=list(traces))
    made.update_layout(_LAYOUT)
    made.update_layout(layout)
    return made


@cache
def _widget_class(bundle: str) -> type[go.FigureWidget]:
    """Plotly's widget carries its own JavaScript, five megabytes, with every single chart. This one names where it lies,
    so that a browser loads it once."""
    return type("Chart", (go.FigureWidget,), {"_esm": bundle})


def empty_widget(origin: str) -> go.FigureWidget:
    """The widget that a card keeps for its life. `origin` is where the browser sees this dashboard."""
    widget = _widget_class(f"{origin}/{BUNDLE}")()
    widget.update_layout({**_LAYOUT, "xaxis": {"visible": False}, "yaxis": {"visible": False}})
    widget._config = widget._config | {"displayModeBar": False, "responsive": True}
    return widget


def redraw(widget: go.FigureWidget, made: go.Figure) -> None:
    """Show a figure in a widget that stands: its traces are updated where they are of the same kinds."""
    kinds = [trace.type for trace in widget.data]
    layout = made.layout.to_plotly_json()
    if kinds == [trace.type for trace in made.data]:
        with widget.batch_update():
            for old, new in zip(widget.data, made.data, strict=True):
                old.update(new.to_plotly_json(), overwrite=True)
            widget.update_layout(layout, overwrite=True)
        return
    with widget.batch_update():
        widget.data = []
        widget.update_layout(layout, overwrite=True)
    widget.add_traces(list(made.data))


def lines(
    x: Sequence[Any],
    now: Sequence[Any],
    before: Sequence[Any] | None,
    *,
    name: str,
    before_name: str = "",
    is_open: bool,
) -> go.Figure:
    """A line over time, the comparison dashed behind it on the same places. The last point, while its time is not over,
    hangs on a dotted line."""
    x, now = list(x), list(now)
    closed = len(x) - 1 if is_open and len(x) > 1 else len(x)
    traces = [
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
    return figure(*traces, hovermode="x unified", xaxis={"showgrid": False, "fixedrange": True})


def series(x: Sequence[Any], named: Sequence[tuple[str, Sequence[Any]]]) -> go.Figure:
    """Several lines over the same times, told apart by colour and by dash."""
    dashes = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
    traces = [
        go.Scatter(x=list(x), y=list(y), name=name, mode="lines", line={"width": 2, "dash": dashes[i % len(dashes)]})
        for i, (name, y) in enumerate(named)
    ]
    return figure(*traces, hovermode="x unified")


def bars(labels: Sequence[str], values: Sequence[Any], *, name: str, texts: Sequence[str] | None = None) -> go.Figure:
    """Horizontal bars, the first label on top."""
    trace = go.Bar(
        x=list(values),
        y=[shortened(label) for label in labels],
        name=name,
        orientation="h",
        text=list(texts) if texts is not None else None,
        textposition="outside",
        cliponaxis=False,
        hovertext=[str(label) for label in labels],
        marker={"color": COLORS[0]},
    )
    axis = {"automargin": True, "autorange": "reversed", "type": "category", "fixedrange": True}
    room = {
        "range": [0, 1.15 * max(map(float, values), default=1) or 1],
        "fixedrange": True,
    }  # for the text after a bar
    gap = max(0.25, 1 - 0.12 * len(labels))  # two bars need not fill a card
    return figure(trace, yaxis=axis, xaxis=room, showlegend=False, bargap=gap)


def stacked(x: Sequence[Any], named: Sequence[tuple[str, Sequence[Any]]]) -> go.Figure:
    """Columns on each other, one colour and one pattern for each name."""
    patterns = ("", "/", "x", ".", "-", "+")
    traces = [
        go.Bar(x=list(x), y=list(y), name=name, marker={"pattern": {"shape": patterns[i % len(patterns)]}})
        for i, (name, y) in enumerate(named)
    ]
    return figure(*traces, barmode="stack", hovermode="x unified")


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
        hovertemplate="%{hovertext}<br>" + x_title + " %{x}<br>" + y_title + " %{y:.2f}<extra></extra>",
        marker={"size": 9, "color": COLORS[0], "opacity": 0.75},
    )
    made = figure(trace, xaxis_title=x_title, yaxis_title=y_title, showlegend=False)
    made.add_vline(x=median(x), line={"dash": "dot", "color": BEFORE})
    made.add_hline(y=median(y), line={"dash": "dot", "color": BEFORE})
    return made


def sankey(
    nodes: Sequence[tuple[int, str, int, str]], links: Sequence[tuple[int, int, Any, str]], heads: Sequence[str]
) -> go.Figure:
    """Flows between nodes, in columns from left to right. A node is (column from 0, label, size, colour), in order from top to
    bottom; a flow is (from, to, how many, in words), as places in `nodes`; `heads` stand above the columns."""
    scale, last = _sankey_scale(nodes, len(heads)), max(1, len(heads) - 1)
    below, middles = [0.0] * len(heads), []
    for column, _, size, _ in nodes:
        room = max(size * scale, _SANKEY_LABEL)
        middles.append(below[column] + room / 2)
        below[column] += room + _SANKEY_GAP
    goes_on = {link[0] for link in links}
    ends_together = all(place in goes_on or column == last for place, (column, *_) in enumerate(nodes))
    trace = go.Sankey(
        arrangement="fixed",
        node={
            "label": [""] * len(nodes),
            "customdata": [shortened(name, 60) for _, name, _, _ in nodes],
            "hovertemplate": "%{customdata}: %{value:,}<extra></extra>",
            "color": [color for *_, color in nodes],
            "align": "right" if ends_together else "left",  # plotly's own columns give the flows their width
            "x": [min(0.999, max(0.001, column / last)) for column, *_ in nodes],
            "y": [min(0.999, max(0.001, middle)) for middle in middles],
            "pad": 10,
            "thickness": 10,
            "line": {"width": 0},
        },
        link={
            "source": [link[0] for link in links],
            "target": [link[1] for link in links],
            "value": [link[2] for link in links],
            "customdata": [link[3] for link in links],
            "hovertemplate": "%{customdata}<extra></extra>",
            "color": [_pale(nodes[link[1]][3]) for link in links],
        },
    )
    # Words of our own, since plotly turns those of the last column inwards, onto those of the one before it.
    said = {"xref": "paper", "yref": "paper", "xanchor": "left", "showarrow": False, "font": {"size": 11}}
    told = [
        {"x": place / last, "xshift": -8, "y": 1.01, "yanchor": "bottom", "text": shortened(head, 20), "opacity": 0.75}
        for place, head in enumerate(heads)
    ]
    for (column, name, size, _), middle in zip(nodes, middles, strict=True):
        number = (
            f"<br>{size:,}" if size * scale > 2 * _SANKEY_LABEL else ""
        )  # where there is room for a line of its own
        text = shortened(name, 16) + number
        told.append(
            {"x": column / last, "xshift": 5, "y": 1 - middle, "yanchor": "middle", "align": "left", "text": text}
        )
    margin = {"l": 10, "r": 84, "t": 24, "b": 8}
    return figure(trace, annotations=[{**said, **words} for words in told], margin=margin)


#: Shares of a Sankey's height: between two nodes, and what a node's label needs at least.
_SANKEY_GAP, _SANKEY_LABEL = 0.02, 0.03


def _sankey_scale(nodes: Sequence[tuple[int, str, int, str]], columns: int) -> float:
    """Of the height, for each one of a node's size: as much as lets every column have room for its labels."""
    scale = 1.0
    for place in range(columns):
        sizes = sorted((size for column, _, size, _ in nodes if column == place), reverse=True)
        room = 1 - _SANKEY_GAP * (len(sizes) - 1)
        while sizes and sizes[-1] * room < _SANKEY_LABEL * sum(sizes):  # the smallest take what a label needs
            sizes.pop()
            room -= _SANKEY_LABEL
        scale = min(scale, room / (sum(sizes) or 1))
    return scale


def _pale(color: str) -> str:
    red, green, blue = (int(color[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.3)"


def told_apart(labels: Sequence[Any], most: int = 40) -> list[str]:
    """Labels of bars. Plotly draws bars of the same label over each other: those that are alike once cut get a number."""
    seen: dict[str, int] = {}
    told = []
    for label in labels:
        text = " ".join(str(label).split())
        text = text if len(text) <= most else text[: most - 1] + "…"
        seen[text] = seen.get(text, 0) + 1
        told.append(text if seen[text] == 1 else f"{text[: most - 6]} ({seen[text]})")
    return told


def roomy(made: go.Figure) -> go.Figure:
    """Bars with their texts beside them, and room for the text of the longest one."""
    trace = made.data[0]
    values = [value for value in trace.x if value is not None]
    low, high = min([0, *values]), max([0, *values])
    longest = max((len(str(text)) for text in trace.text or ()), default=0)
    room = (high - low) * max(0.22, 0.04 * longest) or 1  # a phone's bars are short, its words are not
    trace.update(textposition="outside", cliponaxis=False)
    return made.update_layout(xaxis_range=[low - room if low < 0 else 0, high + room if high > 0 else 0])


def funnel(labels: Sequence[str], counts: Sequence[int], *, name: str) -> go.Figure:
    """Steps from top to bottom. What left before a step is the pale rest of its bar; the words stand above the bars, so that
    they fit a phone."""
    lost = [0, *(was - now for was, now in pairwise(counts))]
    places, whole = list(range(len(counts))), counts[0] or 1
    traces = [
        go.Bar(
            x=list(counts),
            y=places,
            orientation="h",
            width=0.5,
            marker={"color": COLORS[0]},
            hovertext=[f"{shortened(label)}: {count:,} {name}" for label, count in zip(labels, counts, strict=True)],
            hovertemplate="%{hovertext}<extra></extra>",
        ),
        go.Bar(
            x=lost,
            y=places,
            orientation="h",
            width=0.5,
            marker={"color": "rgba(79,107,216,0.13)", "pattern": {"shape": "/", "fgcolor": "rgba(79,107,216,0.3)"}},
            text=[f"{gone:,} left" if gone else "" for gone in lost],
            textposition="inside",
            insidetextanchor="end",
            textangle=0,
            hovertext=[
                f"{gone:,} {name} left before {shortened(label)}" for label, gone in zip(labels, lost, strict=True)
            ],
            hovertemplate="%{hovertext}<extra></extra>",
        ),
    ]
    told = []
    for place, (label, count) in enumerate(zip(labels, counts, strict=True)):
        was = counts[place - 1] if place else 0
        of_last = f"step {100 * count / was:.1f} % · " if was else ""
        words = [(0, "left", f"<b>{shortened(label, 18)}</b> {count:,}")]
        if place:
            words.append((1, "right", f"{of_last}overall {100 * count / whole:.1f} %"))
        told += [
            {
                "x": x,
                "xref": "paper",
                "xanchor": side,
                "y": place - 0.27,
                "yanchor": "bottom",
                "text": text,
                "showarrow": False,
            }
            for x, side, text in words
        ]
    return figure(
        *traces,
        barmode="stack",
        showlegend=False,
        annotations=told,
        uniformtext={"mode": "hide", "minsize": 11},
        xaxis={"visible": False, "fixedrange": True, "range": [0, whole]},
        yaxis={"visible": False, "fixedrange": True, "range": [len(counts) - 0.7, -0.6]},
    )

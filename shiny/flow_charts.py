"""Pictures of ways: from step to step, and down a funnel."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import plotly.graph_objects as go

from charts import COLORS, figure, shortened


def funnel(labels: Sequence[str], counts: Sequence[int], *, name: str, notes: Sequence[str] = ()) -> go.Figure:
    """Steps from top to bottom. What left before a step is the pale rest of its bar; the words stand above the bars, so that
    they fit a phone. Notes take the
    place of the overall rates."""
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
            words.append((1, "right", of_last + (notes[place] if notes else f"overall {100 * count / whole:.1f} %")))
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

"""The widget in which a card shows its chart, for as long as the card lives."""

from __future__ import annotations

from functools import cache

import plotly
import plotly.graph_objects as go

from charts import LAYOUT

#: Below the dashboard's path; `asgi.py` serves it.
BUNDLE_FOLDER = f"plotly-{plotly.__version__}"
BUNDLE = f"{BUNDLE_FOLDER}/widgetbundle.js"


@cache
def _widget_class(bundle: str) -> type[go.FigureWidget]:
    """Plotly's widget carries its own JavaScript, five megabytes, with every single chart. This one names where it lies,
    so that a browser loads it once."""
    return type("Chart", (go.FigureWidget,), {"_esm": bundle})


def empty_widget(origin: str) -> go.FigureWidget:
    """The widget that a card keeps for its life. `origin` is where the browser sees this dashboard."""
    widget = _widget_class(f"{origin}/{BUNDLE}")()
    widget.update_layout({**LAYOUT, "xaxis": {"visible": False}, "yaxis": {"visible": False}})
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

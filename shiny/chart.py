"""The output in which a card shows its chart: a figure goes to the browser as JSON, and `www/chart.js` draws it.

Nothing of a chart is kept on the server.
"""

from __future__ import annotations

import plotly.graph_objects as go
from htmltools import Tag, tags
from shiny import module
from shiny.render.renderer import Jsonifiable, Renderer

from files import FILES

#: plotly.js with the kinds of chart that we draw, a third of the whole: `plotly_bundle/` of the checkout builds it.
LIBRARY = f"{FILES}/plotly/plotly.min.js"


def output_chart(id: str, height: str, *, is_clickable: bool) -> Tag:
    """The place of a chart. A clickable one says which place in it was clicked, as the input ID_place."""
    classes = "clickstream-chart clickable" if is_clickable else "clickstream-chart"
    return tags.div(id=module.resolve_id(id), class_=classes, style=f"height:{height}", data_library=LIBRARY)


class render_chart(Renderer[go.Figure]):
    """An output whose function gives a figure, or None for no chart."""

    def auto_output_ui(self) -> Tag:
        return output_chart(self.output_id, "360px", is_clickable=False)

    async def transform(self, value: go.Figure) -> Jsonifiable:
        return str(value.to_json(validate=False))

// The kinds of chart that the dashboard draws. plotly.js holds the lines and points (scatter) in its core.
import bar from "plotly.js/lib/bar";
import Plotly from "plotly.js/lib/core";
import heatmap from "plotly.js/lib/heatmap";
import sankey from "plotly.js/lib/sankey";

Plotly.register([bar, heatmap, sankey]);

export default Plotly;

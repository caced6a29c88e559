// A Shiny output that shows a plotly figure: drawn at first, updated in place afterwards.
(function () {
  const config = { displayModeBar: false, responsive: true };
  let loading;

  // The library is large. The page does not wait for it; the first chart does.
  function library(address) {
    loading ??= new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = address;
      script.onload = () => resolve(window.Plotly);
      script.onerror = () => reject(new Error(`${address} could not be loaded`));
      document.head.append(script);
    });
    return loading;
  }

  // Drawing takes the browser a quarter of a second a chart, in which it shows nothing: what has come before is shown first.
  // A tab in the background is shown no frame, and does not wait for one.
  function painted() {
    return new Promise((resolve) => {
      requestAnimationFrame(() => setTimeout(resolve));
      setTimeout(resolve, 100);
    });
  }

  // What was clicked is known by the label that its data has, else by its place on the axis.
  function tell(element, { customdata, x, y, data }) {
    const label = customdata ?? (data.orientation === "h" ? y : x);
    Shiny.setInputValue(`${element.id}_place`, String(label), { priority: "event" });
  }

  class Chart extends Shiny.OutputBinding {
    find(scope) {
      return $(scope).find(".clickstream-chart");
    }
    async renderValue(element, figure) {
      // No figure yet, as while it is being made: the library is not wanted for that, and half a second of the browser's.
      if (!figure) return element.matches(".js-plotly-plot") && window.Plotly.purge(element);
      await painted();
      const plotly = await library(element.dataset.library);
      const { data, layout } = JSON.parse(figure);
      await plotly.react(element, data, layout, config);
      element.removeAllListeners("plotly_click");
      if (element.matches(".clickable")) element.on("plotly_click", ({ points }) => tell(element, points[0]));
    }
    resize(element) {
      if (element.matches(".js-plotly-plot")) window.Plotly.Plots.resize(element);
    }
  }

  Shiny.outputBindings.register(new Chart(), "clickstream.chart");
})();

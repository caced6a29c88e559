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

  class Chart extends Shiny.OutputBinding {
    find(scope) {
      return $(scope).find(".clickstream-chart");
    }
    async renderValue(element, figure) {
      const plotly = await library(element.dataset.library);
      if (!figure) return plotly.purge(element);
      const { data, layout } = JSON.parse(figure);
      await plotly.react(element, data, layout, config);
    }
    resize(element) {
      if (element.matches(".js-plotly-plot")) window.Plotly.Plots.resize(element);
    }
  }

  Shiny.outputBindings.register(new Chart(), "clickstream.chart");
})();

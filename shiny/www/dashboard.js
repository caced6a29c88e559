// What Shiny has no input for: the browser's Back, and buttons that are made while the page lives.
(function () {
  const send = (name, value) => Shiny.setInputValue(name, value, { priority: "event" });

  window.addEventListener("popstate", () => send("back", { query: location.search }));

  document.addEventListener("click", (event) => {
    const chip = event.target.closest("[data-segment]");
    if (chip) send("remove", { segment: chip.dataset.segment, value: chip.dataset.value });
    const again = event.target.closest("[data-again]");
    if (again) send(again.dataset.again, Date.now());
  });

  document.addEventListener("DOMContentLoaded", () => {
    Shiny.addCustomMessageHandler("location", ({ query, mode }) => {
      if (query === location.search) return;
      history[mode === "push" ? "pushState" : "replaceState"](null, "", query);
    });
  });
})();

// What Shiny has no input for: the browser's Back, buttons that are made while the page lives, and which parts wait for rows.
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
    Shiny.addCustomMessageHandler("loading", ({ part, is_on }) => {
      const shown = document.getElementById(part);
      shown.classList.toggle("loading", is_on);
      if (!is_on) shown.classList.add("answered");
    });
    Shiny.addCustomMessageHandler("location", ({ query, mode }) => {
      if (query === location.search) return;
      history[mode === "push" ? "pushState" : "replaceState"](null, "", query);
    });
  });
})();

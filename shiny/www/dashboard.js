// What Shiny has no input for: the address and the browser's Back, buttons that are made while the page lives, which parts wait
// for rows, and a server that is gone.
(function () {
  const send = (name, value) => Shiny.setInputValue(name, value, { priority: "event" });
  const RETRY_MS = 1_000;
  // A page that is refused again at once must not load itself in a circle.
  const YOUNG_MS = 10_000;
  // How often Back was used. What the server says of the address before it has heard of the last time is old.
  let backs = 0;

  window.addEventListener("popstate", () => send("back", { query: location.search, number: (backs += 1) }));

  document.addEventListener("click", (event) => {
    const chip = event.target.closest("[data-segment]");
    if (chip) send("remove", { segment: chip.dataset.segment, value: chip.dataset.value });
    const again = event.target.closest("[data-again]");
    if (again) send(again.dataset.again, Date.now());
    const step = event.target.closest("[data-step]");
    if (step) addStep(step.dataset.step, step.closest(".editor").querySelector("textarea"));
    const copy = event.target.closest("[data-copy]");
    if (copy) navigator.clipboard?.writeText(document.getElementById(copy.dataset.copy).textContent);
    const box = event.target.closest(".bslib-value-box:has([data-chooses])");
    if (box && !event.target.closest(".explain, .popover")) choose(box.querySelector("[data-chooses]").dataset);
    const page = event.target.closest("[data-page]");
    if (page) bootstrap.Tab.getOrCreateInstance(document.querySelector(`#page [data-value="${page.dataset.page}"]`)).show();
    const file = event.target.closest("[data-csv]");
    if (file) file.href = file.dataset.csv + location.search;
  });

  // Whoever follows a link from far down a page begins at the head of the next one.
  document.addEventListener("shown.bs.tab", (event) => {
    if (event.target.closest("#page")) window.scrollTo({ top: 0, behavior: "instant" });
  });

  function addStep(name, area) {
    area.value = [...area.value.split("\n").filter((line) => line.trim()), name].join("\n");
    $(area).trigger("change");
    area.scrollTop = area.scrollHeight;
  }
  // A box may choose what a card shows; it is marked while the card shows it.
  function choose({ chooses, value }) {
    $(select(chooses)).val(value).trigger("change");
    markChosen();
  }

  const select = (id) => document.querySelector(`[id="${id}"] select`);

  function markChosen() {
    for (const name of document.querySelectorAll("[data-chooses]")) {
      const isChosen = select(name.dataset.chooses)?.value === name.dataset.value;
      name.setAttribute("aria-pressed", isChosen);
      name.closest(".bslib-value-box").classList.toggle("chosen", isChosen);
    }
  }

  // A rate of few has its interval on the hover: cards.py writes it into the cell's classes.
  document.addEventListener("pointerover", (event) => {
    const cell = event.target.closest?.("td.few");
    const [, low, high, whole] = cell?.className.match(/between-(\d+)-(\d+)-(\d+)/) ?? [];
    if (whole) cell.title = `95 %: ${(low / 100).toFixed(2)} % to ${(high / 100).toFixed(2)} %, of ${whole}`;
  });

  // The grid sorts by what it was sent, so numbers reach it plain. A reader gets 1,234.50 and −1,234.50.
  function groupThousands(table) {
    for (const cell of table.querySelectorAll("td.number")) {
      const [number, decimals] = cell.textContent.match(/^-?\d{4,}(?:\.(\d+))?$/) ?? [];
      const digits = decimals?.length ?? 0;
      if (number) cell.firstChild.data = Number(number).toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
      if (cell.textContent.startsWith("-")) cell.firstChild.data = cell.firstChild.data.replace("-", "−");
    }
  }

  document.addEventListener("DOMContentLoaded", () => {
    for (const table of document.querySelectorAll("shiny-data-frame"))
      new MutationObserver(() => groupThousands(table)).observe(table, { childList: true, characterData: true, subtree: true });

    // The document is the same for everybody; the page that the address names is opened before Shiny looks at it.
    const asked = new URLSearchParams(location.search).get("page");
    const link = [...document.querySelectorAll("#page [data-value]")].find((each) => each.dataset.value === asked);
    if (link) bootstrap.Tab.getOrCreateInstance(link).show();

    Shiny.addCustomMessageHandler("told", ({ number }) => send("shown", number));
    Shiny.addCustomMessageHandler("loading", ({ part, is_on }) => {
      const shown = document.getElementById(part);
      shown.classList.toggle("loading", is_on);
      if (!is_on) shown.classList.add("answered");
    });
    Shiny.addCustomMessageHandler("location", ({ query, mode, number }) => {
      if (query === location.search || number < backs) return;
      history[mode === "push" ? "pushState" : "replaceState"](null, "", query);
    });
    $(document).on("shiny:disconnected", reconnect);
    $(document).on("shiny:value shiny:idle shiny:bound", () => setTimeout(markChosen));
    $(document).on("change", "select", markChosen);
    markChosen();
  });

  // How old something is, as formats.py says it: it goes on while the page is looked at.
  const UNITS = [[90, 1, "s", 0], [5_400, 60, "min", 0], [172_800, 3_600, "h", 1], [Infinity, 86_400, "d", 1]];
  setInterval(() => {
    for (const age of document.querySelectorAll("time[data-age]")) {
      const seconds = Math.max(0, (Date.now() - Date.parse(age.dateTime)) / 1_000);
      const [, divisor, unit, digits] = UNITS.find(([limit]) => seconds < limit);
      age.textContent = `${(seconds / divisor).toFixed(digits)} ${unit}`;
    }
  }, 5_000);

  // All that a tab shows is in its address: a new load brings it back. A page that is being left is not in need of it.
  let isLeft = false;
  window.addEventListener("pagehide", () => (isLeft = true));
  window.addEventListener("pageshow", (event) => event.persisted && window.location.reload());

  async function reconnect() {
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS / 2));
    if (isLeft) return;
    document.getElementById("connection-lost").hidden = false;
    if (performance.now() < YOUNG_MS) await new Promise((resolve) => setTimeout(resolve, YOUNG_MS));
    for (;;) {
      const answer = await fetch("../healthz", { cache: "no-store" }).catch(() => null);
      if (answer?.ok) return window.location.reload();
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
})();

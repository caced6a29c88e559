/** For the panel "What was sent": writes down what passes by on the way to the collector, in this tab only. It stands before
 * the tracker, which takes `fetch` as it finds it. */
(() => {
  const KEY = "bitforge.sent";
  const MOST = 120;
  const { fetch } = window;
  const beacon = navigator.sendBeacon;
  let entries = read(KEY) ?? [];

  window.sentLog = Object.assign(new EventTarget(), {
    entries: () => entries,
    clear: () => write([]),
    isOpen: () => read(`${KEY}.open`) ?? false,
    setOpen: (isOpen) => store(`${KEY}.open`, isOpen),
  });

  window.fetch = (...given) => {
    const answer = fetch.apply(window, given);
    const batch = batchOf(given[1]?.body);
    if (batch) follow(batch, answer);
    return answer;
  };

  navigator.sendBeacon = (url, body) => {
    const batch = batchOf(body);
    if (batch) note(batch, "handed over as the page closed");
    return beacon.call(navigator, url, body);
  };

  async function follow(batch, answer) {
    note(batch, "waiting for an answer");
    try {
      const response = (await answer).clone();
      const { rejected, errors } = await response.json();
      const isWhole = response.status == 200 && !rejected;
      note(batch, isWhole ? "accepted" : `${response.status}: ${errors?.map(({ code }) => code).join(", ")}`);
    } catch {
      note(batch, "no answer, will be sent again");
    }
  }

  /** One entry for each event, however often it is sent. */
  function note(batch, answer) {
    const known = new Map(entries.map((entry) => [entry.event.event_id, entry]));
    for (const event of batch) known.set(event.event_id, { event, answer });
    write([...known.values()].slice(-MOST));
  }

  function write(all) {
    entries = all;
    store(KEY, all);
    window.sentLog.dispatchEvent(new Event("change"));
  }

  function batchOf(body) {
    try {
      return JSON.parse(body).events;
    } catch {
      return undefined; // not the tracker's
    }
  }

  function read(key) {
    try {
      return JSON.parse(sessionStorage.getItem(key));
    } catch {
      return undefined;
    }
  }

  function store(key, value) {
    try {
      sessionStorage.setItem(key, JSON.stringify(value));
    } catch {
      // Without storage the panel knows this page only.
    }
  }
})();

/** The typed calls, and what is watched without being called. */
import { hearTabs, isLevel, tellTabs } from "./consent.js";
import { flush, leave, prove, retryNow } from "./delivery.js";
import { watchEngagement } from "./engagement.js";
import { emit, letGo, setLevel, waiting } from "./events.js";
import { reset, setUser } from "./identity.js";
import { watchLinks } from "./links.js";
import { leavePage, viewPage, watchPages } from "./pages.js";
import { on, quiet } from "./safe.js";
import { drop, state, stats } from "./state.js";
import { all } from "./store.js";
import type { Fields, Options, Tracker } from "./types.js";

let tracker: Tracker | undefined;

/** Begin. A second call gives the tracker of the first. */
export function start(options: Options = {}): Tracker {
  if (!tracker) {
    tracker = made();
    guarded(begin)(options);
  }
  return tracker;
}

function begin(options: Options): void {
  const { consent = "granted", engagement, spa, links } = options;
  state.options = options;
  setLevel(isLevel(consent) ? consent : "none");
  hearTabs((level) => setLevel(level, true));
  watchLeaving();
  if (engagement != "off") watchEngagement();
  if (spa != "off") watchPages();
  if (links != "off") watchLinks();
  viewPage();
}

/** A page is kept for the way back only if it has no `unload` and no `beforeunload`, and asks for no lock as it goes. */
function watchLeaving(): void {
  let isGone = false;
  on(document, "visibilitychange", () => {
    if (!document.hidden || isGone) return;
    leavePage();
    letGo();
    void flush();
  });
  on(window, "pagehide", () => {
    isGone = true;
    leavePage();
    letGo();
    leave();
  });
  on(window, "pageshow", ({ persisted }: PageTransitionEvent) => {
    isGone = false;
    if (persisted) viewPage();
  });
  on(window, "online", retryNow);
}

/** No call throws; what goes wrong is counted. A page that is made ready before anyone asks for it may never be seen: until
 * it is, nothing happens at all. */
function guarded(work: (...given: any[]) => void): (...given: any[]) => void {
  return (...given) => {
    try {
      if ((document as { prerendering?: boolean }).prerendering)
        on(document, "prerenderingchange", () => work(...given));
      else work(...given);
    } catch {
      drop("failed");
    }
  };
}

/** Each is the event of its own name, in snake case. */
const EVENTS: Record<string, (...given: any[]) => Fields | undefined> = {
  viewProduct: (product) => ({ product }),
  addToCart: (product, quantity = 1) => ({ product, quantity }),
  removeFromCart: (product, quantity = 1) => ({ product, quantity }),
  checkout: (order) => ({ order }),
  purchase: (order) => ({ order }),
  refund: (order) => ({ order }),
  search: (search_query, props) => ({ search_query, props }),
  click: (element, props) => ({ props: { element, ...props } }),
};

const CALLS: Record<string, (...given: any[]) => void> = {
  pageView: viewPage,
  track: (name, fields) => emit(name, fields),
  login(given) {
    const payload = /^eyJ[^.]*\.([^.]+)/.exec(given)?.[1];
    const decoded = () => JSON.parse(atob(payload!.replace(/-/g, "+").replace(/_/g, "/")));
    const id = payload ? quiet(decoded)?.sub : "" + given;
    prove(payload && given, id);
    // A visitor who may not be known would sign in on every page.
    if (id && setUser(id, payload ? "id_token" : "login") && state.level != "essential") emit("login");
  },
  logout(options) {
    letGo();
    reset(options?.client);
  },
  consent(level) {
    if (!isLevel(level)) return;
    setLevel(level, true);
    tellTabs(level);
  },
  push(...given) {
    given.forEach(guarded(([name, ...rest]) => (tracker as any)[name]?.(...rest)));
  },
};

function made(): Tracker {
  const sendNow = () => (letGo(), flush());
  const calls: any = { stats, flush: sendNow, pending: () => all().then(({ length }) => length + waiting.length) };
  for (const name in CALLS) calls[name] = guarded(CALLS[name]!);
  for (const name in EVENTS) {
    const event = name.replace(/[A-Z]/g, "_$&").toLowerCase();
    calls[name] = guarded((...given) => emit(event, EVENTS[name]!(...given)));
  }
  return calls;
}

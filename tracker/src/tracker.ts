/** The typed calls, and what is watched without being called. */
import { hearTabs, isLevel, tellTabs } from "./consent";
import { beforeSending, comeBack, flush, leave, retryNow, sendTo } from "./delivery";
import { watchEngagement } from "./engagement";
import { configure, emit, letGo, mayStore, setLevel } from "./events";
import { endSession, setUser, useCookieDomain } from "./identity";
import { watchLinks } from "./links";
import { leavePage, viewPage, watchPages } from "./pages";
import { ignore, on, quiet } from "./safe";
import { drop, stats } from "./stats";
import { all } from "./store";
import type { Consent, Fields, Options, PlacedOrder, Props, ShownProduct, Tracker } from "./types";
import { watchVitals } from "./vitals";

let tracker: Tracker | undefined;

/** Begin. A second call gives the tracker of the first. */
export function start(options: Options = {}): Tracker {
  if (tracker) return tracker;
  tracker = calls();
  whenSeen(() => begin(options));
  return tracker;
}

function begin(options: Options): void {
  sendTo(options.endpoint || "/clickstream");
  useCookieDomain(options.cookieDomain);
  configure(options);
  beforeSending(letGo);
  setLevel(isLevel(options.consent) ? options.consent : options.consent ? "none" : "granted");
  hearTabs((level) => setLevel(level, true));
  watchLeaving();
  if (options.engagement != "off") quiet(watchEngagement);
  if (options.vitals == "on") quiet(watchVitals);
  watchPages(options.spa != "off");
  if (options.links != "off") watchLinks();
}

/** No `unload` and no `beforeunload`: a page with either is never kept for the way back. */
function watchLeaving(): void {
  on(document, "visibilitychange", () => {
    if (!document.hidden) return;
    leavePage();
    void flush();
  });
  on(window, "pagehide", () => {
    leavePage();
    letGo();
    leave();
  });
  on(window, "pageshow", ({ persisted }: PageTransitionEvent) => persisted && comeBack());
  on(window, "online", retryNow);
}

/** A page that is made ready before anyone asks for it may never be seen: until it is, nothing happens at all. */
function whenSeen(work: () => unknown): unknown {
  if (!(document as { prerendering?: boolean }).prerendering) return work();
  on(document, "prerenderingchange", work, { once: true });
  return undefined;
}

/** No call throws. What goes wrong is counted. */
function guarded<T extends unknown[]>(work: (...given: T) => void): (...given: T) => void {
  return (...given) => {
    try {
      whenSeen(() => work(...given));
    } catch {
      drop("failed");
    }
  };
}

function calls(): Tracker {
  const about = (name: string) => guarded((order: PlacedOrder | undefined) => emit(name, order && { order }));
  const cart = (name: string) =>
    guarded((product: ShownProduct, quantity?: number) => emit(name, { product, quantity: quantity ?? 1 }));
  const made: Tracker = {
    stats,
    pageView: guarded((fields?: Fields) => viewPage(fields)),
    viewProduct: guarded((product: ShownProduct) => emit("view_product", { product })),
    addToCart: cart("add_to_cart"),
    removeFromCart: cart("remove_from_cart"),
    checkout: about("checkout"),
    purchase: about("purchase"),
    refund: about("refund"),
    search: guarded((query: string, props?: Props) => emit("search", { search_query: query, ...(props && { props }) })),
    click: guarded((element: string, props?: Props) => emit("click", { props: { element, ...props } })),
    track: guarded((name: string, fields?: Fields) => emit(name, fields)),
    login: guarded((given: string) => {
      const [id, source] = userOf("" + given);
      if (id && setUser(id, source, mayStore())) emit("login");
    }),
    logout: guarded((options?: { client?: boolean }) => {
      letGo();
      setUser("", "", mayStore());
      endSession(options?.client);
    }),
    consent: guarded((level: Consent) => {
      if (!isLevel(level)) return;
      setLevel(level, true);
      tellTabs(level);
    }),
    flush: () => flush().catch(ignore),
    pending: () => all().then(({ length }) => length, () => 0),
    push: (...given) =>
      given.forEach(([name, ...rest]) => quiet(() => (made as unknown as Record<string, (...some: unknown[]) => void>)[name]!(...rest))),
  };
  return made;
}

/** The `sub` of an ID token, or the id that was given. */
function userOf(given: string): [id: string, source: string] {
  const payload = given.split(".")[1];
  const claims = /^eyJ/.test(given) && payload && quiet(() => JSON.parse(atob(payload.replace(/-/g, "+").replace(/_/g, "/"))));
  if (!claims) return [given, "login"];
  return ["" + (claims.sub ?? ""), /cognito/.test(claims.iss) ? "cognito" : "id_token"];
}

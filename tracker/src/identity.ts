/** Who visits: one cookie that all tabs share, `1.client.session.seen.first.source.user`. */
import { now, quiet, uuid } from "./safe";

const NAME = "_cs";
const MAX_AGE = 400 * 24 * 3_600; // browsers allow no more
const IDLE = 30 * 60;
const PATTERN = /(?:^|; )_cs=1\.([\w-]{36})\.([\w-]{36})\.(\d+)\.([01])\.(\w*)\.([^;]*)/;

interface Visitor {
  client: string;
  session: string;
  seen: number; // in seconds
  isFirst: boolean;
  source: string;
  user: string;
}

let domain = "";
let memory: Visitor | undefined; // where nothing can be stored
let pageSession: string | undefined; // where nothing may be stored
let user = "";
let source = "";

export function useCookieDomain(name: string | undefined): void {
  domain = name ? "; domain=" + name : "";
}

/** The fields that say who. `undefined` where the session is over and this event must not begin another. */
export function identify(isStored: boolean, mayBegin = true, time = now()): Record<string, unknown> | undefined {
  if (!isStored) return { session_id: (pageSession ??= uuid(time)) };
  const seconds = Math.floor(time / 1_000);
  const known = read();
  const isOver = !known || Math.abs(seconds - known.seen) > IDLE; // far ahead: a clock that was set right since
  if (isOver && known && !mayBegin) return undefined;
  const visitor = { ...(known ?? { client: uuid(time), source, user }) } as Visitor;
  if (isOver) {
    visitor.isFirst = !known;
    visitor.session = (!known && pageSession) || uuid(time);
  }
  if (isOver || seconds > visitor.seen) write({ ...visitor, seen: seconds }, isOver);
  return fields(visitor);
}

/** From now on this user, on all pages; with an empty id, nobody. Says whether that is news. */
export function setUser(id: string, from: string, isStored: boolean): boolean {
  const known = isStored ? read() : undefined;
  const isNews = id !== (known ? known.user : user);
  user = id;
  source = from;
  if (known && isNews) write({ ...known, user, source }, true);
  return isNews;
}

/** The next event begins a session, or is of a new visitor. */
export function endSession(isNewVisitor: boolean | undefined): void {
  pageSession = undefined;
  const known = read();
  if (known) isNewVisitor ? forget() : write({ ...known, seen: 0 }, true);
}

/** Remove everything that is stored of the visitor. */
export function forget(): void {
  memory = undefined;
  quiet(() => (document.cookie = `${NAME}=; path=/; max-age=0${domain}`));
  quiet(() => localStorage.removeItem(NAME));
}

function fields(visitor: Visitor): Record<string, unknown> {
  const isKnown = visitor.user !== "";
  return {
    client_id: visitor.client,
    session_id: visitor.session,
    ...(isKnown && { user_id: visitor.user }),
    user_login_state: isKnown ? "logged_in" : "guest",
    identity_source: isKnown ? visitor.source : "cookie",
    is_first_visit: visitor.isFirst,
  };
}

function read(): Visitor | undefined {
  // The copy is for browsers that refuse the cookie.
  const found =
    quiet(() => PATTERN.exec(document.cookie)) || quiet(() => PATTERN.exec(NAME + "=" + localStorage.getItem(NAME)));
  if (!found) return memory;
  const [, client, session, seen, first, from, name] = found as unknown as string[];
  return {
    client: client!,
    session: session!,
    seen: +seen!,
    isFirst: first === "1",
    source: from!,
    user: quiet(() => decodeURIComponent(name!)) || "",
  };
}

function write(visitor: Visitor, isNews: boolean): void {
  memory = visitor;
  const { client, session, seen, isFirst } = visitor;
  const text = ["1", client, session, seen, +isFirst, visitor.source, encodeURIComponent(visitor.user)].join(".");
  const secure = location.protocol == "https:" ? "; secure" : "";
  quiet(() => (document.cookie = `${NAME}=${text}; path=/; max-age=${MAX_AGE}; samesite=lax${domain}${secure}`));
  const isKept = quiet(() => document.cookie.includes(text));
  if (isNews || !isKept) quiet(() => localStorage.setItem(NAME, text));
}

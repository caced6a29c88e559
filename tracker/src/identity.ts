/** Who visits: one cookie that all tabs share, `1:client:session:seen:first:source:user`. Where it is refused, or may not be
 * used, the same in this page's memory. */
import { now, quiet, uuid } from "./safe.js";
import { mayStore, state } from "./state.js";

const MAX_AGE = 34_560_000; // 400 days; browsers allow no more
const IDLE = 1_800;
const PATTERN = /(^|; )_cs=1:([\w-]{36}:[\w-]{36}:\d+:[01]:\w*:[^;:]*)/;

type Visitor = [client: string, session: string, seenSeconds: string, isFirst: string, source: string, user: string];

let memory: Visitor | undefined;

/** The fields that say who. `undefined` where the session is over and this event must not begin another. */
export function identify(time: number, mayBegin: boolean): Record<string, unknown> | undefined {
  const seconds = Math.floor(time / 1_000);
  let [client, session, seen, isFirst, source, user] = read() ?? [uuid(time), "", "", "1", "", ""];
  // Far ahead is as far: a clock that has been set right since.
  if (Math.abs(seconds - +seen) > IDLE) {
    if (session && !mayBegin) return undefined;
    isFirst = session ? "0" : "1";
    session = uuid(time);
  }
  if (seconds != +seen) write([client, session, "" + seconds, isFirst, source, user]);
  return mayStore()
    ? {
        client_id: client,
        session_id: session,
        user_id: user || undefined,
        user_login_state: user ? "logged_in" : "guest",
        identity_source: source || "cookie",
        is_first_visit: isFirst == "1",
      }
    : { session_id: session };
}

/** From now on this user, on all pages; with an empty id, nobody. Says whether that is news. */
export function setUser(id: string, source: string): boolean {
  identify(now(), true);
  const visitor = read()!;
  if (visitor[5] == id) return false;
  write([...visitor.slice(0, 4), source, id] as Visitor);
  return true;
}

/** The next event begins a session, and is nobody's; or it is of a new visitor. */
export function reset(isNewVisitor: boolean | undefined): void {
  const visitor = read();
  if (isNewVisitor) forget();
  else if (visitor) write([visitor[0], visitor[1], "0", "0", "", ""]);
}

/** Remove everything that is stored of the visitor. */
export function forget(): void {
  memory = undefined;
  setCookie("", 0);
}

function read(): Visitor | undefined {
  const parts = () => PATTERN.exec(document.cookie)![2]!.split(":").map(decodeURIComponent) as Visitor;
  return (mayStore() && quiet(parts)) || memory;
}

function write(visitor: Visitor): void {
  memory = undefined;
  if (mayStore()) setCookie("1:" + visitor.map(encodeURIComponent).join(":"), MAX_AGE);
  if (!read()) memory = visitor;
}

function setCookie(text: string, maxAge: number): void {
  const { cookieDomain } = state.options;
  const domain = cookieDomain ? "; domain=" + cookieDomain : "";
  const secure = location.protocol == "https:" ? "; secure" : "";
  if (domain) quiet(() => (document.cookie = "_cs=; path=/; max-age=0"));
  quiet(() => (document.cookie = `_cs=${text}; path=/; max-age=${maxAge}; samesite=lax${domain}${secure}`));
}

/** Where to go after signing in: a page of this shop, whatever a link says. */
import { origin } from "./settings";

export function ownPath(wanted: string | null): string {
  const home = origin();
  if (!wanted || !URL.canParse(wanted, home)) return "/";
  const target = new URL(wanted, home);
  return target.origin === home ? target.pathname + target.search : "/";
}

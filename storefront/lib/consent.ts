/** What the visitor has chosen, as the tracker names it; kept in a cookie that the server reads, so that it asks only once. */
import type { Consent } from "clickstream-tracker";

export const CONSENT_COOKIE = "consent";
const DAYS = 180;

export const CHOICES: Record<Consent, string> = { granted: "Accept all", essential: "Count me without an id", none: "No" };

export const isChoice = (text: string | undefined): text is Consent => text != null && Object.hasOwn(CHOICES, text);

export function keepChoice(choice: Consent): void {
  const secure = location.protocol == "https:" ? "; secure" : "";
  document.cookie = `${CONSENT_COOKIE}=${choice}; path=/; max-age=${DAYS * 86_400}; samesite=lax${secure}`;
}

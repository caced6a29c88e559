/** Events as JSON without what is personal: rules of the collector, applied before anything leaves the page. */

const { stringify } = JSON;

// Parameters and properties whose name ends in one of these words: the common ones of the collector's
// ingest_lambda/personal.py, which removes the rarer ones before it stores anything.
const PERSONAL =
  /(^|_)(e?mail|passw?(or)?d?|pwd|address|street|(first|last|full|sur)_?name|birth_?da\w+|(zip|post)_?code|iban|card_?number|cv[vc]|token|secret|auth|jwt|otp|api_?key|((tele)?phone|mobile|tel)(_?n\w+)?)[_\d]*$/;
const PARAM = /([?&#;]([^=&#;?]+)=)[^&#;]+/g;
// The part before the @ is bounded: without it, a long word would be read over and over.
const EMAIL_OR_TOKEN = /[^\s@/?&=:;,"<>]{1,64}(@|%40)[\w-]+(\.[\w-]+)+|\beyJ[\w-]{8,}\.[\w.-]+/g;
const REMOVED = "[removed]";
/** As much as is taken of a whole event: what is longer is refused, and not read first. */
const MOST = 60_000;

const isPersonal = (name: string): boolean =>
  PERSONAL.test(name.replace(/([a-z])([A-Z])|(%..|\W)+/g, "$1_$2").toLowerCase());

/** A text, above all an address, without personal parameters, e-mail addresses and tokens. */
const clean = (text: string): string =>
  text
    .replace(PARAM, (whole, before: string, name: string) => (isPersonal(name) ? before + REMOVED : whole))
    .replace(EMAIL_OR_TOKEN, REMOVED);

/** JSON of an object. Plain values are read from where they stand, since pages patch what they become on the way
 * (`Array.prototype.toJSON`); a date or a decimal says itself what it becomes. */
export const json = (root: object, isRaw?: boolean): string =>
  stringify(root, function (this: any, name: string, becomes: unknown): unknown {
    let value = this[name];
    if (isPersonal(name)) return undefined;
    if (typeof value == "object" && ![Object, Array].includes(value?.constructor)) value = becomes;
    return typeof value == "string" && !isRaw ? clean(value.slice(0, MOST)) : value;
  });

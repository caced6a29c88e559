/** Events as JSON without what is personal: the collector's rules, applied before anything leaves the page. */

// Names that end in one of these words, or are one of them. The collector's list is ingest_lambda/personal.py.
const PERSONAL =
  /(^|_)(e_?mail|phone|tel|pass(word|wd|phrase)|pwd|address|street|ssn|iban|cv[vc]|token|secret|authorization|credentials?|api_?key|ip|(first|last|full|middle|maiden|sur)_?name|(date_?of_?)birth(_?da(y|te))?|birth_?da(y|te)|address_?line|(zip|post|postal)_?code|(remote|ip)_?addr|(credit|debit)_?card|(phone|mobile|tel|card|cc|account|passport)_?(number|no)|(secret|private|api)_?key)$|^(mail|mobile|fax|dob|zip|post|postal|lat|lng|lon|latitude|longitude|addr|card|bic|passport|pin|otp|auth|jwt|bearer)$/;
const PARAM = /([?&#;]([^=&#;?]+)=)[^&#;]+/g;
const EMAIL = /[^\s@/?&=:;,"<>()[\]]+(@|%40)[\w-]+(\.[\w-]+)+/g;
const TOKEN = /\beyJ[\w-]{8,}\.[\w-]{4,}(\.[\w-]*)?/g;
const USERINFO = /:\/\/[^/?#\s@]+@/;

/** Beyond these an object is no event's: a page's element, say, leads to the whole page. */
const MAX_DEPTH = 8;
const MAX_VALUES = 5_000;

const isPersonal = (name: string): boolean =>
  PERSONAL.test(name.replace(/([a-z\d])([A-Z])/g, "$1_$2").replace(/\W+/g, "_").replace(/\d+$/, "").toLowerCase());

/** A text, above all an address, without personal parameters, e-mail addresses and tokens. */
export function clean(text: string): string {
  return text
    .replace(PARAM, (whole, before: string, name: string) => (isPersonal(name) ? before + "[removed]" : whole))
    .replace(USERINFO, "://")
    .replace(EMAIL, "[email]")
    .replace(TOKEN, "[token]");
}

const quote = (text: string): string =>
  '"' + text.replace(/["\\\0-\x1f]/g, (mark) => "\\u" + mark.charCodeAt(0).toString(16).padStart(4, "0")) + '"';

/** JSON of an object. Not the browser's own: pages patch it (`Array.prototype.toJSON`), and it throws on cycles. */
export function json(root: object, isRaw?: boolean): string {
  let room = MAX_VALUES;
  const write = (value: any, depth: number): string | undefined => {
    if (depth > MAX_DEPTH || room-- < 0) return undefined;
    if (typeof value == "string") return quote(isRaw ? value : clean(value));
    if (value === null || value !== value || value === Infinity || value === -Infinity) return "null";
    if (/^(n|bo|bi)/.test(typeof value)) return "" + value;
    if (typeof value != "object") return undefined;
    if (value instanceof Date) return write(+value, depth);
    if (Array.isArray(value)) return `[${value.map((held) => write(held, depth + 1) || "null")}]`;
    const members = Object.keys(value).map((name) => {
      const text = isPersonal(name) ? undefined : write(value[name], depth + 1);
      return text && quote(name) + ":" + text;
    });
    return `{${members.filter(Boolean)}}`;
  };
  return write(root, 0)!;
}

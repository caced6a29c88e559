/** Markup from templates. Every value is escaped, but markup that was made here. */
class Markup {
  constructor(text) {
    this.text = text;
  }
}

const ESCAPES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

function plain(value) {
  if (value instanceof Markup) return value.text;
  if (Array.isArray(value)) return value.map(plain).join("");
  return value == null || value === false ? "" : String(value).replace(/[&<>"']/g, (sign) => ESCAPES[sign]);
}

export const html = (parts, ...values) => new Markup(String.raw({ raw: parts }, ...values.map(plain)));
export const part = (id) => document.getElementById(id);
/** Put markup into an element, in place of what is there. */
export const show = (id, markup) => (part(id).innerHTML = plain(markup));
/** What the page was served with. */
export const data = () => JSON.parse(part("data").textContent);
/** A sentence for a moment, which screen readers hear. */
export function say(sentence) {
  show("said", sentence);
  clearTimeout(say.timer);
  say.timer = setTimeout(() => (part("said").textContent = ""), 6_000);
}

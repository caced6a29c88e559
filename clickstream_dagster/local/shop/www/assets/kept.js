/** What the shop itself keeps in this browser: cart, orders, sign-in, consent. In memory where storage is denied. */
const memory = {};

export function kept(name, otherwise) {
  try {
    return JSON.parse(localStorage.getItem(`bitforge.${name}`)) ?? otherwise;
  } catch {
    return memory[name] ?? otherwise;
  }
}

export function keep(name, value) {
  memory[name] = value;
  try {
    localStorage.setItem(`bitforge.${name}`, JSON.stringify(value));
  } catch {
    // The page works on; the next one starts anew.
  }
}

/** Show again when another tab has changed something, and on the way back to a page that was kept as it was left. */
export function showAndFollow(render) {
  addEventListener("storage", render);
  addEventListener("pageshow", ({ persisted }) => persisted && render());
  render();
}

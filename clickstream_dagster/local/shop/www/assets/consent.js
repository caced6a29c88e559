/** What the visitor has agreed to. The tag says `data-consent="none"`; a choice is kept here, and told on each page. */
import { part, say } from "./html.js";
import { keep, kept } from "./kept.js";
import { tell } from "./tell.js";

const SAID = { granted: "Thank you. Your visit counts.", essential: "Counted, without an id.", none: "Nothing is stored or sent." };

export const level = () => kept("consent", null);

/** Tell the tracker what was chosen before, or ask. */
export function tellConsent() {
  if (level()) tell("consent", level());
  else open();
}

/** `changed` is called after each choice. */
export function watchConsent(changed) {
  part("open-consent").addEventListener("click", open);
  part("consent").addEventListener("click", ({ target }) => {
    const chosen = target.closest("button")?.dataset.level;
    if (!chosen) return;
    keep("consent", chosen);
    tell("consent", chosen);
    if (chosen != "granted") window.sentLog.clear(); // it remembers ids
    part("consent").hidden = true;
    say(SAID[chosen]);
    changed();
  });
}

function open() {
  for (const button of part("consent").querySelectorAll("button"))
    button.setAttribute("aria-pressed", button.dataset.level == level());
  part("consent").hidden = false;
}

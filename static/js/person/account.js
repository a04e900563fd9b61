// A person's own page: a saved preference takes effect at once, and typed text is not lost without a question.

import { zoneChanged } from "../time/times.js";
import { hasTyped } from "./person.js";

const root = document.documentElement;
// Without an attribute.
/** @type {Record<string, string>} */
const USUAL = { theme: "system", density: "standard", zone: "", shortcuts: "on" };

/** @param {HTMLFormElement} form */
function apply(form) {
  for (const name of (form.dataset.preferences ?? "").split(" ").filter(Boolean)) {
    const value = form.dataset[name] ?? USUAL[name];
    if (value === USUAL[name]) delete root.dataset[name];
    else root.dataset[name] = value;
  }
}

function applyAll() {
  const zone = root.dataset.zone;
  for (const form of document.querySelectorAll("form[data-preferences]")) apply(/** @type {HTMLFormElement} */ (form));
  if (root.dataset.zone !== zone) zoneChanged();
}

/** @param {BeforeUnloadEvent} event */
function ask(event) {
  if ([...document.querySelectorAll("form[data-guard]")].some(hasTyped)) event.preventDefault();
}

export function start() {
  if (!document.querySelector("form[data-preferences]")) return;
  document.addEventListener("htmx:after:swap", applyAll);
  window.addEventListener("beforeunload", ask);
}

// Toasts: what was just done, with its way back. A toast stays for ten seconds, and while a person points at it or has
// the focus in it. `Z` undoes the newest action that was not undone; the one before it follows at the next press.

import htmx from "htmx.org";

const LASTS_S = 10;
const KEPT_MS = 240_000;

/** @typedef {{form: HTMLFormElement, at: number}} Way */

/** @type {Way[]} newest last */
let ways = [];
/** @type {WeakSet<Element>} */
const known = new WeakSet();

const slot = () => document.getElementById("toasts");

/** @param {Element} toast */
const isInUse = (toast) => toast.matches(":hover") || toast.contains(document.activeElement);

/** @param {Element} toast */
function countDown(toast) {
  let left = LASTS_S;
  const output = toast.querySelector(".left");
  const timer = setInterval(() => {
    if (!toast.isConnected) return clearInterval(timer);
    if (isInUse(toast)) return;
    left -= 1;
    if (output) output.textContent = `0:${String(Math.max(0, left)).padStart(2, "0")}`;
    if (left <= 0) toast.remove();
  }, 1000);
}

function look() {
  for (const toast of slot()?.querySelectorAll("[data-toast]") ?? []) {
    if (known.has(toast)) continue;
    known.add(toast);
    const form = toast.querySelector("form");
    if (form) ways.push({ form, at: performance.now() });
    form?.addEventListener("submit", () => forget(form));
    countDown(toast);
  }
}

/** @param {HTMLFormElement} form */
const forget = (form) => {
  ways = ways.filter((way) => way.form !== form);
};

/** Submits the way back of the newest action, also if its toast is gone. */
export function undo() {
  ways = ways.filter(({ at }) => performance.now() - at < KEPT_MS);
  const way = ways.pop();
  if (!way) return false;
  const { form } = way;
  if (!form.isConnected) {
    form.hidden = true;
    document.body.append(form);
    htmx.process(form);
    document.addEventListener("htmx:after:request", () => form.remove(), { once: true });
  }
  form.requestSubmit();
  return true;
}

export function start() {
  const place = slot();
  if (!place) return;
  new MutationObserver(look).observe(place, { childList: true, subtree: true });
  look();
}

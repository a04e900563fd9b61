// Which alert or incident the person is at, told to colleagues as long as it lasts; and their own name kept from themselves.

import { say } from "../live/frames.js";
import { isField } from "./person.js";

const REPEAT_MS = 5000;
// The server closes the socket of whoever says it more often than four times a second.
const MIN_MS = 400;
const TYPED_MS = 4000;
// Whoever has not touched anything for so long has gone.
const IDLE_MS = 120_000;

/** @typedef {{ask: "at", alert?: number, incident?: number, doing: "looking" | "typing" | "nothing"}} At */

let typedAt = Number.NEGATIVE_INFINITY;
let touchedAt = 0;
let said = "";
let saidAt = 0;
let timer = 0;

/**
 * As "alert-7" or "incident-7": what a row is, a dialog asks about, or the whole page.
 * @param {Element | null | undefined} part
 */
const placeOf = (part) =>
  /^(alert|incident)-(\d+)$/.exec(
    part?.getAttribute("data-at") ?? part?.getAttribute("data-page-of") ?? part?.id ?? "",
  );

/** What is open above the page, or has the focus, or is expanded, or is all that the page is about. */
function placeNow() {
  const dialog = document.querySelector("dialog:modal");
  if (dialog) return placeOf(dialog);
  const rows = [...document.querySelectorAll("[data-row]:has(details[open])")];
  const row = document.activeElement?.closest("[data-row]") ?? rows.at(-1);
  return placeOf(row) ?? placeOf(document.querySelector("[data-page-of]"));
}

/** @returns {At} */
function now() {
  const at = performance.now();
  const place = document.hidden || at - touchedAt > IDLE_MS ? null : placeNow();
  if (!place) return { ask: "at", doing: "nothing" };
  const [, kind, number] = place;
  return { ask: "at", [kind]: Number(number), doing: at - typedAt < TYPED_MS ? "typing" : "looking" };
}

function tell() {
  clearTimeout(timer);
  timer = 0;
  const at = now();
  const words = JSON.stringify(at);
  const since = performance.now() - saidAt;
  const isSomewhere = at.doing !== "nothing";
  if (words !== said || (isSomewhere && since >= REPEAT_MS)) {
    if (since < MIN_MS) return later(MIN_MS - since);
    say(at);
    [said, saidAt] = [words, performance.now()];
  }
  if (isSomewhere) later(at.doing === "typing" ? TYPED_MS / 4 : REPEAT_MS);
}

/** @param {number} ms */
function later(ms) {
  timer = setTimeout(tell, ms);
}

/** Soon, when the focus has arrived where it goes. */
function look() {
  touchedAt = performance.now();
  clearTimeout(timer);
  later(0);
}

/** In a dialog, who is at its alert stands as it does in the row behind it. */
function mirror() {
  for (const copy of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-mirrors]"))) {
    const row = document.getElementById(copy.dataset.mirrors ?? "");
    if (row && row.innerHTML !== copy.innerHTML) copy.replaceChildren(...row.cloneNode(true).childNodes);
  }
}

function hideOwnName() {
  const { me } = document.documentElement.dataset;
  if (!me) return;
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`[data-person="${CSS.escape(me)}"] { display: none !important }`);
  document.adoptedStyleSheets.push(sheet);
}

/** @param {Event} event */
function typed({ target }) {
  if (target instanceof Element && isField(target)) typedAt = performance.now();
  look();
}

/** Sent: nothing is being typed any more. */
function sent() {
  typedAt = Number.NEGATIVE_INFINITY;
  look();
}

export function start() {
  hideOwnName();
  for (const name of ["focusin", "focusout", "keydown", "pointerdown", "visibilitychange", "htmx:after:swap"])
    document.addEventListener(name, look);
  for (const name of ["toggle", "close"]) document.addEventListener(name, look, { capture: true });
  document.addEventListener("pointermove", () => {
    touchedAt = performance.now();
    if (!timer) later(0);
  });
  document.addEventListener("input", typed);
  document.addEventListener("submit", sent);
  document.addEventListener("tms:proof", mirror);
  // A new socket knows nothing of before.
  document.addEventListener("tms:painted", () => {
    said = "";
    look();
  });
}

// Reports which alert or incident the person is viewing; and hides people from themselves in lists of viewers.

import { send } from "../live/frames.js";
import { isField } from "./person.js";

const REPEAT_MS = 5000;
// The server closes the socket if this is sent more often than four times a second.
const MIN_MS = 400;
const TYPED_MS = 4000;
// Without input for this long a person counts as away.
const IDLE_MS = 120_000;

/** @typedef {{ask: "at", alert?: number, incident?: number, doing: "looking" | "typing" | "nothing"}} At */

let typedAt = Number.NEGATIVE_INFINITY;
let touchedAt = 0;
let lastSent = "";
let lastSentAt = 0;
let timer = 0;

/**
 * As "alert-7" or "incident-7": the subject of a row, a dialog, or the whole page.
 * @param {Element | null | undefined} part
 */
const subjectOf = (part) =>
  /^(alert|incident)-(\d+)$/.exec(
    part?.getAttribute("data-at") ?? part?.getAttribute("data-page-of") ?? part?.id ?? "",
  );

/** The open dialog, or the focused element, or the expanded row, or the subject of the page. */
function subjectNow() {
  const dialog = document.querySelector("dialog:modal");
  if (dialog) return subjectOf(dialog);
  const rows = [...document.querySelectorAll("[data-row]:has(details[open])")];
  const row = document.activeElement?.closest("[data-row]") ?? rows.at(-1);
  return subjectOf(row) ?? subjectOf(document.querySelector("[data-page-of]"));
}

/** @returns {At} */
function now() {
  const at = performance.now();
  const subject = document.hidden || at - touchedAt > IDLE_MS ? null : subjectNow();
  if (!subject) return { ask: "at", doing: "nothing" };
  const [, kind, number] = subject;
  return { ask: "at", [kind]: Number(number), doing: at - typedAt < TYPED_MS ? "typing" : "looking" };
}

function report() {
  clearTimeout(timer);
  timer = 0;
  const at = now();
  const words = JSON.stringify(at);
  const since = performance.now() - lastSentAt;
  const isSomewhere = at.doing !== "nothing";
  if (words !== lastSent || (isSomewhere && since >= REPEAT_MS)) {
    if (since < MIN_MS) return later(MIN_MS - since);
    send(at);
    [lastSent, lastSentAt] = [words, performance.now()];
  }
  if (isSomewhere) later(at.doing === "typing" ? TYPED_MS / 4 : REPEAT_MS);
}

/** @param {number} ms */
function later(ms) {
  timer = setTimeout(report, ms);
}

/** Deferred until the focus has moved. */
function schedule() {
  touchedAt = performance.now();
  clearTimeout(timer);
  later(0);
}

/** A dialog shows the viewers of its alert like the row behind it. */
function mirror() {
  for (const copy of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-mirrors]"))) {
    const row = document.getElementById(copy.dataset.mirrors ?? "");
    if (row && row.innerHTML !== copy.innerHTML) copy.replaceChildren(...row.cloneNode(true).childNodes);
  }
}

/** A colleague was first: the open dialog says so, and offers to post what was typed. */
function tell() {
  const notice = /** @type {HTMLElement | null} */ (document.querySelector("dialog[open] [data-tells][hidden]"));
  const row = notice && document.getElementById(notice.dataset.tells ?? "");
  if (!notice || row?.dataset.ack !== "acknowledged") return;
  const who = row.querySelector(".people:not([data-person])")?.lastChild?.textContent?.trim() ?? "";
  notice.textContent = notice.dataset.text?.replace("{who}", who) ?? "";
  notice.hidden = false;
  const version = /** @type {HTMLInputElement | null} */ (notice.closest("form")?.querySelector("[name=version]"));
  if (version) version.value = ""; // a comment is no decision about what the dialog showed
  const buttons = notice.closest("dialog")?.querySelectorAll(".dialog-foot button") ?? [];
  for (const button of /** @type {Iterable<HTMLElement>} */ (buttons)) button.hidden = !("says" in button.dataset);
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
  schedule();
}

/** Submitted: the person is no longer typing. */
function sent() {
  typedAt = Number.NEGATIVE_INFINITY;
  schedule();
}

export function start() {
  if (document.documentElement.dataset.wall) return; // it has nothing to act on
  hideOwnName();
  for (const name of ["focusin", "focusout", "keydown", "pointerdown", "visibilitychange", "htmx:after:swap"])
    document.addEventListener(name, schedule);
  for (const name of ["toggle", "close"]) document.addEventListener(name, schedule, { capture: true });
  document.addEventListener("pointermove", () => {
    touchedAt = performance.now();
    if (!timer) later(0);
  });
  document.addEventListener("input", typed);
  document.addEventListener("submit", sent);
  document.addEventListener("tms:proof", mirror);
  document.addEventListener("tms:proof", tell);
  // A new socket has no earlier state.
  document.addEventListener("tms:painted", () => {
    lastSent = "";
    schedule();
  });
}

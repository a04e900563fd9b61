// Holds the order of a list while a person is inside it: "14 changes waiting". Key `.` or the bar shows them.

import { isInside } from "../page/person.js";
import { arrange, difference, rowsOf } from "./list.js";
import { tint } from "./tint.js";

/** @typedef {{ids: string[], fresh: Map<string, Element>}} Order */

/** @type {Map<string, Order>} by the id of the list */
const held = new Map();

/**
 * Takes a wanted order and the rows that the list may not have yet; applies it at once when nobody is inside.
 * @param {string} of the id of the list
 * @param {string[]} ids
 * @param {Map<string, Element>} rows
 * @returns {{isKnown: boolean, added: Element[]}} whether every row is known, and which are new on the page
 */
export function order(of, ids, rows) {
  const list = document.getElementById(of);
  if (!list) return { isKnown: true, added: [] };
  const present = new Set(rowsOf(list).map(({ id }) => id));
  const kept = held.get(of)?.fresh;
  const fresh = new Map();
  for (const id of ids) {
    const row = rows.get(id) ?? kept?.get(id);
    if (row && !present.has(id)) fresh.set(id, row);
  }
  const known = ids.filter((id) => present.has(id) || fresh.has(id));
  held.set(of, { ids: known, fresh });
  const added = isInside(list) ? [] : apply(of);
  tell();
  return { isKnown: known.length === ids.length, added };
}

/**
 * A newer state of a row that waits to appear.
 * @param {Element} row
 */
export function renew(row) {
  for (const { fresh } of held.values()) if (fresh.has(row.id)) fresh.set(row.id, row);
}

/** All rows that wait to appear. */
export const rows = () => [...held.values()].flatMap(({ fresh }) => [...fresh.values()]);

/** Another page of the list: nothing that waits belongs to it. */
export function forget() {
  held.clear();
  tell();
}

/** Applies what waits, whoever is inside. */
export const show = () => release(() => true);

/** @param {string} of */
function apply(of) {
  const list = document.getElementById(of);
  const wanted = held.get(of);
  held.delete(of);
  return list && wanted ? arrange(list, wanted.ids, wanted.fresh) : [];
}

/** @param {(list: Element) => boolean} isFree */
function release(isFree) {
  for (const of of [...held.keys()]) {
    const list = document.getElementById(of);
    if (!list || isFree(list)) tint(apply(of));
  }
  tell();
}

/**
 * How many rows of a list wait. A row that will vanish is marked: what it says is no longer kept up to date.
 * @param {string} of
 * @param {string[]} ids
 */
function waitingIn(of, ids) {
  const list = document.getElementById(of);
  if (!list) return 0;
  const { count, gone } = difference(list, ids);
  for (const row of rowsOf(list)) row.toggleAttribute("data-gone", gone.includes(row));
  if (count === 0) held.delete(of);
  return count;
}

/**
 * @param {DOMStringMap} texts of the bar; `textWaitingOne` for languages in which one is another matter
 * @param {number} waiting
 */
function wordsFor({ textWaiting = "{n}", textWaitingOne = textWaiting }, waiting) {
  const text = waiting === 1 ? textWaitingOne : textWaiting;
  return text.replace("{n}", waiting.toLocaleString(document.documentElement.lang));
}

function tell() {
  let waiting = 0;
  for (const [of, { ids }] of [...held]) waiting += waitingIn(of, ids);
  const bar = document.getElementById("waiting");
  if (!bar) return;
  const text = waiting ? wordsFor(bar.dataset, waiting) : (bar.dataset.textCurrent ?? "");
  const words = bar.querySelector("strong") ?? bar;
  if (words.textContent !== text) words.textContent = text;
  if (!waiting) delete bar.dataset.waiting;
  else if (bar.dataset.waiting !== String(waiting)) bar.dataset.waiting = String(waiting);
}

/** Calls `look` soon after anything by which a person may have left a list. */
function whenSomeoneMayHaveLeft(/** @type {() => void} */ look) {
  let isDue = false;
  const soon = () => {
    if (isDue || held.size === 0) return;
    isDue = true;
    requestAnimationFrame(() => {
      isDue = false;
      look();
    });
  };
  for (const name of ["focusout", "pointerout", "input", "change", "reset"]) document.addEventListener(name, soon);
  document.addEventListener("toggle", soon, { capture: true });
}

export function start() {
  whenSomeoneMayHaveLeft(() => release((list) => !isInside(list)));
  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element) || !event.target.closest("#waiting[data-waiting]")) return;
    event.preventDefault();
    show();
  });
}

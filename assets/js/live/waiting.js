// Delays new orders of a list while a person is using it: "14 updates". Key `.` or the bar shows them.

import { isInside } from "../page/person.js";
import { arrange, difference, rowsOf } from "./list.js";
import { tint } from "./tint.js";

/** @typedef {{ids: string[], fresh: Map<string, Element>}} Order */

/** @type {Map<string, Order>} by the id of the list */
const held = new Map();

/**
 * Takes a new order and the rows that the list may not have yet; applies it at once if nobody is using the list.
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
  update();
  return { isKnown: known.length === ids.length, added };
}

/**
 * A newer state of a delayed row.
 * @param {Element} row
 */
export function renew(row) {
  for (const { fresh } of held.values()) if (fresh.has(row.id)) fresh.set(row.id, row);
}

/** All delayed rows. */
export const rows = () => [...held.values()].flatMap(({ fresh }) => [...fresh.values()]);

/** Another page of the list: delayed rows do not belong to it. */
export function clear() {
  held.clear();
  update();
}

/** Applies delayed orders, even if a person is using the list. */
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
  update();
}

/**
 * How many rows of a list are delayed. A row that will be removed is marked, because it is no longer updated.
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

function update() {
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

/** Calls `check` soon after any event by which a person may have left a list. */
function whenSomeoneMayHaveLeft(/** @type {() => void} */ check) {
  let isDue = false;
  const soon = () => {
    if (isDue || held.size === 0) return;
    isDue = true;
    requestAnimationFrame(() => {
      isDue = false;
      check();
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

// Delays new orders of a list while a person is using it, and otherwise applies them at most every 15 s: "14 updates". The
// bar has a fixed place; it names the most severe row that is not in the list yet. Key `.` or the bar shows them. An
// incident does not wait: its row appears at once, and rows that are gone leave with its arrival. Where the order says
// something (data-steady="order"), the text of a row waits with the order.

import { rankOf } from "../page/severity.js";
import { isInside } from "../person/person.js";
import { arrange, difference, rowsOf, staying } from "./list.js";
import { change } from "./morph.js";
import { hasMeaning, moveAfter, moved, settled, start as startMoves } from "./moves.js";
import { tint } from "./tint.js";

/**
 * @typedef {{ids: string[], fresh: Map<string, Element>, texts: Map<string, Element>}} Order `fresh` are rows that the
 *   list does not have yet, `texts` newer states of rows that it has
 */

const MIN_WAIT_MS = 1000;

/** @type {Map<string, Order>} by the id of the list */
const held = new Map();

/**
 * Takes a new order and the rows that the list may not have yet; applies it at once if nobody is using the list.
 * @param {string} of the id of the list
 * @param {string[]} ids
 * @param {Map<string, Element>} rows
 * @param {boolean} isRepaint after a gap the page is another anyway
 * @returns {{isKnown: boolean, changed: Element[]}} whether every row is known, and which are new or have another text
 */
export function order(of, ids, rows, isRepaint = false) {
  const list = document.getElementById(of);
  if (!list) return { isKnown: true, changed: [] };
  const present = new Set(rowsOf(list).map(({ id }) => id));
  const kept = held.get(of);
  const fresh = new Map();
  for (const id of ids) {
    const row = rows.get(id) ?? kept?.fresh.get(id);
    if (row && !present.has(id)) fresh.set(id, row);
  }
  const known = ids.filter((id) => present.has(id) || fresh.has(id));
  held.set(of, { ids: known, fresh, texts: kept?.texts ?? new Map() });
  const isHeld = isRepaint ? isInside(list) : isBusy(list);
  const changed = isHeld ? (hasIncident(list, held.get(of)) ? apply(of, withIncidents) : []) : apply(of);
  update();
  return { isKnown: known.length === ids.length, changed };
}

/**
 * A newer state of a delayed row.
 * @param {Element} row
 */
export function renew(row) {
  for (const { fresh } of held.values()) if (fresh.has(row.id)) fresh.set(row.id, row);
}

/**
 * Whether `next` waits with the order of the list, instead of replacing `row` now.
 * @param {Element} row
 * @param {Element} next
 */
export function waits(row, next) {
  const list = row.parentElement;
  const wanted = list && hasMeaning(list) ? held.get(list.id) : undefined;
  wanted?.texts.set(row.id, next);
  return wanted !== undefined;
}

/** All delayed rows. */
export const rows = () => [...held.values()].flatMap(({ fresh }) => [...fresh.values()]);

/** Another page of the list: delayed rows do not belong to it. */
export function clear() {
  held.clear();
  update();
}

/** Applies delayed orders, even if a person is using the list. */
export const show = () =>
  release(
    () => true,
    (_, ids) => ids,
  );

const INCIDENT = "[data-incident]";

/**
 * Whether the row of an incident would appear or leave.
 * @param {Element} list
 * @param {Order | undefined} wanted
 */
function hasIncident(list, wanted) {
  if (!wanted) return false;
  const isFresh = [...wanted.fresh.values()].some((row) => row.matches(INCIDENT));
  return isFresh || difference(list, wanted.ids).gone.some((row) => row.matches(INCIDENT));
}

/**
 * `ids` in the present order, without rows that are gone, and with the new rows of incidents where they belong.
 * @param {Element} list
 * @param {string[]} ids
 */
function withIncidents(list, ids) {
  const fresh = held.get(list.id)?.fresh;
  const wanted = new Set(ids);
  const order = rowsOf(list).flatMap(({ id }) => (wanted.has(id) ? [id] : []));
  for (const [at, id] of ids.entries()) {
    if (!fresh?.get(id)?.matches(INCIDENT)) continue;
    // After the row that precedes it, as far as that is shown.
    const before = ids.slice(0, at).findLast((other) => order.includes(other));
    order.splice(before ? order.indexOf(before) + 1 : 0, 0, id);
  }
  return order;
}

/** @param {Element} list */
const isBusy = (list) => isInside(list) || moveAfter(list) > 0;

/**
 * What remains, because rows keep their position for a while, is applied later.
 * @param {string} of
 * @param {(list: Element, ids: string[]) => string[]} ordered
 */
function apply(of, ordered = settled) {
  const list = document.getElementById(of);
  const wanted = held.get(of);
  if (!list || !wanted) {
    held.delete(of);
    return [];
  }
  const changed = renewTexts(wanted);
  const ids = ordered(list, wanted.ids);
  if (difference(list, ids).count === 0) return changed;
  const stayed = staying(list, ids);
  const added = arrange(list, ids, wanted.fresh);
  moved(list, stayed);
  if (difference(list, wanted.ids).count === 0) held.delete(of);
  return [...changed, ...added];
}

/**
 * The rows that are others now.
 * @param {Order} order
 */
function renewTexts({ texts }) {
  const renewed = [...texts].flatMap(([id, next]) => {
    const row = document.getElementById(id);
    return row && change(row, next) ? [row] : [];
  });
  texts.clear();
  return renewed;
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/** Applies what waits as soon as rows may move. Lists in use are released when the person leaves them. */
function applyLater() {
  if (timer !== undefined) return;
  const waits = [...held.keys()]
    .map((of) => document.getElementById(of))
    .flatMap((list) => (list && !isInside(list) ? [moveAfter(list)] : []));
  if (waits.length === 0) return;
  timer = setTimeout(
    () => {
      timer = undefined;
      release((list) => !isBusy(list));
    },
    Math.max(MIN_WAIT_MS, ...waits),
  );
}

/**
 * All free lists move together: the eye is drawn once.
 * @param {(list: Element) => boolean} isFree
 * @param {(list: Element, ids: string[]) => string[]} ordered
 */
function release(isFree, ordered = settled) {
  const lists = [...held.keys()].map((of) => ({ of, list: document.getElementById(of) }));
  // Together, because the tint has a limit for all of them.
  tint(lists.filter(({ list }) => !list || isFree(list)).flatMap(({ of }) => apply(of, ordered)));
  update();
}

/**
 * How many rows of a list are delayed. A row that will be removed is marked, because it is no longer updated.
 * @param {string} of
 * @param {Order} wanted
 */
function waitingIn(of, wanted) {
  const list = document.getElementById(of);
  if (!list) return 0;
  const { count, gone } = difference(list, wanted.ids);
  for (const row of rowsOf(list)) row.toggleAttribute("data-gone", gone.includes(row));
  if (count === 0) {
    renewTexts(wanted);
    held.delete(of);
  }
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

/**
 * The most severe row that is not in its list yet.
 * @param {Element} bar
 */
function announce(bar) {
  const slot = bar.querySelector(".newcomer");
  if (!slot) return;
  const fresh = rows().filter((row) => row.matches("[data-severity]") && row.querySelector("h3"));
  const [worst] = fresh.toSorted((a, b) => rankOf(a) - rankOf(b));
  const text = worst?.querySelector("h3")?.textContent?.trim() ?? "";
  if (slot.textContent !== text) slot.textContent = text;
  const severity = worst?.getAttribute("data-severity") ?? "";
  if (slot.getAttribute("data-severity") !== severity) slot.setAttribute("data-severity", severity);
}

function update() {
  let waiting = 0;
  for (const [of, wanted] of [...held]) waiting += waitingIn(of, wanted);
  const bar = document.getElementById("waiting");
  if (!bar) return;
  if (waiting) applyLater();
  announce(bar);
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
  startMoves();
  whenSomeoneMayHaveLeft(() => release((list) => !isBusy(list)));
  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element) || !event.target.closest("#waiting[data-waiting]")) return;
    event.preventDefault();
    show();
  });
}

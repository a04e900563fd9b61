// When the rows of a list with [data-steady] may move, and which: rarely, and never under a person who is looking. The
// whole page counts, because movement anywhere draws the eye. With the value "order" all of them move together, because
// the order says something: the newest is the first.

import { rankOf } from "../page/severity.js";
import { rowsOf } from "./list.js";

const MOVE_EVERY_MS = 1000 * Number(document.documentElement.dataset.movesEvery ?? 15);
const AFTER_SCROLL_MS = MOVE_EVERY_MS / 3;
const RANK_LASTS_MS = 2 * MOVE_EVERY_MS;

let movedAt = Number.NEGATIVE_INFINITY;
let scrolledAt = Number.NEGATIVE_INFINITY;

/**
 * When a row last got another position, and the rank of its severity then.
 * @type {WeakMap<Element, {at: number, rank: number}>}
 */
const ranked = new WeakMap();

/**
 * In how many milliseconds rows of `list` may move again. In an empty one nothing moves when a row appears.
 * @param {Element} list
 */
export function moveAfter(list) {
  if (document.hidden || !list.hasAttribute("data-steady") || !rowsOf(list).length) return 0;
  const now = performance.now();
  return Math.max(0, movedAt + MOVE_EVERY_MS - now, scrolledAt + AFTER_SCROLL_MS - now);
}

/**
 * Whether the order of `list` says something: its rows move together.
 * @param {Element} list
 */
export const hasMeaning = (list) => list.getAttribute("data-steady") === "order";

/** @param {Element} row */
function keepsRank(row) {
  const last = ranked.get(row);
  return last !== undefined && performance.now() < last.at + RANK_LASTS_MS && rankOf(row) >= last.rank;
}

/**
 * `ids` in an order in which rows that moved lately stay where they are, unless their severity has risen.
 * @param {Element} list
 * @param {string[]} ids
 */
export function settled(list, ids) {
  if (document.hidden || !list.hasAttribute("data-steady") || hasMeaning(list)) return ids;
  const wanted = new Set(ids);
  const stays = rowsOf(list).filter(({ id }) => wanted.has(id));
  const fixed = new Map(stays.flatMap((row, at) => (keepsRank(row) ? [[row.id, at]] : [])));
  const order = ids.filter((id) => !fixed.has(id));
  for (const [id, at] of fixed) order.splice(Math.min(at, order.length), 0, id);
  return order;
}

/**
 * Rows of `list` have just appeared or moved, all but those that stayed: they keep their position for a while.
 * @param {Element} list
 * @param {Set<Element>} stayed
 */
export function moved(list, stayed) {
  if (!list.hasAttribute("data-steady")) return;
  movedAt = performance.now();
  for (const row of rowsOf(list)) if (!stayed.has(row)) ranked.set(row, { at: movedAt, rank: rankOf(row) });
}

export function start() {
  const scrolled = () => {
    scrolledAt = performance.now();
  };
  for (const name of ["scroll", "wheel", "touchmove"])
    document.addEventListener(name, scrolled, { capture: true, passive: true });
}

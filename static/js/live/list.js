// The order of a list's rows. Rows are the list's element children that have an id.

import { insert, place } from "./morph.js";

/** @param {Element} list */
export const rowsOf = (list) => [...list.children].filter(({ id }) => id);

/**
 * A longest increasing subsequence of `positions`: rows that need not move.
 * @param {number[]} positions
 * @returns {Set<number>}
 */
function rising(positions) {
  /** @type {number[]} */
  const tails = [];
  /** @type {Map<number, number | undefined>} */
  const before = new Map();
  for (const position of positions) {
    const longer = tails.findIndex((tail) => tail >= position);
    const at = longer < 0 ? tails.length : longer;
    before.set(position, tails[at - 1]);
    tails[at] = position;
  }
  const stays = new Set();
  for (let position = tails.at(-1); position !== undefined; position = before.get(position)) stays.add(position);
  return stays;
}

/**
 * @param {Element} list
 * @param {string[]} ids
 */
function compare(list, ids) {
  const rows = rowsOf(list);
  const wanted = new Set(ids);
  const at = new Map(rows.map(({ id }, index) => [id, index]));
  const kept = ids.map((id) => at.get(id)).filter((index) => index !== undefined);
  const stays = rising(kept);
  return {
    rows,
    gone: rows.filter(({ id }) => !wanted.has(id)),
    appearing: ids.length - kept.length,
    moving: kept.length - stays.size,
    stays: new Set([...stays].map((index) => rows[index])),
  };
}

/**
 * How many rows would appear, be removed or move, and which would be removed.
 * @param {Element} list
 * @param {string[]} ids
 */
export function difference(list, ids) {
  const { gone, appearing, moving } = compare(list, ids);
  return { count: gone.length + appearing + moving, gone };
}

/**
 * The rows that need not move for the order `ids`.
 * @param {Element} list
 * @param {string[]} ids
 */
export const staying = (list, ids) => compare(list, ids).stays;

/**
 * @param {Element} list
 * @param {string[]} ids
 * @param {{stays: Set<Element>, fresh: Map<string, Element>, end: Node | null}} how
 */
function settle(list, ids, { stays, fresh, end }) {
  const present = new Map(rowsOf(list).map((row) => [row.id, row]));
  const added = [];
  let before = end;
  for (const id of ids.toReversed()) {
    const old = present.get(id);
    const row = old ?? fresh.get(id);
    if (!row) continue;
    if (!old) {
      insert(list, row, before);
      added.push(row);
    } else if (!stays.has(old)) place(list, old, before);
    before = row;
  }
  return added;
}

/**
 * The focus stays in the list when its row is removed.
 * @param {Element} list
 * @param {number} index
 */
function focusNear(list, index) {
  const rows = rowsOf(list);
  const near = rows[Math.min(index, rows.length - 1)]?.querySelector("a, button");
  /** @type {HTMLElement | null | undefined} */ (near)?.focus({ preventScroll: true });
}

/**
 * Makes the rows of `list` those that `ids` names, in that order, with as few moves as possible.
 * @param {Element} list
 * @param {string[]} ids
 * @param {Map<string, Element>} fresh rows that the list may not have yet
 * @returns {Element[]} the rows that are new
 */
export function arrange(list, ids, fresh) {
  const { rows, gone, stays } = compare(list, ids);
  const lost = rows.findIndex((row) => gone.includes(row) && row.contains(document.activeElement));
  const end = rows.at(-1)?.nextSibling ?? null;
  for (const row of gone) row.remove();
  const added = settle(list, ids, { stays, fresh, end });
  if (lost >= 0) focusNear(list, lost);
  return added;
}

// A pushed change tints its row or tile once. Many changes at once are not tinted, because nobody could follow them.

const MOST = 10;
const OVER_MS = 1600;

/** @param {Element[]} changed */
export function tint(changed) {
  const found = changed.map((element) => element.closest("tr[id], li[id]")).filter((row) => row !== null);
  const rows = /** @type {HTMLElement[]} */ ([...new Set(found)]);
  if (rows.length === 0 || rows.length > MOST) return;
  for (const row of rows) row.dataset.changed = "";
  setTimeout(() => {
    for (const row of rows) delete row.dataset.changed;
  }, OVER_MS);
}

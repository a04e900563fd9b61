// A pushed change tints its row or tile once. Many changes within the time of a tint are not tinted, because nobody could
// follow them; an outage arrives in several frames.

const MAX_TINTED = 10;
const OVER_MS = 1600;

/** Changed less than `OVER_MS` ago. @type {Set<HTMLElement>} */
const recent = new Set();

/** @param {Element[]} changed */
export function tint(changed) {
  const found = changed.map((element) => element.closest("tr[id], li[id]")).filter((row) => row !== null);
  const rows = /** @type {HTMLElement[]} */ ([...new Set(found)]);
  if (rows.length === 0) return;
  for (const row of rows) recent.add(row);
  const isFew = recent.size <= MAX_TINTED;
  for (const row of isFew ? rows : recent) row.toggleAttribute("data-changed", isFew);
  setTimeout(() => {
    for (const row of rows) {
      recent.delete(row);
      delete row.dataset.changed;
    }
  }, OVER_MS);
}

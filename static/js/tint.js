// A pushed change tints its row or tile once. Many at once tint nothing: the eye could not follow them.

const MOST = 10;
const OVER_MS = 2000;

/** @param {Element[]} changed */
export function tint(changed) {
  const rows = /** @type {HTMLElement[]} */ (changed.filter((element) => element.matches("tr, li")));
  if (rows.length === 0 || rows.length > MOST) return;
  for (const row of rows) row.dataset.changed = "";
  setTimeout(() => {
    for (const row of rows) delete row.dataset.changed;
  }, OVER_MS);
}

// The cells of the sites, as large as they fit: a wall does not scroll. Every second row is indented by half a cell.

const PITCH = 0.866; // of rows, in widths of a cell
const OVERHANG = 0.289; // of the first and the last row together
const MAX_REM = 11;

const comb = /** @type {HTMLElement} */ (document.getElementById("sites"));
const sheet = new CSSStyleSheet();
let written = "";

/**
 * The width of a cell, if each row has `columns`.
 * @param {number} columns
 * @param {{width: number, height: number}} room
 * @param {number} cells
 */
function cellWidth(columns, room, cells) {
  const rows = Math.ceil(cells / columns);
  return Math.min(room.width / (columns + (rows > 1 ? 0.5 : 0)), room.height / (rows * PITCH + OVERHANG));
}

/**
 * The number of columns with the largest cells, and their width.
 * @param {{width: number, height: number}} room
 * @param {number} cells
 */
function best(room, cells) {
  let [columns, width] = [1, 0];
  for (let tried = 1; tried <= cells; tried += 1) {
    const found = cellWidth(tried, room, cells);
    if (found > width) [columns, width] = [tried, found];
  }
  return { columns, width };
}

/** @param {number} columns @param {number} width */
function rules(columns, width) {
  const of = ".wall-sites .comb";
  const two = 2 * columns;
  return `${of} { --columns: ${columns}; inline-size: ${((columns + 0.5) * width).toFixed(1)}px }
    ${of} > li:nth-child(${two}n + ${columns + 1}) { margin-inline-start: var(--half) }
    ${of} > li:nth-child(${two}n + ${columns}) { margin-inline-end: var(--half) }`;
}

function fit() {
  const room = /** @type {HTMLElement} */ (comb.parentElement).getBoundingClientRect();
  const cells = comb.children.length;
  const legend = comb.nextElementSibling?.getBoundingClientRect().height ?? 0;
  const style = getComputedStyle(/** @type {HTMLElement} */ (comb.parentElement));
  const rem = Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
  const width = room.width - Number.parseFloat(style.paddingInline) * 2;
  const height = room.height - legend - Number.parseFloat(style.paddingBlock) * 2 - Number.parseFloat(style.rowGap);
  if (!cells || width <= 0 || height <= 0) return; // the board is not shown
  const found = best({ width, height }, cells);
  const text = rules(found.columns, Math.min(found.width, MAX_REM * rem));
  if (text !== written) sheet.replaceSync(text);
  written = text;
}

export function start() {
  document.adoptedStyleSheets.push(sheet);
  new ResizeObserver(fit).observe(/** @type {HTMLElement} */ (comb.parentElement));
  new MutationObserver(fit).observe(comb, { childList: true });
  fit();
}

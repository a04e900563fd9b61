// The boards of a wall in turn, and the pages of its list. What is critical and unacknowledged stays in view: its rows are
// on every page of the list, and boards without the list are left out meanwhile.

const LISTS = new Set(["overview", "alerts"]);
const ROWS = { overview: 6, alerts: 8 };
const TICK_MS = 1000;
const OFF = "off";
const FIXED = "fixed";

const { boards = "overview", every = "15" } = document.documentElement.dataset;
const names = boards.split(" ");
const everyMs = Number(every) * 1000;

let board = names[0];
let page = 0;
let until = performance.now() + everyMs;

const main = /** @type {HTMLElement} */ (document.getElementById("main"));
const list = /** @type {HTMLElement} */ (document.getElementById("incidents"));
const foot = /** @type {HTMLElement} */ (document.getElementById("wall-pages"));

/** @param {Element} row */
const isLoud = ({ dataset }) => dataset.severity === "critical" && dataset.ack === "none";

/** @param {string} name */
const capacity = (name) => ROWS[/** @type {keyof typeof ROWS} */ (name)] ?? 0;

/**
 * Rows that stay, and pages of the others.
 * @param {string} name of a board with the list
 */
function layout(name) {
  const rows = /** @type {HTMLElement[]} */ ([...list.children]);
  const most = capacity(name);
  if (rows.length <= most) return { fixed: [], pages: [rows] };
  const fixed = rows.filter(isLoud).slice(0, most - 1);
  const others = rows.filter((row) => !fixed.includes(row));
  const size = most - fixed.length;
  const pages = [];
  for (let start = 0; start < others.length; start += size) pages.push(others.slice(start, start + size));
  return { fixed, pages };
}

/** Those that may be shown now. */
function shown() {
  const hasLoud = [...list.children].some(isLoud);
  const withList = names.filter((name) => LISTS.has(name));
  return hasLoud && withList.length ? withList : names;
}

function next() {
  if (LISTS.has(board) && page + 1 < layout(board).pages.length) {
    page += 1;
    return;
  }
  const may = shown();
  board = may[(may.indexOf(board) + 1) % may.length];
  page = 0;
}

/** A board that may not be shown any more gives way at once. */
function check() {
  const may = shown();
  if (!may.includes(board)) [board, page] = [may[0], 0];
  if (LISTS.has(board)) page = Math.min(page, layout(board).pages.length - 1);
}

/**
 * @param {HTMLElement} row
 * @param {string | undefined} slide
 */
function set(row, slide) {
  if (row.dataset.slide === slide) return;
  if (slide) row.dataset.slide = slide;
  else delete row.dataset.slide;
}

function show() {
  if (main.dataset.board !== board) main.dataset.board = board;
  if (!LISTS.has(board)) return 0;
  const { fixed, pages } = layout(board);
  const current = new Set(pages[page]);
  for (const row of /** @type {HTMLElement[]} */ ([...list.children]))
    set(row, fixed.includes(row) ? FIXED : current.has(row) ? undefined : OFF);
  return list.children.length - fixed.length - current.size;
}

/** @param {number} hidden rows */
function note(hidden) {
  const { moreOne = "", more = "", next: upcoming = "" } = foot.dataset;
  const number = hidden.toLocaleString(document.documentElement.lang);
  const count = hidden ? (hidden === 1 ? moreOne : more).replace("{n}", number) : "";
  const isTurning = hidden > 0 || shown().length > 1;
  const left = Math.max(0, Math.ceil((until - performance.now()) / 1000));
  const texts = [count, isTurning ? upcoming.replace("{s}", String(left)) : ""].filter(Boolean);
  if (foot.textContent !== texts.join(" · ")) foot.textContent = texts.join(" · ");
}

function refresh() {
  check();
  note(show());
}

function tick() {
  if (performance.now() >= until) {
    next();
    until = performance.now() + everyMs;
  }
  refresh();
}

export function start() {
  refresh();
  setInterval(tick, TICK_MS);
  // A frame may have brought rows, or acknowledged one.
  new MutationObserver(refresh).observe(list, {
    childList: true,
    subtree: true,
    attributes: true,
    attributeFilter: ["data-ack", "data-severity"],
  });
}

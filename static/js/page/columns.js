// The menu of a list's columns: their order changes by dragging, by buttons, and by Alt with an arrow key.

const MENU = "[data-columns]";

/** @param {Element} item @param {number} by */
function move(item, by) {
  const other = by < 0 ? item.previousElementSibling : item.nextElementSibling;
  if (!other) return;
  const focused = /** @type {HTMLElement | null} */ (document.activeElement);
  if (by < 0) other.before(item);
  else other.after(item);
  if (item.contains(focused)) focused?.focus();
  focused?.scrollIntoView({ block: "nearest" });
}

/** @param {Event} event */
function itemOf({ target }) {
  return target instanceof Element ? target.closest(`${MENU} li`) : null;
}

/** @param {MouseEvent} event */
function onClick(event) {
  const button = /** @type {HTMLElement} */ (event.target).closest("[data-move]");
  const item = itemOf(event);
  if (button && item) move(item, Number(/** @type {HTMLElement} */ (button).dataset.move));
}

/** @param {KeyboardEvent} event */
function onKey(event) {
  const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  const item = itemOf(event);
  if (!by || !event.altKey || !item) return;
  event.preventDefault();
  const row = /** @type {HTMLElement | null} */ (document.activeElement);
  move(item, by);
  row?.focus();
}

/** @param {HTMLElement} menu */
function allowDragging(menu) {
  /** @type {Element | null} */
  let dragged = null;
  for (const item of menu.querySelectorAll("li")) item.draggable = true;
  menu.addEventListener("dragstart", (event) => {
    dragged = itemOf(event);
    event.dataTransfer?.setData("text/plain", "");
    dragged?.toggleAttribute("data-dragged", true);
  });
  menu.addEventListener("dragover", (event) => {
    const over = itemOf(event);
    if (!dragged || !over) return;
    event.preventDefault();
    const { top, height } = over.getBoundingClientRect();
    if (over === dragged) return;
    if (event.clientY < top + height / 2) over.before(dragged);
    else over.after(dragged);
  });
  menu.addEventListener("dragend", () => {
    dragged?.removeAttribute("data-dragged");
    dragged = null;
  });
}

export function start() {
  const menu = /** @type {HTMLElement | null} */ (document.querySelector(MENU));
  if (!menu) return;
  allowDragging(menu);
  menu.addEventListener("click", onClick);
  menu.addEventListener("keydown", onKey);
  // The form of the filters around it would take a tick for a changed filter.
  for (const name of ["change", "input"]) menu.addEventListener(name, (event) => event.stopPropagation());
}

// Lists and menus that a word or a button opens: closed by Escape, which returns the focus, by a click elsewhere, and when
// the focus leaves them, because they cover what is behind. Without this module a second click closes them.
// <button data-clears>: clears the choices of its row.

const OPENED = "details:is(.pick, .menu)[open]";

const opened = () => /** @type {NodeListOf<HTMLDetailsElement>} */ (document.querySelectorAll(OPENED));

/** @param {KeyboardEvent} event */
function onKey(event) {
  const [first] = opened();
  if (event.key !== "Escape" || event.defaultPrevented || !first || document.querySelector("dialog:modal")) return;
  event.preventDefault();
  const inside = [...opened()].find((one) => one.contains(document.activeElement)) ?? first;
  inside.open = false;
  inside.querySelector("summary")?.focus();
}

/** @param {Node} place of the pointer or the focus */
function closeOthers(place) {
  for (const one of opened()) if (!one.contains(place)) one.open = false;
}

/** @param {Event} event */
function onClick({ target }) {
  const element = /** @type {Element} */ (target);
  if (element.isConnected) closeOthers(element);
  const button = element.closest("[data-clears]");
  if (button) clear(/** @type {Element} */ (button.closest("li")));
}

/** @param {Element} row */
function clear(row) {
  const boxes = /** @type {NodeListOf<HTMLInputElement>} */ (row.querySelectorAll("input:checked"));
  for (const box of boxes) box.checked = false;
  boxes[0]?.dispatchEvent(new Event("change", { bubbles: true }));
}

export function start() {
  const buttons = /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-clears]"));
  for (const button of buttons) button.hidden = false;
  document.addEventListener("keydown", onKey);
  document.addEventListener("click", onClick);
  document.addEventListener("focusin", ({ target }) => closeOthers(/** @type {Node} */ (target)));
}

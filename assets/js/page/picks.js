// Words of a sentence that open a list of choices: closed by Escape and by a click elsewhere. Without this module a
// second click on the word closes it.
// <button data-clears>: clears the choices of its row.

const opened = () => /** @type {HTMLDetailsElement | null} */ (document.querySelector("details.pick[open]"));

/** @param {KeyboardEvent} event */
function onKey(event) {
  const pick = opened();
  if (event.key !== "Escape" || !pick) return;
  pick.open = false;
  pick.querySelector("summary")?.focus();
}

/** @param {Event} event */
function onClick({ target }) {
  const element = /** @type {Element} */ (target);
  const pick = opened();
  if (pick && !pick.contains(element)) pick.open = false;
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
}

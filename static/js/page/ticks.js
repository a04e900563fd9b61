// Ticked rows: their number, which actions apply to how many of them, and which are unticked after a bulk action.
// <input type="checkbox" data-all>: ticks every row of the list.

const TICKED = "[data-row] input[type=checkbox]:checked";

const form = () => /** @type {HTMLFormElement | null} */ (document.getElementById("ticked"));

export const ticked = () => /** @type {HTMLInputElement[]} */ ([...document.querySelectorAll(TICKED)]);

function count() {
  const output = form()?.querySelector("output");
  if (!output) return;
  const number = ticked().length;
  const text = number ? (output.dataset.text ?? "{n}").replace("{n}", String(number)) : "";
  if (output.textContent !== text) output.textContent = text;
  offer();
}

/** The bar offers only actions that apply to a ticked row, or to `data-least` of them, with their number. Rows may not say
 * which apply. */
function offer() {
  const boxes = ticked();
  const isKnown = boxes.every(({ dataset }) => dataset.actions !== undefined);
  const buttons = /** @type {NodeListOf<HTMLElement>} */ (form()?.querySelectorAll("[data-action]") ?? []);
  for (const button of buttons) {
    const applies = boxes.filter(({ dataset }) => dataset.actions?.split(" ").includes(button.dataset.action ?? ""));
    button.hidden = isKnown && applies.length < Number(button.dataset.least ?? 1);
    const output = button.querySelector("[data-number]");
    const number = isKnown && applies.length ? String(applies.length) : "";
    if (output && output.textContent !== number) output.textContent = number;
  }
  const all = /** @type {HTMLInputElement | null} */ (document.querySelector("input[data-all]"));
  if (!all) return;
  const rows = document.querySelectorAll("[data-row] .pick input[type=checkbox]").length;
  all.checked = rows > 0 && boxes.length === rows;
  all.indeterminate = boxes.length > 0 && boxes.length < rows;
}

/** @param {Event} event */
function tickAll({ target }) {
  const all = /** @type {HTMLInputElement} */ (target);
  if (!all.matches("input[data-all]")) return;
  const boxes = document.querySelectorAll("[data-row] .pick input[type=checkbox]");
  for (const box of boxes) /** @type {HTMLInputElement} */ (box).checked = all.checked;
}

/** When the bar is hidden, its focus moves to the first row that was ticked. */
function leave() {
  if (!form()?.contains(document.activeElement)) return;
  const link = ticked()[0]?.closest("[data-row]")?.querySelector("a");
  link?.focus({ preventScroll: true });
}

export function start() {
  const main = document.getElementById("main");
  if (!main || !form()) return;
  document.addEventListener("change", tickAll);
  document.addEventListener("change", count);
  document.addEventListener("reset", () => {
    leave();
    requestAnimationFrame(count);
  });
  document.addEventListener("bulk-action-done", () => form()?.reset());
  // A frame may remove a ticked row.
  new MutationObserver(count).observe(main, { childList: true, subtree: true });
}

// Ticked rows: their number, and which are unticked after a bulk action.

const TICKED = "[data-row] input[type=checkbox]:checked";

const form = () => /** @type {HTMLFormElement | null} */ (document.getElementById("ticked"));

export const ticked = () => /** @type {HTMLInputElement[]} */ ([...document.querySelectorAll(TICKED)]);

function count() {
  const output = form()?.querySelector("output");
  if (!output) return;
  const number = ticked().length;
  const text = number ? (output.dataset.text ?? "{n}").replace("{n}", String(number)) : "";
  if (output.textContent !== text) output.textContent = text;
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
  document.addEventListener("change", count);
  document.addEventListener("reset", () => {
    leave();
    requestAnimationFrame(count);
  });
  document.addEventListener("bulk-action-done", () => form()?.reset());
  // A frame may remove a ticked row.
  new MutationObserver(count).observe(main, { childList: true, subtree: true });
}

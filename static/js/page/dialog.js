// Dialogs: one that the server rendered open becomes modal; [data-opens] opens one, [data-close] closes it.

/** @param {HTMLDialogElement} dialog */
function open(dialog) {
  if (dialog.matches(":modal")) return;
  dialog.close();
  dialog.showModal();
  /** @type {HTMLElement | null} */ (dialog.querySelector("[autofocus]"))?.focus();
  dialog.dispatchEvent(new Event("opened"));
}

/**
 * @param {string} id
 * @returns {boolean} whether there is such a dialog
 */
export function openById(id) {
  const dialog = document.getElementById(id);
  if (!(dialog instanceof HTMLDialogElement)) return false;
  open(dialog);
  return true;
}

function openMarked() {
  const marked = document.querySelectorAll("dialog[data-modal][open]");
  for (const dialog of marked) open(/** @type {HTMLDialogElement} */ (dialog));
}

/** @param {MouseEvent} event */
function click(event) {
  if (!(event.target instanceof Element)) return;
  const opener = /** @type {HTMLElement | null} */ (event.target.closest("[data-opens]"));
  if (opener && openById(opener.dataset.opens ?? "")) event.preventDefault();
  const dialog = event.target.closest("[data-close]")?.closest("dialog");
  if (!dialog?.matches(":modal")) return;
  event.preventDefault();
  dialog.close();
}

export function start() {
  openMarked();
  document.addEventListener("click", click);
  document.addEventListener("htmx:after:swap", openMarked);
}

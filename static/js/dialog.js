// Dialogs: one that the server rendered open becomes modal; [data-opens] opens one, [data-close] closes it.

/** @param {HTMLDialogElement} dialog */
export function open(dialog) {
  if (dialog.matches(":modal")) return;
  dialog.close();
  dialog.showModal();
  /** @type {HTMLElement | null} */ (dialog.querySelector("[autofocus]"))?.focus();
}

/** @param {string} id */
const dialogOf = (id) => {
  const dialog = document.getElementById(id);
  return dialog instanceof HTMLDialogElement ? dialog : null;
};

/** @param {string} id */
export function openById(id) {
  const dialog = dialogOf(id);
  if (dialog) open(dialog);
  return dialog !== null;
}

/** @param {MouseEvent} event */
function click(event) {
  if (!(event.target instanceof Element)) return;
  const opener = /** @type {HTMLElement | null} */ (event.target.closest("[data-opens]"));
  if (opener && openById(opener.dataset.opens ?? "")) event.preventDefault();
  const closer = event.target.closest("[data-close]");
  const dialog = closer?.closest("dialog");
  if (!dialog?.matches(":modal")) return;
  event.preventDefault();
  dialog.close();
}

/** @param {ParentNode} root */
function openMarked(root) {
  for (const dialog of /** @type {NodeListOf<HTMLDialogElement>} */ (root.querySelectorAll("dialog[data-modal][open]")))
    open(dialog);
}

export function start() {
  openMarked(document);
  document.addEventListener("click", click);
  document.addEventListener("htmx:after:swap", () => openMarked(document));
}

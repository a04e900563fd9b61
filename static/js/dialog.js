// Dialogs: one that the server rendered open becomes modal; [data-opens] opens one, [data-close] closes it.

/** Where a person was before an answer brought a dialog, and the row around it. */
let came = { from: /** @type {Element | null} */ (null), row: "" };
/** The row that last had the focus: what was pressed in it may be gone by the time its dialog comes. */
let lastRow = "";

/** @param {EventTarget | Element | null} place */
const rowOf = (place) => (place instanceof Element ? place.closest("[data-row]")?.id : undefined);

/** @param {HTMLDialogElement} dialog */
function open(dialog) {
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
  if (dialog && !dialog.matches(":modal")) open(dialog);
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

/** @param {Element | null} asked what a person pressed */
function openMarked(asked) {
  for (const dialog of /** @type {NodeListOf<HTMLDialogElement>} */ (
    document.querySelectorAll("dialog[data-modal][open]")
  )) {
    if (dialog.matches(":modal")) continue;
    came = { from: asked, row: rowOf(asked) ?? lastRow };
    open(dialog);
  }
}

/** A dialog that an answer took away gives nobody their place back; so this does. */
function goBack() {
  if (document.querySelector("dialog:modal") || document.activeElement !== document.body) return;
  const from = came.from?.isConnected ? /** @type {HTMLElement} */ (came.from) : null;
  from?.focus({ preventScroll: true });
  if (document.activeElement !== document.body) return;
  document.getElementById(came.row)?.querySelector("a")?.focus({ preventScroll: true });
}

export function start() {
  openMarked(null);
  document.addEventListener("click", click);
  document.addEventListener("focusin", ({ target }) => {
    lastRow = rowOf(target) ?? lastRow;
  });
  document.addEventListener("htmx:after:swap", ({ detail }) => {
    openMarked(detail.ctx.sourceElement);
    goBack();
  });
}

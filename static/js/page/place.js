// Restores the focus after a response that removes its element, such as a list that is replaced, and after a dialog that
// came with a response: the browser returns the focus only if nothing in the dialog had it before it became modal.

let place = { element: /** @type {Element | null} */ (null), row: "" };

/** @param {Element | null} element */
function remember(element) {
  if (!element || element.closest("dialog")) return;
  place = { element, row: element.closest("[data-row]")?.id ?? "" };
}

/** Also in a closed dialog, until the next frame. */
const isNowhere = () => document.activeElement === document.body || !document.activeElement?.checkVisibility();

function goBack() {
  if (!isNowhere() || document.querySelector("dialog:modal")) return;
  if (place.element?.isConnected) /** @type {HTMLElement} */ (place.element).focus({ preventScroll: true });
  if (isNowhere()) document.getElementById(place.row)?.querySelector("a")?.focus({ preventScroll: true });
}

/** Tab scrolls a wide table only if nothing of the control is in view; a part is not enough. @param {FocusEvent} event */
function reveal({ target }) {
  if (target instanceof Element && target.closest(".table-box") && target.matches("a:focus-visible"))
    target.scrollIntoView({ block: "nearest", inline: "nearest" });
}

export function start() {
  document.addEventListener("focusin", reveal);
  document.addEventListener("htmx:before:swap", ({ detail }) => {
    remember(isNowhere() ? detail.ctx.sourceElement : document.activeElement);
  });
  document.addEventListener("htmx:after:swap", goBack);
  document.addEventListener("close", goBack, true);
}

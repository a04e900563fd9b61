// Restores the focus after a response that removes its element: a dialog that closes, a list that is replaced.

let place = { element: /** @type {Element | null} */ (null), row: "" };

/** @param {Element | null} element */
function remember(element) {
  if (!element || element.closest("dialog")) return;
  place = { element, row: element.closest("[data-row]")?.id ?? "" };
}

const isNowhere = () => document.activeElement === document.body;

function goBack() {
  if (!isNowhere() || document.querySelector("dialog:modal")) return;
  if (place.element?.isConnected) /** @type {HTMLElement} */ (place.element).focus({ preventScroll: true });
  if (isNowhere()) document.getElementById(place.row)?.querySelector("a")?.focus({ preventScroll: true });
}

export function start() {
  document.addEventListener("htmx:before:swap", ({ detail }) => {
    remember(isNowhere() ? detail.ctx.sourceElement : document.activeElement);
  });
  document.addEventListener("htmx:after:swap", goBack);
}

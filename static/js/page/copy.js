// <button data-copies="ID">: puts the text of a field into the clipboard. Hidden where there is no clipboard.

const SAID_MS = 2_000;

/** @param {HTMLButtonElement} button */
async function copy(button) {
  const field = /** @type {HTMLTextAreaElement | null} */ (document.getElementById(button.dataset.copies ?? ""));
  if (!field) return;
  await navigator.clipboard.writeText(field.value);
  button.dataset.copied = "";
  say(true);
  setTimeout(() => {
    delete button.dataset.copied;
    say(false);
  }, SAID_MS);
}

/** For screen readers. @param {boolean} isCopied */
function say(isCopied) {
  const status = document.getElementById("copied");
  if (status) status.textContent = isCopied ? (status.dataset.text ?? "") : "";
}

export function start() {
  if (!navigator.clipboard) return;
  for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll("[data-copies]"))) {
    button.hidden = false;
    button.addEventListener("click", () => copy(button));
  }
}

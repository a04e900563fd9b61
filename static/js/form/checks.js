// <form data-checks>: fields are validated when a person leaves them, and while they correct an error, by the form's own
// view. There is no error before a field was left for the first time.

const LEFT_MS = 150;
const TYPED_MS = 500;

/** @typedef {{left: Set<string>, timer: number, request?: AbortController}} Progress */

/** @type {WeakMap<HTMLFormElement, Progress>} */
const progresses = new WeakMap();

/** @param {HTMLFormElement} form */
function progressOf(form) {
  const progress = progresses.get(form) ?? { left: new Set(), timer: 0 };
  progresses.set(form, progress);
  return progress;
}

/** @param {EventTarget | null} target */
function formOf(target) {
  const form = target instanceof Element ? target.closest("form[data-checks]") : null;
  return form instanceof HTMLFormElement ? form : null;
}

/** @param {Element} control */
const nameOf = (control) =>
  /** @type {HTMLElement | null} */ (control.closest("[data-combobox]"))?.dataset.name ?? control.getAttribute("name");

/** @param {FocusEvent} event */
function leave({ target, relatedTarget }) {
  const form = formOf(target);
  if (!form || !(target instanceof Element) || !target.matches("input, select, textarea")) return;
  const field = target.closest(".field");
  if (relatedTarget instanceof Element && field?.contains(relatedTarget)) return;
  // A button that submits shows all errors anyway; a moving page would take it away from the pointer.
  if (relatedTarget instanceof Element && relatedTarget.matches("button:not([type=button]), [type=submit]")) return;
  const name = nameOf(target);
  if (!name) return;
  progressOf(form).left.add(name);
  schedule(form, LEFT_MS);
}

/** @param {Event} event */
function correct({ target }) {
  const form = formOf(target);
  if (!form || !(target instanceof Element)) return;
  if (target.closest(".field")?.querySelector(".error")) {
    const name = nameOf(target);
    if (name) progressOf(form).left.add(name);
  }
  if (progressOf(form).left.size) schedule(form, TYPED_MS);
}

/**
 * @param {HTMLFormElement} form
 * @param {number} pause
 */
function schedule(form, pause) {
  const progress = progressOf(form);
  clearTimeout(progress.timer);
  progress.timer = setTimeout(() => check(form, progress), pause);
}

/**
 * @param {HTMLFormElement} form
 * @param {Progress} progress
 */
async function check(form, progress) {
  progress.request?.abort();
  progress.request = new AbortController();
  const address = new URL(form.getAttribute("action") ?? "", location.href);
  address.searchParams.set("check", "1");
  const body = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (typeof value === "string") body.append(name, value);
  for (const name of progress.left) body.append("_left", name);
  try {
    const answer = await fetch(address, { method: "POST", body, signal: progress.request.signal, redirect: "error" });
    if (answer.ok) show(form, await answer.text());
  } catch {
    // The next check, or the submission, shows the errors.
  }
}

/**
 * @param {HTMLFormElement} form
 * @param {string} html
 */
function show(form, html) {
  const found = document.createElement("template");
  found.innerHTML = html;
  for (const error of /** @type {NodeListOf<HTMLElement>} */ (found.content.querySelectorAll("[data-field]")))
    showOne(form, error);
}

/**
 * @param {HTMLFormElement} form
 * @param {HTMLElement} error
 */
function showOne(form, error) {
  const name = CSS.escape(error.dataset.field ?? "");
  const controls = form.querySelectorAll(`[name="${name}"], [data-name="${name}"] .combobox-input`);
  const isWrong = Boolean(error.textContent?.trim());
  for (const control of controls) describe(control, error.id, isWrong);
  place(error, isWrong, controls[0]);
  const pick = controls[0]?.closest("details.pick");
  if (pick) markWord(pick);
}

/**
 * @param {HTMLElement} error
 * @param {boolean} isWrong
 * @param {Element | undefined} control
 */
function place(error, isWrong, control) {
  const shown = document.getElementById(error.id);
  if (shown?.textContent?.trim() === error.textContent?.trim()) return;
  if (!isWrong) shown?.remove();
  else if (shown) shown.replaceWith(error);
  else control?.closest(".field")?.append(error);
}

/**
 * The word of a sentence says that something in its list is wrong, which may be closed.
 * @param {Element} pick
 */
function markWord(pick) {
  const word = /** @type {HTMLElement} */ (pick.querySelector("summary"));
  const ids = [...pick.querySelectorAll(".error")].map(({ id }) => id).join(" ");
  word.toggleAttribute("data-wrong", Boolean(ids));
  if (ids) word.setAttribute("aria-describedby", ids);
  else word.removeAttribute("aria-describedby");
}

/**
 * @param {Element} control
 * @param {string} id of the error
 * @param {boolean} isWrong
 */
function describe(control, id, isWrong) {
  const ids = new Set((control.getAttribute("aria-describedby") ?? "").split(" ").filter(Boolean));
  if (isWrong) ids.add(id);
  else ids.delete(id);
  control.toggleAttribute("aria-invalid", isWrong);
  if (isWrong) control.setAttribute("aria-invalid", "true");
  if (ids.size) control.setAttribute("aria-describedby", [...ids].join(" "));
  else control.removeAttribute("aria-describedby");
}

export function start() {
  document.addEventListener("focusout", leave);
  document.addEventListener("input", correct);
  document.addEventListener("change", correct);
}

// <form data-draft>: what a person enters is stored on the device, without secrets, and offered again if it was not
// submitted. `data-draft="comment"` stores only this field. After a sign-in in between (#draft), and with
// `data-restores`, it is restored at once. Forms with the same address need an `id`, unless they share a draft.

import { instant, written } from "../time/times.js";
import { comboboxOf } from "./combobox.js";
import { draftOf, forget, store } from "./storage.js";

const PAUSE_MS = 400;
const RESTORES = "#draft";
// Neither secrets nor what the server put there.
const UNSTORED =
  "[type=password], [type=hidden], [type=file], [autocomplete=one-time-code], [data-secret], [data-secret] *, :disabled";

/** @typedef {import("./storage.js").Draft} Draft */
/** @typedef {import("./storage.js").Entry} Entry */
/** @typedef {HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement} Control */

/** @param {HTMLFormElement} form */
function controls(form) {
  const only = form.dataset.draft;
  return /** @type {Control[]} */ ([...form.elements]).filter(
    (control) =>
      control.matches("input, select, textarea") &&
      (only ? control.name === only : control.name) &&
      !control.matches(UNSTORED),
  );
}

/** @param {Control} control */
const isBox = (control) => control.matches("[type=checkbox], [type=radio]");

/**
 * @param {HTMLFormElement} form
 * @param {(control: Control) => string} read
 * @returns {Entry[]}
 */
const entriesOf = (form, read = (control) => control.value) =>
  controls(form)
    .filter((control) => !isBox(control) || /** @type {HTMLInputElement} */ (control).checked)
    .map((control) => ({ name: control.name, value: read(control), ...labelOf(control) }));

/** @param {Control} control */
const labelOf = (control) =>
  control.closest("[data-combobox]") ? { label: control.closest("label")?.textContent?.trim() ?? "" } : {};

/** @param {Entry[]} entries */
const textOf = (entries) => JSON.stringify(entries.map(({ name, value }) => [name, value]));

const randomToken = () =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

/** @param {number} at */
function timeOf(at) {
  const isToday = new Date(at).toDateString() === new Date().toDateString();
  const time = /** @type {const} */ ({ hour: "2-digit", minute: "2-digit" });
  return written(instant(isToday ? time : { month: "short", day: "numeric", ...time }), at);
}

/**
 * @param {HTMLFormElement} form
 * @param {Entry[]} entries
 */
function restore(form, entries) {
  /** @type {Map<string, string[]>} */
  const values = new Map();
  for (const { name, value } of entries) values.set(name, [...(values.get(name) ?? []), value]);
  for (const control of controls(form)) {
    const wanted = values.get(control.name) ?? [];
    if (isBox(control)) /** @type {HTMLInputElement} */ (control).checked = wanted.includes(control.value);
    else if (wanted.length) control.value = /** @type {string} */ (wanted.shift());
  }
  restoreChips(form, entries);
  form.dispatchEvent(new Event("change", { bubbles: true }));
}

/**
 * @param {HTMLFormElement} form
 * @param {Entry[]} entries
 */
function restoreChips(form, entries) {
  for (const root of /** @type {NodeListOf<HTMLElement>} */ (form.querySelectorAll("[data-combobox]"))) {
    const chosen = entries.filter(({ name }) => name === root.dataset.name);
    for (const { value, label } of chosen) comboboxOf(root)?.add(value, label ?? value);
    comboboxOf(root)?.refresh();
  }
}

/**
 * What the server put there. A person may have typed before this module was loaded.
 * @param {Control} control
 */
const initial = (control) =>
  isBox(control) || control.matches("select")
    ? control.value
    : /** @type {HTMLInputElement | HTMLTextAreaElement} */ (control).defaultValue;

/** @param {HTMLFormElement} form */
function watch(form) {
  const begun = textOf(entriesOf(form, initial));
  const found = draftOf(form);
  const token = found?.token ?? randomToken();
  // A form that came back with errors has the draft in its fields.
  const clean = found && textOf(found.entries) === begun ? null : begun;
  let timer = 0;
  const save = () => {
    const entries = entriesOf(form);
    const text = textOf(entries);
    if (text === clean) forget(form);
    else if (text !== textOf(draftOf(form)?.entries ?? [])) store(form, { token, at: Date.now(), entries });
  };
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(save, PAUSE_MS);
  };
  for (const name of ["input", "change"]) form.addEventListener(name, later);
  form.closest("dialog")?.addEventListener("close", save);
  form.addEventListener("htmx:after:request", ({ target, detail }) => {
    if (target !== form || !isAccepted(form, detail.ctx)) return;
    clearTimeout(timer);
    forget(form);
  });
  form.addEventListener("submit", () => {
    clearTimeout(timer);
    // Also what the server put into the fields, if it was a draft before.
    if (draftOf(form)) store(form, { token, at: Date.now(), entries: entriesOf(form) });
    else save();
  });
  mark(form, token);
  if (textOf(entriesOf(form)) !== begun) save();
  else if (found && textOf(found.entries) !== begun) offer(form, found);
}

/**
 * Whether htmx has submitted the form, to its own address, and the server has not asked for a sign-in instead.
 * @param {HTMLFormElement} form
 * @param {{response: {status: number, headers: Headers}}} ctx
 */
const isAccepted = (form, { response }) =>
  form.getAttribute("hx-post") === form.getAttribute("action") &&
  response.status < 300 &&
  !response.headers.has("HX-Redirect");

/**
 * The server says by this token that it has accepted a form that the browser has submitted.
 * @param {HTMLFormElement} form
 * @param {string} token
 */
function mark(form, token) {
  const field = document.createElement("input");
  Object.assign(field, { type: "hidden", name: "_draft", value: token });
  form.append(field);
}

/**
 * @param {HTMLFormElement} form
 * @param {Draft} draft
 */
function offer(form, draft) {
  const part = /** @type {HTMLElement | null} */ (form.querySelector("[data-draft-offer]"));
  const text = /** @type {HTMLElement | null} */ (part?.querySelector("[data-restored]"));
  const again = /** @type {HTMLElement | null} */ (part?.querySelector("[data-restore]"));
  const away = /** @type {HTMLElement | null} */ (part?.querySelector("[data-discard]"));
  if (!part || !text || !again || !away) return;
  const before = entriesOf(form);
  const time = timeOf(draft.at);
  again.textContent = (again.dataset.restore ?? "").replace("{time}", time);
  const use = () => {
    restore(form, draft.entries);
    text.textContent = (text.dataset.restored ?? "").replace("{time}", time);
    again.hidden = true;
  };
  again.addEventListener("click", use);
  away.addEventListener("click", () => {
    if (again.hidden) restore(form, before);
    forget(form);
    part.hidden = true;
  });
  part.hidden = false;
  if (location.hash === RESTORES || form.dataset.restores !== undefined) use();
}

/** @type {WeakSet<Element>} */
const watched = new WeakSet();

function watchAll() {
  for (const form of /** @type {NodeListOf<HTMLFormElement>} */ (document.querySelectorAll("form[data-draft]"))) {
    if (watched.has(form)) continue;
    watched.add(form);
    watch(form);
  }
}

export function start() {
  watchAll();
  if (location.hash === RESTORES) history.replaceState(history.state, "", location.pathname + location.search);
  document.addEventListener("htmx:after:swap", watchAll); // dialogs
}

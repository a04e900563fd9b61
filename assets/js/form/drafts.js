// <form id data-draft>: what a person enters is stored on the device, without secrets, and offered again if it was not
// submitted. After a sign-in in between (#draft) it is restored at once.

import { instant, written } from "../page/times.js";
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
const controls = (form) =>
  /** @type {Control[]} */ ([...form.elements]).filter(
    (control) => control.matches("input, select, textarea") && control.name && !control.matches(UNSTORED),
  );

/** @param {Control} control */
const isBox = (control) => control.matches("[type=checkbox], [type=radio]");

/** @param {HTMLFormElement} form @returns {Entry[]} */
const entriesOf = (form) =>
  controls(form)
    .filter((control) => !isBox(control) || /** @type {HTMLInputElement} */ (control).checked)
    .map((control) => ({ name: control.name, value: control.value, ...labelOf(control) }));

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

/** @param {HTMLFormElement} form */
function watch(form) {
  const begun = textOf(entriesOf(form));
  const found = draftOf(form);
  const token = found?.token ?? randomToken();
  let timer = 0;
  const save = () => {
    const entries = entriesOf(form);
    if (textOf(entries) === begun) forget(form);
    else store(form, { token, at: Date.now(), entries });
  };
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(save, PAUSE_MS);
  };
  for (const name of ["input", "change"]) form.addEventListener(name, later);
  form.addEventListener("submit", () => {
    clearTimeout(timer);
    // Also what the server put into the fields, if it was a draft before.
    if (draftOf(form)) store(form, { token, at: Date.now(), entries: entriesOf(form) });
    else save();
  });
  mark(form, token);
  if (found && textOf(found.entries) !== begun) offer(form, found);
}

/**
 * The server says by this token that it has accepted the form.
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
  if (location.hash === RESTORES) use();
}

export function start() {
  for (const form of document.querySelectorAll("form[data-draft]")) watch(/** @type {HTMLFormElement} */ (form));
  if (location.hash === RESTORES) history.replaceState(history.state, "", location.pathname + location.search);
}

// The selected terminals of a list. They stay selected while rows change, and while the person sorts and pages the list; a
// list with another filter begins without any. Rows are <tr data-row> with a checkbox of the form #selection.

import { isField } from "../person/person.js";
import { store, stored } from "./stored.js";

const KEY = "tms.selection";
const BOXES = "[data-row] .pick input[form=selection]";
const MOST_IN_ADDRESS = 100; // of at most 64 characters each: servers refuse long addresses
const storage = () => sessionStorage;

/** `isAll`: all that match the filter, also those that nobody picked. */
const chosen = { filter: "", isAll: false, uids: /** @type {Set<string>} */ (new Set()) };
/** @type {HTMLInputElement | null} */
let anchor = null;
let isRefused = false;
/** @type {HTMLElement | null} */
let submitter = null;

const form = () => /** @type {HTMLFormElement | null} */ (document.getElementById("selection"));
const boxes = () => /** @type {HTMLInputElement[]} */ ([...document.querySelectorAll(BOXES)]);
const foot = () => document.getElementById("foot");
const matching = () => Number(foot()?.dataset.matching ?? 0);
const me = () => document.documentElement.dataset.me ?? "";
/** @param {number} number */
const spelled = (number) => number.toLocaleString(document.documentElement.lang);
const spelledMatching = () => spelled(matching()) + (foot()?.hasAttribute("data-capped") ? "+" : "");

/** @param {HTMLFormElement} bar */
function follow(bar) {
  const filter = bar.dataset.filter ?? "";
  if (filter === chosen.filter) return;
  Object.assign(chosen, { filter, isAll: false, uids: new Set() });
}

/** @param {HTMLFormElement} bar */
function restore(bar) {
  chosen.filter = bar.dataset.filter ?? "";
  const kept = stored(storage, KEY);
  if (kept?.me !== me() || kept.filter !== chosen.filter || !Array.isArray(kept.uids)) return;
  chosen.isAll = kept.isAll === true;
  chosen.uids = new Set(kept.uids);
}

function keep() {
  store(storage, KEY, { ...chosen, me: me(), uids: [...chosen.uids] });
}

/** @param {HTMLFormElement} bar */
function text(bar) {
  if (isRefused) return bar.dataset.tooMany ?? "";
  if (chosen.isAll) return (bar.dataset.ofQuery ?? "").replace("{n}", spelledMatching());
  const here = boxes().filter(({ value }) => chosen.uids.has(value)).length;
  const elsewhere = chosen.uids.size - here;
  const form = elsewhere ? bar.dataset.elsewhere : bar.querySelector("output")?.dataset.text;
  return (form ?? "").replace("{n}", spelled(chosen.uids.size)).replace("{m}", spelled(elsewhere));
}

/** @param {HTMLElement | null} element @param {string} text */
function write(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}

function paint() {
  const bar = form();
  if (!bar) return;
  follow(bar);
  const all = boxes();
  for (const box of all) box.checked = chosen.isAll || chosen.uids.has(box.value);
  const ticked = all.filter(({ checked }) => checked).length;
  const head = /** @type {HTMLInputElement | null} */ (document.querySelector("input[data-all]"));
  if (head) {
    head.checked = all.length > 0 && ticked === all.length;
    head.indeterminate = ticked > 0 && ticked < all.length;
  }
  bar.toggleAttribute("data-open", chosen.isAll || chosen.uids.size > 0);
  write(bar.querySelector("output"), text(bar));
  const more = /** @type {HTMLElement | null} */ (bar.querySelector("[data-select-all]"));
  if (!more) return;
  more.hidden = chosen.isAll || matching() <= chosen.uids.size;
  write(more, (more.dataset.text ?? "").replace("{n}", spelledMatching()));
}

function changed() {
  keep();
  paint();
}

/**
 * @param {HTMLInputElement[]} some
 * @param {boolean} isOn
 */
function toggle(some, isOn) {
  const most = Number(form()?.dataset.most ?? Number.POSITIVE_INFINITY);
  isRefused = false;
  if (chosen.isAll) chosen.uids = new Set(boxes().map(({ value }) => value));
  chosen.isAll = false;
  for (const { value } of some) {
    if (!isOn) chosen.uids.delete(value);
    else if (chosen.uids.has(value) || chosen.uids.size < most) chosen.uids.add(value);
    else isRefused = true;
  }
  changed();
}

function clear() {
  const bar = form();
  if (bar?.contains(document.activeElement)) {
    const row = boxes().find(({ checked }) => checked) ?? boxes()[0];
    row?.closest("[data-row]")?.querySelector("a")?.focus({ preventScroll: true });
  }
  isRefused = false;
  Object.assign(chosen, { isAll: false, uids: new Set() });
  changed();
}

/** @param {HTMLInputElement} from @param {HTMLInputElement} to */
function between(from, to) {
  const all = boxes();
  const ends = [all.indexOf(from), all.indexOf(to)].sort((a, b) => a - b);
  return ends[0] < 0 ? [to] : all.slice(ends[0], ends[1] + 1);
}

/** @param {MouseEvent} event */
function onClick({ target, shiftKey }) {
  if (!(target instanceof Element) || !form()) return;
  if (target.matches("input[data-all]")) toggle(boxes(), /** @type {HTMLInputElement} */ (target).checked);
  if (target.closest("[data-select-all]")) {
    chosen.isAll = true;
    changed();
  }
  if (!target.matches(BOXES)) return;
  const box = /** @type {HTMLInputElement} */ (target);
  toggle(shiftKey && anchor?.isConnected ? between(anchor, box) : [box], box.checked);
  anchor = box;
}

/** @param {KeyboardEvent} event */
function onKey(event) {
  if (event.key !== "Escape" || event.defaultPrevented || !(chosen.isAll || chosen.uids.size)) return;
  const active = document.activeElement;
  if (!form() || document.querySelector("dialog:modal") || (active && isField(active))) return;
  event.preventDefault();
  clear();
}

/** A long selection does not fit into an address. @param {SubmitEvent} event */
function onSubmit(event) {
  const bar = form();
  if (!bar || event.target !== bar) return;
  submitter = event.submitter;
  bar.method = !chosen.isAll && chosen.uids.size > MOST_IN_ADDRESS ? "post" : "get";
}

/** What is sent is the selection, not the checkboxes of this page. @param {FormDataEvent} event */
function onFormData({ target, formData }) {
  const bar = form();
  if (!bar || target !== bar) return;
  formData.delete("terminal");
  if (!submitter?.hasAttribute("data-export")) for (const name of ["columns", "order"]) formData.delete(name);
  if (chosen.isAll) {
    formData.append("all", "1");
    formData.append("count", String(matching()));
    for (const [name, value] of new URLSearchParams(chosen.filter)) formData.append(name, value);
    return;
  }
  for (const uid of chosen.uids) formData.append("terminal", uid);
  if (bar.method !== "post") return;
  const token = /** @type {HTMLInputElement | null} */ (document.querySelector("input[name=csrfmiddlewaretoken]"));
  formData.append("csrfmiddlewaretoken", token?.value ?? "");
  formData.append("prefill", "1");
}

export function start() {
  const main = document.getElementById("main");
  const bar = form();
  if (!main || !bar) return;
  restore(bar);
  paint();
  document.addEventListener("click", onClick);
  document.addEventListener("keydown", onKey);
  document.addEventListener("submit", onSubmit);
  document.addEventListener("formdata", onFormData);
  document.addEventListener("reset", ({ target }) => {
    if (target === form()) requestAnimationFrame(clear);
  });
  // The browser restores ticks when a person goes back, and frames bring rows.
  addEventListener("pageshow", paint);
  new MutationObserver(paint).observe(main, { childList: true, subtree: true });
}

// The global search: Ctrl+K or ⌘+K on every page, and `/` where a page has no search of its own. The field keeps the
// focus; the options of the list below it are chosen with the arrow keys.

import { openById } from "../page/dialog.js";
import { recent, remember, start as startRecent } from "./recent.js";

const WAIT_MS = 120;
const dialog = () => /** @type {HTMLDialogElement | null} */ (document.getElementById("palette"));

/** @type {HTMLFormElement} */
let form;
/** @type {HTMLInputElement} */
let field;
/** @type {HTMLInputElement} the row whose actions are shown */
let about;
/** @type {HTMLElement} */
let list;
let timer = 0;
let isPending = false;
let asked = "";
/** @type {(() => void) | undefined} what a key asked for before the answer was there */
let whenFound;

const options = () => /** @type {HTMLElement[]} */ ([...list.querySelectorAll("[role=option]")]);
const wanted = () => (about.disabled ? field.value : about.value);
const chosen = () => /** @type {HTMLElement | null} */ (list.querySelector("[role=option][aria-selected=true]"));
/** @param {string} text */
const report = (text) => {
  /** @type {HTMLElement} */ (form.querySelector("[role=status]")).textContent = text;
};

/** Where there is no dialog, the page of the search. */
export function open() {
  if (!openById("palette")) location.assign("/search/");
}

/** @param {HTMLElement | undefined} option */
function choose(option) {
  chosen()?.setAttribute("aria-selected", "false");
  field.setAttribute("aria-expanded", String(Boolean(option)));
  if (!option) return field.removeAttribute("aria-activedescendant");
  option.setAttribute("aria-selected", "true");
  field.setAttribute("aria-activedescendant", option.id);
  option.scrollIntoView({ block: "nearest" });
}

/** @param {number} by */
function step(by) {
  const all = options();
  const at = all.indexOf(/** @type {HTMLElement} */ (chosen()));
  choose(all[(at + by + all.length) % all.length]);
}

/** @param {number} wait in milliseconds */
function ask(wait) {
  isPending = true;
  whenFound = undefined;
  asked = wanted();
  clearTimeout(timer);
  timer = setTimeout(() => {
    timer = 0;
    form.dispatchEvent(new CustomEvent("palette"));
  }, wait);
}

/** @param {string} row */
function askAbout(row) {
  about.value = row;
  about.disabled = !row;
  field.value = "";
  ask(0);
}

/** The actions of the chosen row, if it has any. */
function showActions() {
  const row = chosen()?.dataset.about;
  if (row) askAbout(row);
}

function showRecent() {
  const opened = recent();
  const template = /** @type {HTMLTemplateElement} */ (document.getElementById("palette-recent"));
  if (!opened.length || field.value || !about.disabled) return;
  const section = /** @type {HTMLElement} */ (template.content.firstElementChild?.cloneNode(true));
  const items = /** @type {HTMLElement} */ (section.querySelector("ul"));
  const blank = /** @type {HTMLElement} */ (items.firstElementChild);
  for (const [n, one] of opened.entries()) {
    const item = /** @type {HTMLElement} */ (blank.cloneNode(true));
    const link = /** @type {HTMLAnchorElement} */ (item.querySelector("a"));
    Object.assign(link, { id: `found-recent-${n + 1}`, href: one.href });
    /** @type {HTMLElement} */ (item.querySelector("b")).textContent = one.title;
    /** @type {HTMLElement} */ (item.querySelector(".detail")).textContent = one.detail;
    items.append(item);
  }
  blank.remove();
  list.querySelector(".found")?.prepend(section);
}

/** The response may be that to what the field had before. */
function found() {
  const answer = /** @type {HTMLElement} */ (list.querySelector(".found"));
  showRecent();
  report(answer.dataset.status ?? "");
  choose(options()[0]);
  list.scrollTop = 0;
  isPending = answer.dataset.q !== wanted();
  if (!isPending) whenFound?.();
}

function failed() {
  isPending = false;
  report(/** @type {HTMLElement} */ (form.querySelector("[role=status]")).dataset.failed ?? "");
}

/** @param {HTMLElement} option */
function opened(option) {
  const href = option.getAttribute("href");
  if (!href || option.hasAttribute("hx-get") || option.hasAttribute("hx-post")) return;
  const text = (/** @type {string} */ selector) => option.querySelector(selector)?.textContent?.trim() ?? "";
  remember({ title: text("b"), detail: text(".detail"), href });
}

/** @param {MouseEvent} event */
function click(event) {
  const option = /** @type {HTMLElement | null} */ (
    event.target instanceof Element ? event.target.closest("[role=option]") : null
  );
  if (!option) return;
  opened(option);
  if (!event.ctrlKey && !event.metaKey && !event.shiftKey) dialog()?.close();
}

/** @param {KeyboardEvent} event */
function enter(event) {
  const option = chosen();
  if (isPending) {
    event.preventDefault();
    whenFound = () => chosen()?.click();
  } else if (option) {
    event.preventDefault();
    const href = option.getAttribute("href");
    if (!href || !(event.ctrlKey || event.metaKey)) return option.click();
    opened(option);
    window.open(href, "_blank", "noopener");
  }
}

/** @type {Record<string, (event: KeyboardEvent) => void>} */
const KEYS = {
  ArrowDown: (event) => {
    event.preventDefault();
    step(1);
  },
  ArrowUp: (event) => {
    event.preventDefault();
    step(-1);
  },
  Enter: enter,
  Tab: (event) => {
    if (event.shiftKey || !(isPending || chosen()?.dataset.about)) return;
    event.preventDefault();
    if (isPending) whenFound = showActions;
    else showActions();
  },
  Backspace: () => {
    if (!field.value && !about.disabled) askAbout("");
  },
};

/**
 * While an input method composes, Enter and the arrows are for it; Safari says so only with the key code 229.
 * @param {KeyboardEvent} event
 */
function down(event) {
  if (event.target !== field || event.isComposing || event.keyCode === 229) return;
  KEYS[event.key]?.(event);
}

/** @param {Event} event */
function typed(event) {
  if (/** @type {InputEvent} */ (event).isComposing) return;
  about.disabled = true;
  if (isPending && field.value === asked) return; // the completions have been loaded; a key may already wait
  ask(WAIT_MS);
}

/** Completions of a query, loaded when the search is opened for the first time. */
async function startCompletions() {
  const box = /** @type {HTMLElement} */ (form.querySelector("[data-completes]"));
  if (box.dataset.query) return;
  box.dataset.query = box.dataset.completes;
  (await import("../form/query.js")).start();
  field.setAttribute("aria-controls", "found palette-completions");
  if (field.value) field.dispatchEvent(new Event("input")); // typed meanwhile
}

function begin() {
  startCompletions().catch(reportError); // the search works without them
  field.value = "";
  list.querySelector(".found")?.replaceChildren();
  report("");
  askAbout("");
}

function end() {
  clearTimeout(timer);
  timer = 0;
  isPending = false;
  choose(undefined);
  form.dispatchEvent(new CustomEvent("htmx:abort"));
}

/** @param {KeyboardEvent} event */
function shortcut(event) {
  const isIt = event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey;
  if (!isIt || event.isComposing || !dialog()) return;
  event.preventDefault();
  if (!document.querySelector("dialog:modal")) open();
}

function nameKeys() {
  if (!/Mac|iPhone|iPad/.test(navigator.platform)) return;
  for (const key of document.querySelectorAll(".find kbd, .palette-foot kbd"))
    key.textContent = (key.textContent ?? "").replace("Ctrl ", "⌘");
}

export function start() {
  const palette = dialog();
  if (!palette) return;
  form = /** @type {HTMLFormElement} */ (palette.querySelector("form"));
  field = /** @type {HTMLInputElement} */ (form.elements.namedItem("q"));
  about = /** @type {HTMLInputElement} */ (form.elements.namedItem("about"));
  list = /** @type {HTMLElement} */ (document.getElementById("palette-found"));
  startRecent();
  nameKeys();
  palette.addEventListener("opened", begin);
  palette.addEventListener("close", end);
  field.addEventListener("input", typed);
  field.addEventListener("compositionend", () => ask(WAIT_MS));
  form.addEventListener("keydown", down); // not those that a list of completions at the field has used
  list.addEventListener("click", click);
  form.addEventListener("htmx:after:swap", found);
  form.addEventListener("htmx:error", failed);
  form.addEventListener("htmx:response:error", failed);
  document.addEventListener("keydown", shortcut);
}

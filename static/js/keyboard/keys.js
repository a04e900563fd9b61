// The keyboard: every key activates a control that a pointer could activate as well. A person can turn off the keys that
// are characters (WCAG 2.1.4), because speech input and screen readers type them; Escape stays.

import { show } from "../live/waiting.js";
import { openById } from "../page/dialog.js";
import { ticked } from "../page/ticks.js";
import { undo } from "../page/toast.js";
import { isField } from "../person/person.js";
import { open as openPalette } from "./palette.js";
import { perform } from "./quick.js";

const CHORD_MS = 1500;
const PAGES = { o: "/", t: "/terminals/", a: "/alerts/", i: "/incidents/", r: "/rollouts/" };

let chordUntil = 0;

const rows = () => /** @type {HTMLElement[]} */ ([...document.querySelectorAll("[data-row]")]);
const rowNow = () => /** @type {HTMLElement | null} */ (document.activeElement?.closest("[data-row]") ?? null);

/** @param {number} by */
function step(by) {
  const all = rows();
  const row = rowNow();
  const at = row ? all.indexOf(row) + by : 0;
  const next = all[Math.min(Math.max(at, 0), all.length - 1)];
  next?.querySelector("a")?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

/** @param {string} selector */
function press(selector) {
  /** @type {HTMLElement | undefined} */ (found(selector))?.click();
}

/**
 * The control of a key: for all ticked rows, or else in the focused row, or else on the page.
 * @param {string} selector
 */
function found(selector) {
  const inRow = rowNow()?.querySelector(selector);
  const shown = [...document.querySelectorAll(selector)].filter((element) => element.checkVisibility());
  const onPage = shown.find((element) => !element.closest("[data-row]"));
  return ticked().length ? (onPage ?? inRow) : (inRow ?? onPage);
}

/** The page's own search, or else that of everything. */
function search() {
  const fields = /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll("input[type=search]"));
  const field = [...fields].find((one) => one.checkVisibility());
  if (!field) return openPalette();
  field.focus();
  field.select();
}

function help() {
  if (!openById("keys")) location.assign("/help/");
}

/** Leaves a field, then a selection. @param {KeyboardEvent} event */
function stepBack(event) {
  const active = /** @type {HTMLElement | null} */ (document.activeElement);
  if (active && isField(active)) {
    event.preventDefault(); // Chromium would empty a search field, and the list would be another one
    return active.blur();
  }
  for (const box of ticked()) box.click();
}

/** @type {Record<string, () => unknown>} */
const keys = {
  "?": help,
  "/": search,
  ".": show,
  j: () => step(1),
  k: () => step(-1),
  x: () => /** @type {HTMLElement | null | undefined} */ (rowNow()?.querySelector("input[type=checkbox]"))?.click(),
  Z: undo,
  z: undo,
  q: () => /** @type {HTMLElement | null} */ (document.querySelector("#sound [data-switch]"))?.click(),
  g: () => {
    chordUntil = performance.now() + CHORD_MS;
  },
};

/**
 * The page's controls by key: the operator actions name theirs.
 * @param {string} key
 */
function operatorAction(key) {
  const selector = `[data-key="${CSS.escape(key)}"]`;
  if (document.querySelector(selector)) return () => press(selector);
  const quick = found(`[data-quick="${CSS.escape(key)}"]`);
  return quick ? () => perform(quick) : undefined;
}

/** @param {string} key */
function actionOf(key) {
  const isChord = performance.now() < chordUntil;
  chordUntil = 0;
  const page = PAGES[/** @type {keyof typeof PAGES} */ (key)];
  return isChord && page ? () => location.assign(page) : (keys[key] ?? operatorAction(key));
}

/**
 * Ctrl+Enter or ⌘+Enter, from anywhere in a dialog, or on a page with a form for it.
 * @param {KeyboardEvent} event
 */
function submit(event) {
  const dialog = document.querySelector("dialog:modal");
  const button = dialog
    ? dialog.querySelector("form[method=post] .dialog-foot button:not([type=button], [disabled])")
    : document.querySelector("[data-submit]");
  if (!button) return;
  event.preventDefault();
  /** @type {HTMLElement} */ (button).click();
}

/** @param {KeyboardEvent} event */
function down(event) {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.isComposing) return submit(event);
  if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (document.querySelector("dialog:modal")) return;
  if (event.key === "Escape") return stepBack(event);
  if (document.documentElement.dataset.shortcuts === "off") return;
  if (event.target instanceof Element && isField(event.target)) return;
  const action = actionOf(event.key);
  if (!action) return;
  event.preventDefault();
  action();
}

export const start = () => document.addEventListener("keydown", down);

// What a person opened from the search, on this device: the newest first, and gone after signing out.

import { store, stored } from "../page/stored.js";

const MAX_RECENT = 8;
const MAX_CHARACTERS = 200;

/** @typedef {{title: string, detail: string, href: string}} Recent */

const key = () => `tms-recent-${document.documentElement.dataset.me ?? ""}`;

/**
 * Only links of this site: what is stored may have been written by anything that ran here.
 * @param {Partial<Recent>} one
 */
const isValid = (one) =>
  [one?.title, one?.detail, one?.href].every((text) => typeof text === "string" && text.length <= MAX_CHARACTERS) &&
  /^\/(?!\/)/.test(one.href ?? "");

/** @returns {Recent[]} */
export function recent() {
  const opened = stored(() => localStorage, key());
  return Array.isArray(opened) ? opened.filter(isValid).slice(0, MAX_RECENT) : [];
}

/** @param {Recent} opened */
export function remember(opened) {
  if (!isValid(opened)) return;
  const others = recent().filter((one) => one.href !== opened.href);
  store(() => localStorage, key(), [opened, ...others].slice(0, MAX_RECENT));
}

/** @param {SubmitEvent} event */
function forget(event) {
  if (/** @type {HTMLFormElement} */ (event.target).matches('form[action$="/sign-out/"]'))
    localStorage.removeItem(key());
}

export const start = () => document.addEventListener("submit", forget);

// What a person opened from the search, on this device: the newest first, and gone after signing out.

const MOST = 8;
const LONGEST = 200;

/** @typedef {{title: string, detail: string, href: string}} Recent */

const key = () => `tms-recent-${document.documentElement.dataset.me ?? ""}`;

/**
 * Only links of this site: what is stored may have been written by anything that ran here.
 * @param {Partial<Recent>} one
 */
const isValid = (one) =>
  [one?.title, one?.detail, one?.href].every((text) => typeof text === "string" && text.length <= LONGEST) &&
  /^\/(?!\/)/.test(one.href ?? "");

/** @returns {Recent[]} */
export function recent() {
  try {
    const stored = JSON.parse(localStorage.getItem(key()) ?? "[]");
    return Array.isArray(stored) ? stored.filter(isValid).slice(0, MOST) : [];
  } catch {
    return [];
  }
}

/** @param {Recent} opened */
export function remember(opened) {
  if (!isValid(opened)) return;
  const others = recent().filter((one) => one.href !== opened.href);
  try {
    localStorage.setItem(key(), JSON.stringify([opened, ...others].slice(0, MOST)));
  } catch {
    // Storage is full or forbidden: nothing is remembered.
  }
}

/** @param {SubmitEvent} event */
function forget(event) {
  if (/** @type {HTMLFormElement} */ (event.target).matches('form[action$="/sign-out/"]'))
    localStorage.removeItem(key());
}

export const start = () => document.addEventListener("submit", forget);

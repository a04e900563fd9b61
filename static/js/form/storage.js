// Drafts of forms on this device, by person, page and form. They are deleted when the form was submitted successfully, when
// the person signs out, when another person signs in, and after a week.

const PREFIX = "tms.draft:";
const SENT = "tms_draft_sent";
const MAX_AGE_MS = 7 * 24 * 3_600_000;
const MAX_CHARACTERS = 200_000;

/** @typedef {{name: string, value: string, label?: string}} Entry */
/** @typedef {{token: string, at: number, entries: Entry[]}} Draft */

const me = () => document.documentElement.dataset.me ?? "";

/** @param {HTMLFormElement} form */
function keyOf(form) {
  // A page with errors has another address than the page on which the form was opened; the form's own is the same.
  const { pathname } = new URL(form.getAttribute("action") ?? "", location.href);
  return `${PREFIX}${me()}:${pathname}:${form.id}`;
}

/** Storage can be full or forbidden: then there are no drafts. */
function storage() {
  try {
    return localStorage;
  } catch {
    return null;
  }
}

/** @param {string} key */
function read(key) {
  try {
    const draft = JSON.parse(storage()?.getItem(key) ?? "null");
    return Array.isArray(draft?.entries) ? /** @type {Draft} */ (draft) : null;
  } catch {
    return null;
  }
}

const keys = () => Object.keys(storage() ?? {}).filter((key) => key.startsWith(PREFIX));

/** @param {HTMLFormElement} form */
export const draftOf = (form) => read(keyOf(form));

/**
 * @param {HTMLFormElement} form
 * @param {Draft} draft
 */
export function store(form, draft) {
  const text = JSON.stringify(draft);
  if (text.length > MAX_CHARACTERS) return;
  try {
    storage()?.setItem(keyOf(form), text);
  } catch {
    // full
  }
}

/** @param {HTMLFormElement} form */
export const forget = (form) => storage()?.removeItem(keyOf(form));

/** @param {(key: string, draft: Draft | null) => boolean} isUnwanted */
function forgetAll(isUnwanted) {
  for (const key of keys()) if (isUnwanted(key, read(key))) storage()?.removeItem(key);
}

/** The server names the draft of a form that it has accepted. */
function takeSent() {
  const sent = document.cookie.match(new RegExp(`(?:^|; )${SENT}=([0-9a-f]+)`))?.[1];
  // biome-ignore lint/suspicious/noDocumentCookie: Firefox and Safari have no cookieStore in all supported versions
  if (sent) document.cookie = `${SENT}=; path=/; max-age=0; samesite=lax`;
  return sent;
}

/** @param {SubmitEvent} event */
function submitted({ target }) {
  if (target instanceof HTMLFormElement && target.matches("form[data-signs-out]")) forgetAll(() => true);
}

export function start() {
  const sent = takeSent();
  const since = Date.now() - MAX_AGE_MS;
  const mine = `${PREFIX}${me()}:`;
  if (me())
    forgetAll((key, draft) => !key.startsWith(mine) || !draft || draft.at < since || (sent && draft.token === sent));
  document.addEventListener("submit", submitted);
}

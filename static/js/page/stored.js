// Values that this browser holds for TMS. Storage can be full or forbidden, and may contain what something else wrote.

/** @typedef {() => Storage} Where `() => localStorage`: a browser that forbids it throws at this name */

/**
 * @param {Where} where
 * @param {string} key
 * @returns {any} null if there is none, or none that can be read
 */
export function stored(where, key) {
  try {
    return JSON.parse(where().getItem(key) ?? "null");
  } catch {
    return null;
  }
}

/**
 * @param {Where} where
 * @param {string} key
 * @param {unknown} value
 */
export function store(where, key, value) {
  try {
    where().setItem(key, JSON.stringify(value));
  } catch {
    // The next page starts without it.
  }
}

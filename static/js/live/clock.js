// Estimates the server's clock: every frame contains the time at which it was sent. A replay shows a past instant instead.

const MAX_OFFSETS = 10;

/** @type {number[]} */
const offsets = [];
let skew = 0;

/** Milliseconds since the epoch by the server's clock. */
export const serverNow = () => Date.now() + skew;

/** The same at the instant that the page shows: the present, or that of a replay. */
export function shownNow() {
  const { at } = document.documentElement.dataset;
  return at ? Date.parse(at) : serverNow();
}

/**
 * A frame sent `at` has just arrived. The least delayed of the last ten frames gives the best estimate.
 * @param {string} at
 */
export function received(at) {
  const offset = Date.parse(at) - Date.now();
  if (Number.isNaN(offset)) return;
  offsets.push(offset);
  if (offsets.length > MAX_OFFSETS) offsets.shift();
  skew = Math.max(...offsets);
}

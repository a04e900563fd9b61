// The server's clock, as well as a browser can know it: every frame says when it left.

const KEPT = 10;

/** @type {number[]} */
const offsets = [];
let skew = 0;

/** Milliseconds since the epoch by the server's clock. */
export const serverNow = () => Date.now() + skew;

/**
 * A frame that left at `at` has just arrived. The least delayed of the last ten knows the difference best.
 * @param {string} at
 */
export function heard(at) {
  const offset = Date.parse(at) - Date.now();
  if (Number.isNaN(offset)) return;
  offsets.push(offset);
  if (offsets.length > KEPT) offsets.shift();
  skew = Math.max(...offsets);
}

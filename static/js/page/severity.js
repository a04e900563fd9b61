// The order of severities.

/** The worst first. */
export const SEVERITIES = /** @type {const} */ (["critical", "warning", "info"]);

/**
 * The rank of a row by its severity: 0 is the worst, and a row without a severity comes last.
 * @param {Element} row
 */
export function rankOf(row) {
  const rank = /** @type {readonly string[]} */ (SEVERITIES).indexOf(row.getAttribute("data-severity") ?? "");
  return rank < 0 ? SEVERITIES.length : rank;
}

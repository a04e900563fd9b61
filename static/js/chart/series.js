// The readings of one terminal over a span of time, and what may honestly be drawn of them.

/**
 * @typedef {{comparison: "above" | "below", limit: number, severity: "critical" | "warning" | "info"}} Limit
 * @typedef {{from: number, to: number | null, presence: string}} Stay
 * @typedef {{at: number[], metrics: Record<string, (number | null)[]>, late: (0 | 1)[], presence: Stay[],
 *   limits: Record<string, Limit[]>}} Series instants in seconds since the epoch
 * @typedef {[number[], (number | null)[], (number | null)[]]} Trace instants, values sent in time, values sent late
 */

// A terminal that skips one report has not fallen silent.
const MISSED = 2.5;

/** @param {number[]} at */
function usualStep(at) {
  const steps = at
    .slice(1)
    .map((instant, i) => instant - at[i])
    .sort((a, b) => a - b);
  return steps[Math.floor(steps.length / 2)] ?? Number.POSITIVE_INFINITY;
}

/**
 * The line of one metric: broken where readings are missing, in two parts so that what came late can look so. A stretch
 * between two readings is late when either end is.
 * @param {Series} series
 * @param {string} metric
 * @returns {Trace}
 */
export function traceOf(series, metric) {
  const values = series.metrics[metric] ?? [];
  const known = series.at.map((_, i) => i).filter((i) => values[i] != null);
  const longest = MISSED * usualStep(known.map((i) => series.at[i]));
  /** @type {Trace} */
  const trace = [[], [], []];
  /** @param {number} at @param {number | null} timely @param {number | null} late */
  const add = (at, timely, late) => {
    trace[0].push(at);
    trace[1].push(timely);
    trace[2].push(late);
  };
  known.forEach((i, place) => {
    const at = series.at[i];
    const last = series.at[known[place - 1]];
    if (at - last > longest) add((at + last) / 2, null, null);
    const touchesLate = [known[place - 1], i, known[place + 1]].some((near) => series.late[near]);
    add(at, series.late[i] ? null : values[i], touchesLate ? values[i] : null);
  });
  return trace;
}

/**
 * Adds what the terminal has just said; anything older than the last reading is history, and the server's to tell.
 * @param {Series} series
 * @param {number} at
 * @param {Record<string, number>} values
 * @param {number} oldest what lies before may go
 */
export function append(series, at, values, oldest) {
  if (at <= (series.at.at(-1) ?? 0)) return false;
  series.at.push(at);
  series.late.push(0);
  for (const [metric, line] of Object.entries(series.metrics)) line.push(values[metric] ?? null);
  const gone = series.at.findIndex((instant) => instant >= oldest);
  for (const line of [series.at, series.late, ...Object.values(series.metrics)]) line.splice(0, gone);
  return true;
}

/**
 * @param {Series} series
 * @param {string} metric
 */
export function extent(series, metric) {
  const values = /** @type {number[]} */ ((series.metrics[metric] ?? []).filter((value) => value != null));
  return { low: Math.min(...values), high: Math.max(...values), now: values.at(-1) };
}

const WORST = ["critical", "warning"];

/**
 * The worst limit that a value lies beyond.
 * @param {Limit[]} limits
 * @param {number} value
 */
export function severityOf(limits, value) {
  const beyond = limits.filter(({ comparison, limit }) => (comparison === "above" ? value >= limit : value <= limit));
  return WORST.find((severity) => beyond.some((limit) => limit.severity === severity));
}

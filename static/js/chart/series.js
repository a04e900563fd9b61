// The readings of one terminal over a time range, and which of them may be connected by a line.

/**
 * @typedef {{comparison: "above" | "below", limit: number, severity: "critical" | "warning" | "info"}} Limit
 * @typedef {{from: number, to: number | null, presence: string}} Stay
 * @typedef {Record<string, (number | null)[]>} Lines
 * @typedef {{at: number[], metrics: Lines, lowest: Lines, highest: Lines, step: number, late: (0 | 1)[],
 *   presence: Stay[], limits: Record<string, Limit[]>}} Series instants in seconds since the epoch. With a `step`, which
 *   roll-ups are apart, `metrics` are means, and `lowest` and `highest` what they lie between
 * @typedef {(number | null)[]} Line
 * @typedef {[number[], Line, Line, Line, Line]} Trace instants, values sent in time, values sent late, lowest, highest
 */

// A terminal that skips one report is not silent yet.
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
 * The line of one metric: broken where readings are missing, in two parts so that late readings look different. A part
 * between two readings is late if either end is.
 * @param {Series} series
 * @param {string} metric
 * @returns {Trace}
 */
export function traceOf(series, metric) {
  const values = series.metrics[metric] ?? [];
  const known = series.at.map((_, i) => i).filter((i) => values[i] != null);
  const longest = MISSED * usualStep(known.map((i) => series.at[i]));
  /** @type {Trace} */
  const trace = [[], [], [], [], []];
  const [lowest, highest] = [series.lowest?.[metric] ?? [], series.highest?.[metric] ?? []];
  /** @param {number} at @param {number | null} timely @param {number | null} late @param {number} [i] */
  const add = (at, timely, late, i = -1) => {
    const values = [at, timely, late, lowest[i] ?? null, highest[i] ?? null];
    values.forEach((value, line) => {
      trace[line].push(/** @type {number} */ (value));
    });
  };
  known.forEach((i, place) => {
    const at = series.at[i];
    const last = series.at[known[place - 1]];
    if (at - last > longest) add((at + last) / 2, null, null);
    const touchesLate = [known[place - 1], i, known[place + 1]].some((near) => series.late[near]);
    add(at, series.late[i] ? null : values[i], touchesLate ? values[i] : null, i);
  });
  return trace;
}

/**
 * Whether the last reading is a single one after the roll-ups.
 * @param {Series} series
 */
const hasTip = ({ at, step }) => step > 0 && at[at.length - 1] - at[at.length - 2] < step;

/**
 * Whether an instant belongs to an hour (or a day) without a roll-up.
 * @param {Series} series
 * @param {number} at
 */
export function isOfNext(series, at) {
  const last = series.at.at(hasTip(series) ? -2 : -1) ?? 0;
  return series.step > 0 && at >= last + series.step;
}

/**
 * Adds a new reading of the terminal; older ones are part of the history, which the server provides. After roll-ups
 * there is only one such reading, the newest: several would end a smooth line in spikes.
 * @param {Series} series
 * @param {number} at
 * @param {Record<string, number>} values
 * @param {number} oldest what lies before may go
 */
export function append(series, at, values, oldest) {
  if (at <= (series.at.at(-1) ?? 0)) return false;
  const lines = [series.metrics, series.lowest ?? {}, series.highest ?? {}].flatMap((by) => Object.entries(by));
  if (hasTip(series)) for (const line of [series.at, series.late, ...lines.map(([, line]) => line)]) line.pop();
  series.at.push(at);
  series.late.push(0);
  for (const [metric, line] of lines) line.push(values[metric] ?? null);
  const gone = series.at.findIndex((instant) => instant >= oldest);
  for (const line of [series.at, series.late, ...lines.map(([, line]) => line)]) line.splice(0, gone);
  return true;
}

/**
 * @param {Series} series
 * @param {string} metric
 */
export function extent(series, metric) {
  /** @param {Lines} [by] */
  const known = (by) => /** @type {number[]} */ ((by?.[metric] ?? []).filter((value) => value != null));
  const values = known(series.metrics);
  return {
    low: Math.min(...values, ...known(series.lowest)),
    high: Math.max(...values, ...known(series.highest)),
    now: values.at(-1),
  };
}

const MARKED_SEVERITIES = ["critical", "warning"];

/**
 * The worst threshold that a value is beyond.
 * @param {Limit[]} limits
 * @param {number} value
 */
export function severityOf(limits, value) {
  const beyond = limits.filter(({ comparison, limit }) => (comparison === "above" ? value >= limit : value <= limit));
  return MARKED_SEVERITIES.find((severity) => beyond.some((limit) => limit.severity === severity));
}

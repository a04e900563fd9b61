// One metric: its line, its thresholds, and the times without data.

import uPlot from "uplot";
import { frame, instant } from "./axes.js";
import { extent, severityOf, traceOf } from "./series.js";

/**
 * @typedef {import("./axes.js").Inks} Inks
 * @typedef {import("./series.js").Series} Series
 * @typedef {import("./series.js").Limit} Limit
 * @typedef {{label: string, unit: string}} Metric what it is called, and what follows its number
 * @typedef {(name: string, values: Record<string, string>) => string} Text
 */

const HEIGHT = 120;
const HATCH = 6;
const language = document.documentElement.lang || "en";
const BETWEEN = language.startsWith("ja") ? "、" : " · ";

/** Larger units of large values. @type {Record<string, [number, string][]>} */
const SCALES = {
  s: [
    [86_400, "d"],
    [3_600, "h"],
    [60, "min"],
  ],
  ...Object.fromEntries(
    ["B/s", "bit/s"].map((unit) => [
      unit,
      [
        [1e9, `G${unit}`],
        [1e6, `M${unit}`],
        [1e3, `k${unit}`],
      ],
    ]),
  ),
};

/**
 * @param {number | null | undefined} value
 * @param {string} unit
 */
export function reading(value, unit) {
  if (value == null) return "–";
  const scale = SCALES[unit]?.find(([least]) => Math.abs(value) >= Number(least));
  if (scale) return reading(value / Number(scale[0]), String(scale[1]));
  const digits = Math.abs(value) < 10 && !Number.isInteger(value) ? 1 : 0;
  return (
    value.toLocaleString(language, { maximumFractionDigits: digits }) + (unit === "%" ? unit : ` ${unit}`).trimEnd()
  );
}

/**
 * @param {string} name
 * @param {string} [text]
 */
export function element(name, text = "") {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

/**
 * A reading without a neighbour makes no line: it is shown as a point.
 * @param {uPlot} plot
 * @param {number} line
 */
function alone(plot, line) {
  const values = plot.data[line];
  return [...values.keys()].filter((i) => values[i] != null && values[i - 1] == null && values[i + 1] == null);
}

export class MetricPlot {
  #now = element("b");
  #note = element("span");
  #box = element("div");
  #hatch = new OffscreenCanvas(HATCH, HATCH);

  /**
   * @param {HTMLElement} holder
   * @param {string} name
   * @param {{metric: Metric, series: () => Series, view: import("./axes.js").View, inks: () => Inks, text: Text}} given
   */
  constructor(holder, name, given) {
    this.name = name;
    this.given = given;
    const head = element("div");
    head.className = "plot-head";
    head.append(this.#now, element("span", given.metric.label), this.#note);
    this.#box.className = "plot";
    this.#box.setAttribute("role", "img");
    holder.append(head, this.#box);
    this.plot = new uPlot(this.#options(this.#box.clientWidth), traceOf(given.series(), name), this.#box);
    this.#showReading();
  }

  /** The series has changed. */
  update() {
    this.plot.setData(traceOf(this.given.series(), this.name), false);
    this.move();
    this.#showReading();
  }

  /** The view has moved. */
  move() {
    const [min, max] = this.given.view.range();
    this.plot.setScale("x", { min, max });
  }

  get #limits() {
    return this.given.series().limits[this.name] ?? [];
  }

  /** @param {number} width */
  #options(width) {
    const { inks, view } = this.given;
    const base = frame({ view, inks, width, height: HEIGHT, showsTime: false });
    const points = { size: 4, fill: () => inks().trace, show: () => false, filter: alone };
    const line = { width: 1.5, points };
    const edge = { width: 0, points: { show: false } };
    return {
      ...base,
      scales: { ...base.scales, y: { range: () => this.#range() } },
      series: [
        {},
        { ...line, stroke: () => this.#ink("trace") },
        { ...line, stroke: () => this.#ink("trace-2"), dash: [3, 2.5] },
        edge,
        edge,
      ],
      bands: [{ series: /** @type {[number, number]} */ ([4, 3]), fill: () => inks()["trace-band"] }],
      hooks: {
        ...base.hooks,
        drawClear: [() => this.#drawGround()],
        draw: [() => this.#drawLimits(), () => this.#drawNow()],
        setCursor: [() => this.#showReading()],
      },
    };
  }

  /**
   * Fits the readings and their thresholds; a scale of positive values does not go below zero, and one of percentages is
   * always the same.
   * @returns {[number, number]}
   */
  #range() {
    if (this.given.metric.unit === "%") return [0, 100];
    const { low, high } = extent(this.given.series(), this.name);
    const limits = this.#limits.map(({ limit }) => limit);
    const [least, most] = [Math.min(low, ...limits), Math.max(high, ...limits)];
    if (!Number.isFinite(least)) return [0, 1];
    const room = Math.max((most - least) * 0.1, 0.5);
    return [least >= 0 ? Math.max(0, least - room) : least - room, most + room];
  }

  /**
   * The line's colour, changing where it crosses a threshold.
   * @param {string} usual
   */
  #ink(usual) {
    const inks = this.given.inks();
    const { ctx, bbox, scales } = this.plot;
    const { min, max } = scales.y;
    if (this.#limits.length === 0 || min == null || max == null || !bbox.height) return inks[usual];
    const gradient = ctx.createLinearGradient(0, bbox.top, 0, bbox.top + bbox.height);
    const edges = this.#limits.map(({ limit }) => limit).filter((limit) => limit > min && limit < max);
    const levels = [max, ...edges.sort((a, b) => b - a), min];
    levels.slice(1).forEach((lower, i) => {
      const colour = inks[severityOf(this.#limits, (levels[i] + lower) / 2) ?? usual];
      gradient.addColorStop((max - levels[i]) / (max - min), colour);
      gradient.addColorStop((max - lower) / (max - min), colour);
    });
    return gradient;
  }

  #drawGround() {
    const inks = this.given.inks();
    const { ctx } = this.plot;
    ctx.save();
    for (const { comparison, limit, severity } of this.#limits) {
      ctx.fillStyle = inks[`${severity}-wash`] ?? "transparent";
      this.#fill({ from: comparison === "above" ? null : limit, to: comparison === "above" ? limit : null });
    }
    ctx.fillStyle = this.#hatching(inks.line);
    for (const { from, to, presence } of this.given.series().presence)
      if (presence === "offline") this.#fillTime(from, to ?? this.given.view.range()[1]);
    ctx.restore();
  }

  /** @param {{from: number | null, to: number | null}} levels null: the edge of the plot */
  #fill({ from, to }) {
    const { ctx, bbox } = this.plot;
    const [top, bottom] = [from, to].map((level, i) => this.#y(level) ?? bbox.top + i * bbox.height);
    ctx.fillRect(bbox.left, top, bbox.width, Math.max(0, bottom - top));
  }

  /** @param {number | null} level */
  #y(level) {
    if (level === null) return null;
    const { bbox } = this.plot;
    return Math.min(Math.max(this.plot.valToPos(level, "y", true), bbox.top), bbox.top + bbox.height);
  }

  /**
   * @param {number} from
   * @param {number} to
   */
  #fillTime(from, to) {
    const { ctx, bbox } = this.plot;
    const [left, right] = [from, to].map((at) =>
      Math.min(Math.max(this.plot.valToPos(at, "x", true), bbox.left), bbox.left + bbox.width),
    );
    if (right > left) ctx.fillRect(left, bbox.top, right - left, bbox.height);
  }

  /** @param {string} colour */
  #hatching(colour) {
    const pen = /** @type {OffscreenCanvasRenderingContext2D} */ (this.#hatch.getContext("2d"));
    pen.clearRect(0, 0, HATCH, HATCH);
    pen.strokeStyle = colour;
    pen.beginPath();
    for (const shift of [-HATCH, 0, HATCH]) {
      pen.moveTo(shift, HATCH);
      pen.lineTo(shift + HATCH, 0);
    }
    pen.stroke();
    return this.plot.ctx.createPattern(this.#hatch, "repeat") ?? "transparent";
  }

  #drawLimits() {
    const inks = this.given.inks();
    const { ctx, bbox } = this.plot;
    ctx.save();
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([2 * devicePixelRatio, 4 * devicePixelRatio]);
    for (const { limit, severity } of this.#limits) {
      const y = Math.round(this.#y(limit) ?? 0);
      ctx.strokeStyle = inks[severity] ?? inks["ink-3"];
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
    }
    ctx.restore();
  }

  /** A point at the end of the line, while that is in view. */
  #drawNow() {
    const [instants, timely, late] = this.plot.data;
    const last = instants.length - 1;
    const value = timely[last] ?? late[last];
    const x = this.plot.valToPos(instants[last], "x", true);
    const { ctx, bbox } = this.plot;
    if (value == null || x < bbox.left || x > bbox.left + bbox.width) return;
    ctx.beginPath();
    ctx.arc(x, this.plot.valToPos(value, "y", true), 3 * devicePixelRatio, 0, 2 * Math.PI);
    ctx.fillStyle = this.given.inks()[severityOf(this.#limits, value) ?? "trace"];
    ctx.fill();
  }

  /**
   * The range of a mean.
   * @param {number} at place in the trace
   */
  #span(at) {
    const [, , , lowest, highest] = this.plot.data;
    if (lowest[at] == null || lowest[at] === highest[at]) return "";
    const { unit } = this.given.metric;
    return `${reading(lowest[at], "")}–${reading(highest[at], unit)}`;
  }

  /** The reading under the cursor and its instant, or the newest reading and its thresholds. */
  #showReading() {
    const { metric, series, text, view } = this.given;
    const { low, high, now } = extent(series(), this.name);
    const at = this.plot?.cursor.idx;
    const [instants, timely, late] = this.plot?.data ?? [[], [], []];
    const isHovered = at != null && instants[at] !== undefined;
    this.#now.textContent = reading(isHovered ? (timely[at] ?? late[at]) : now, metric.unit);
    this.#note.textContent = isHovered
      ? [this.#span(at), instant(instants[at], view.range())].filter(Boolean).join(BETWEEN)
      : this.#limits.map(({ limit }) => text("limit", { limit: reading(limit, metric.unit) })).join(BETWEEN);
    const values = { low: reading(low, metric.unit), high: reading(high, metric.unit), now: reading(now, metric.unit) };
    this.#box.setAttribute("aria-label", text("summary", { metric: metric.label, ...values }));
  }
}

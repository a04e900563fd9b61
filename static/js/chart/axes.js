// Shared by all plots of a page: the time range, the cursor and the width of the scales.

import { instant as format, written } from "../time/times.js";

const GUTTER = 44;
const MINUTE = 60;
const DAY = 86_400;

const minutes = format({ hour: "2-digit", minute: "2-digit" });
const seconds = format({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
const days = format({ month: "short", day: "numeric" });
const full = format({ month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit" });

/** @param {number} step seconds between two words on the axis */
function wordsFor(step) {
  if (step >= DAY) return days;
  return step < MINUTE ? seconds : minutes;
}

/**
 * @param {number} at seconds since the epoch
 * @param {[number, number]} range what is in view: within a day its date goes without saying
 */
export const instant = (at, [from, to]) => written(to - from < DAY ? seconds : full, at * 1000);

/**
 * @typedef {Record<string, string>} Inks
 * @typedef {import("uplot").default} Plot
 * @typedef {{range: () => [number, number], zoom: (range: [number, number] | null) => void}} View
 */

/**
 * uPlot's line charts know only their own scale; these options align all plots of a page.
 * @param {{view: View, inks: () => Inks, width: number, height: number, showsTime: boolean}} options
 */
export function frame({ view, inks, width, height, showsTime }) {
  const grid = { stroke: () => inks().line, width: 1 };
  const axis = { stroke: () => inks()["ink-3"], font: inks().font, grid, ticks: { show: false } };
  const time = { ...axis, size: showsTime ? 24 : 8, gap: 6, space: 64 };
  /** @type {(plot: Plot, splits: number[], axis: number, space: number, step: number) => string[]} */
  const values = (_plot, splits, _axis, _space, step) =>
    splits.map((at) => (showsTime ? written(wordsFor(step), at * 1000) : ""));
  return {
    width,
    height,
    padding: /** @type {[number, number, number, number]} */ ([8, 6, 0, 0]),
    legend: { show: false },
    cursor: cursor(view, inks),
    select: { show: true, left: 0, top: 0, width: 0, height: 0 },
    scales: { x: { time: true, auto: false, range: () => view.range() } },
    axes: [
      { ...time, values },
      { ...axis, size: GUTTER, gap: 6, space: 28 },
    ],
    hooks: { setSelect: [/** @param {Plot} plot */ (plot) => choose(plot, view)] },
  };
}

/**
 * @param {View} view
 * @param {() => Inks} inks
 */
function cursor(view, inks) {
  return {
    sync: { key: "readings" },
    y: false,
    points: { size: 7, width: 2, stroke: () => inks().trace, fill: () => inks().surface },
    drag: { x: true, y: false, setScale: false },
    bind: { dblclick: () => () => back(view) },
  };
}

/** @param {View} view */
function back(view) {
  view.zoom(null);
  return null;
}

/**
 * @param {Plot} plot
 * @param {View} view
 */
function choose(plot, view) {
  const { left, width } = plot.select;
  if (width < 4) return;
  plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  view.zoom([plot.posToVal(left, "x"), plot.posToVal(left + width, "x")]);
}

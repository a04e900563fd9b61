// The presence of a terminal over the same time as its readings.

import uPlot from "uplot";
import { frame } from "./axes.js";
import { element } from "./plot.js";

/**
 * @typedef {import("./axes.js").Inks} Inks
 * @typedef {import("./series.js").Series} Series
 * @typedef {import("./series.js").Stay} Stay
 */

const HEIGHT = 48;
const BAR = 16;

/** Fill and outline of a presence. Planned absence is grey. */
const LOOKS = {
  online: ["cell", "cell-ink"],
  silent: ["warning-fill", "on-warning"],
  offline: ["critical-fill", "on-critical"],
};
const OUTLINED = ["surface", "ink-2"];

export class PresenceBand {
  #box = element("div");
  #note = element("span");

  /**
   * @param {HTMLElement} holder
   * @param {{series: () => Series, words: Record<string, string>, view: import("./axes.js").View, inks: () => Inks,
   *   text: import("./plot.js").Text}} given
   */
  constructor(holder, given) {
    this.given = given;
    const head = element("div");
    head.className = "plot-head";
    head.append(element("b", given.text("presence", {})), this.#note);
    this.#box.className = "plot band";
    this.#box.setAttribute("role", "img");
    holder.append(head, this.#box);
    this.plot = new uPlot(this.#options(this.#box.clientWidth), [[], []], this.#box);
    this.update();
  }

  update() {
    this.move();
    const { series, text, words } = this.given;
    this.#note.textContent = series().late.includes(1) ? text("late", {}) : "";
    const states = series().presence.map(({ presence }) => words[presence] ?? presence);
    this.#box.setAttribute("aria-label", [text("presence", {}), ...states].join(", "));
  }

  move() {
    const [min, max] = this.given.view.range();
    this.plot.setScale("x", { min, max });
  }

  /** @param {number} width */
  #options(width) {
    const base = frame({ ...this.given, width, height: HEIGHT, showsTime: true });
    const [time, level] = base.axes;
    return {
      ...base,
      scales: { ...base.scales, y: { range: /** @type {[number, number]} */ ([0, 1]) } },
      axes: [
        { ...time, grid: { show: false } },
        { ...level, grid: { show: false }, values: () => [] },
      ],
      series: [{}, { points: { show: false } }],
      hooks: { ...base.hooks, draw: [() => this.#draw()] },
    };
  }

  #draw() {
    const { ctx } = this.plot;
    ctx.save();
    for (const stay of this.given.series().presence) this.#drawStay(stay);
    ctx.restore();
  }

  /** @param {Stay} stay */
  #drawStay({ from, to, presence }) {
    const { ctx, bbox } = this.plot;
    const inks = this.given.inks();
    const [earliest, latest] = this.given.view.range();
    const [left, right] = [Math.max(from, earliest), Math.min(to ?? latest, latest)].map((at) =>
      this.plot.valToPos(at, "x", true),
    );
    if (right <= left) return;
    const [fill, ink] = LOOKS[/** @type {keyof typeof LOOKS} */ (presence)] ?? OUTLINED;
    const height = BAR * devicePixelRatio;
    const width = Math.max(right - left - devicePixelRatio, devicePixelRatio);
    ctx.beginPath();
    ctx.roundRect(left, bbox.top, width, height, 2 * devicePixelRatio);
    ctx.fillStyle = inks[fill];
    ctx.fill();
    if (fill === OUTLINED[0]) {
      ctx.strokeStyle = inks.edge;
      ctx.stroke();
    }
    this.#write(this.given.words[presence] ?? presence, { left, width, top: bbox.top, height, ink: inks[ink] });
  }

  /**
   * @param {string} word
   * @param {{left: number, width: number, top: number, height: number, ink: string}} place
   */
  #write(word, { left, width, top, height, ink }) {
    const { ctx } = this.plot;
    ctx.font = this.given.inks().font.replace(/^(\d+)px/, (_, size) => `${size * devicePixelRatio}px`);
    if (ctx.measureText(word).width + 8 * devicePixelRatio > width) return;
    ctx.fillStyle = ink;
    ctx.textAlign = "center";
    ctx.textBaseline = "middle";
    ctx.fillText(word, left + width / 2, top + height / 2);
  }
}

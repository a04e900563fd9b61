// The live charts of a terminal: drawn from its series, continued by each reading that is pushed.

import { serverNow } from "../live/clock.js";
import { PresenceBand } from "./band.js";
import { inks, whenInksChange } from "./ink.js";
import { element, MetricPlot } from "./plot.js";
import { append, isOfNext } from "./series.js";

/** @typedef {import("./series.js").Series} Series */

const TICK_MS = 1000;
const RELOAD_MS = 30_000;

class Chart {
  /** @type {Series} */
  series = { at: [], metrics: {}, lowest: {}, highest: {}, step: 0, late: [], presence: [], limits: {} };
  /** @type {(MetricPlot | PresenceBand)[]} */
  plots = [];

  /** @type {[number, number] | null} */
  #zoomed = null;
  #inks = inks();
  #now = serverNow() / 1000;
  #loading = new AbortController();
  #isLoading = false;

  /** @param {HTMLElement} holder */
  constructor(holder) {
    this.holder = holder;
    this.view = { range: () => this.#range(), zoom: (/** @type {[number, number] | null} */ to) => this.#zoom(to) };
  }

  /**
   * The range of a chart that does not follow the present: around an alert.
   * @returns {[number, number] | null}
   */
  get fixed() {
    const { since, until } = this.holder.dataset;
    return since && until ? [Number(since), Number(until)] : null;
  }

  get span() {
    return Number(this.holder.dataset.span ?? 1800);
  }

  /** Loads the series from the server and draws everything again. */
  async load() {
    this.#loading.abort();
    this.#loading = new AbortController();
    const { signal } = this.#loading;
    this.#isLoading = true;
    const series = await fetched(this.holder.dataset.series ?? "", signal);
    if (signal.aborted) return;
    this.#isLoading = false;
    if (!series) return this.#showNotice("failed");
    this.series = series;
    // The last interval ends at the time of the request; it is extended until a change of presence is pushed.
    for (const stay of this.series.presence.slice(-1)) stay.to = null;
    this.#append(latest());
    this.draw();
  }

  draw() {
    for (const { plot } of this.plots) plot.destroy();
    this.plots = [];
    this.#now = serverNow() / 1000;
    const names = this.#names();
    if (names.length === 0) return this.#showNotice("empty");
    this.holder.replaceChildren();
    const given = { series: () => this.series, view: this.view, inks: () => this.#inks, text: this.#text };
    const known = this.#json("metrics");
    for (const name of names)
      this.plots.push(
        new MetricPlot(this.holder, name, { ...given, metric: known[name] ?? { label: name, unit: "" } }),
      );
    this.plots.push(new PresenceBand(this.holder, { ...given, words: this.#json("presences") }));
  }

  /**
   * Takes the newest reading from the page. A new metric needs a plot of its own, and the first reading of an hour (or a
   * day) needs the roll-up of the previous one. Without plots there were no readings, or they could not be loaded.
   */
  take() {
    const news = latest();
    if (!news || this.#isLoading) return; // what is loaded is continued by the newest reading
    const isNew = Object.keys(news.values).some((name) => !(name in this.series.metrics));
    if (isNew || isOfNext(this.series, news.at) || !this.plots.length) return void this.load();
    if (this.#append(news)) for (const plot of this.plots) plot.update();
  }

  /** @param {ReturnType<typeof latest>} news */
  #append(news) {
    return news !== null && append(this.series, news.at, news.values, news.at - 2 * this.span);
  }

  /** Advances the time range, unless the board is behind. */
  tick() {
    if (this.fixed || document.hidden || this.#zoomed || document.documentElement.dataset.link === "lost") return;
    this.#now = serverNow() / 1000;
    for (const plot of this.plots) plot.move();
  }

  recolour() {
    this.#inks = inks();
    for (const { plot } of this.plots) plot.redraw(false, true);
  }

  resize() {
    for (const { plot } of this.plots) {
      const width = plot.root.parentElement?.clientWidth ?? plot.width;
      if (plot.width !== width) plot.setSize({ width, height: plot.height });
    }
  }

  /** @param {[number, number] | null} to */
  #zoom(to) {
    this.#zoomed = to;
    for (const plot of this.plots) plot.move();
  }

  /** @returns {[number, number]} */
  #range() {
    return this.#zoomed ?? this.fixed ?? [this.#now - this.span, this.#now];
  }

  /** The metrics that have readings: those with a label first, in its order. */
  #names() {
    const read = Object.keys(this.series.metrics).filter((name) => this.series.metrics[name].some((v) => v != null));
    const named = Object.keys(this.#json("metrics")).filter((name) => read.includes(name));
    return [...named, ...read.filter((name) => !named.includes(name)).sort()];
  }

  /** @param {string} name */
  #json(name) {
    return JSON.parse(this.holder.dataset[name] ?? "{}");
  }

  /**
   * @param {string} name
   * @param {Record<string, string>} values
   */
  #text = (name, values) =>
    (this.holder.getAttribute(`data-text-${name}`) ?? "").replace(/\{(\w+)\}/g, (_, key) => values[key] ?? "");

  /** @param {string} name */
  #showNotice(name) {
    for (const { plot } of this.plots) plot.destroy();
    this.plots = [];
    const note = element("p", this.#text(name, {}));
    note.className = "blank";
    this.holder.replaceChildren(note);
  }
}

/**
 * The series; null if there is no answer, or another one, as after the end of a session.
 * @param {string} address
 * @param {AbortSignal} signal
 * @returns {Promise<Series | null>}
 */
async function fetched(address, signal) {
  try {
    const answer = await fetch(address, { signal });
    return answer.ok ? await answer.json() : null;
  } catch {
    return null;
  }
}

/** The newest reading on the page. */
function latest() {
  const element = document.getElementById("reading-latest");
  const at = Date.parse(element?.dataset.at ?? "") / 1000;
  return element && !Number.isNaN(at) ? { at, values: JSON.parse(element.dataset.values ?? "{}") } : null;
}

/**
 * @param {string} id
 * @param {string[]} attributeFilter
 * @param {() => void} changed
 */
function watch(id, attributeFilter, changed) {
  const element = document.getElementById(id);
  if (element) new MutationObserver(changed).observe(element, { attributeFilter });
}

export function start() {
  const holder = document.getElementById("chart");
  if (!holder) return;
  const chart = new Chart(holder);
  chart.load();
  setInterval(() => chart.tick(), TICK_MS);
  setInterval(() => {
    if (!document.hidden && chart.fixed && serverNow() / 1000 < chart.fixed[1]) chart.load();
  }, RELOAD_MS);
  whenInksChange(() => chart.recolour());
  new ResizeObserver(() => chart.resize()).observe(holder);
  watch("reading-latest", ["data-at"], () => chart.take());
  watch("chart", ["data-series", "data-span"], () => chart.load());
  watch("state", ["data-presence"], () => chart.load());
  // Readings that were missed while the link was lost are in the database.
  document.addEventListener("tms:link", ({ detail: { link, was } }) => {
    if (link === "live" && (was === "reconnecting" || was === "lost")) chart.load();
  });
}

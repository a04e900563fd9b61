// The controls of a replay: slider, play, speed, steps and keys.

import { isField } from "../person/person.js";
import { timeOfDay } from "../time/times.js";
import { showInstant } from "../time/zone.js";
import { addressAt, Steps } from "./steps.js";

const TICK_MS = 500;
// Without motion, the page changes less often while it plays.
const CALM_TICK_MS = 2000;
const DRAG_MS = 150;
// Browsers limit how often an address may be replaced.
const ADDRESS_MS = 1000;
const MINUTE_S = 60;
const PAGES = 24;

const calm = matchMedia("(prefers-reduced-motion: reduce)");

/** @param {string} id */
const find = (id) => document.getElementById(id);

/**
 * @param {string} id
 * @param {string} text
 */
function write(id, text) {
  const element = find(id);
  if (element && element.textContent !== text) element.textContent = text;
}

class Player {
  #steps = new Steps();
  #dragging = 0;
  #ticking = 0;
  #addressed = 0;
  #message = "";
  /** Where playing began, by both clocks, in milliseconds. */
  #began = { at: 0, by: 0 };

  /** The dock stays the same element while the page shows other instants. @param {HTMLElement} dock */
  constructor(dock) {
    this.dock = dock;
    /** The wanted instant, in milliseconds since the epoch. */
    this.at = this.shown;
  }

  get shown() {
    return Date.parse(document.documentElement.dataset.at ?? "");
  }

  get since() {
    return Date.parse(this.dock.dataset.since ?? "");
  }

  get until() {
    return this.since + 1000 * Number(this.dock.dataset.length);
  }

  get limit() {
    return Date.parse(this.dock.dataset.limit ?? "");
  }

  get earliest() {
    return Date.parse(this.dock.dataset.earliest ?? "");
  }

  get isPlaying() {
    return this.#ticking !== 0;
  }

  get slider() {
    return /** @type {HTMLInputElement} */ (find("replay-slider"));
  }

  get speed() {
    const chosen = /** @type {HTMLInputElement | null} */ (this.dock.querySelector("[name=speed]:checked"));
    return Number(chosen?.value ?? 1);
  }

  /**
   * Moves the instant, and loads it: at once, or when the hand rests.
   * @param {number} at
   */
  move(at, delay = 0) {
    this.pause();
    this.at = Math.max(Math.min(at, this.#latest), this.earliest);
    this.#message = "";
    this.paint();
    clearTimeout(this.#dragging);
    this.#dragging = setTimeout(() => this.#load(), delay);
  }

  /** Within the shown range it is the limit; the instants after it are those of later ranges. */
  get #latest() {
    return this.limit < this.until ? this.limit : Date.now();
  }

  play() {
    this.#began = { at: this.at, by: performance.now() };
    this.#ticking = setInterval(() => this.#tick(), calm.matches ? CALM_TICK_MS : TICK_MS);
    this.#message = "";
    this.paint();
  }

  pause() {
    if (!this.isPlaying) return;
    clearInterval(this.#ticking);
    this.#ticking = 0;
    this.#rest();
  }

  toggle() {
    if (this.isPlaying) this.pause();
    else this.play();
  }

  /** Goes on from here at another speed. */
  accelerate() {
    if (this.isPlaying) this.#began = { at: this.at, by: performance.now() };
  }

  /** Never a second request: a slow server plays in larger steps. */
  #tick() {
    if (this.#steps.isLoading || document.hidden) return this.#hold();
    const at = this.#began.at + this.speed * (performance.now() - this.#began.by);
    const isOver = at >= this.#latest && this.#latest === this.limit;
    this.at = Math.min(at, this.#latest);
    this.paint();
    this.#load();
    if (!isOver) return;
    this.#message = this.#text("end");
    this.pause();
  }

  /** A hidden page does not play on. */
  #hold() {
    if (document.hidden) this.#began = { at: this.at, by: performance.now() };
  }

  async #load() {
    const isShown = await this.#steps.show(this.at);
    if (isShown === null) return;
    if (isShown) return this.#arrived();
    this.at = this.shown;
    this.#message = this.#text("failed", { time: timeOfDay(this.shown) });
    this.pause();
    this.paint();
  }

  #arrived() {
    this.paint();
    if (!this.isPlaying || performance.now() - this.#addressed > ADDRESS_MS) this.#address();
    document.dispatchEvent(new CustomEvent("tms:replayed"));
  }

  #address() {
    this.#addressed = performance.now();
    history.replaceState(history.state, "", addressAt(this.shown));
  }

  #rest() {
    this.paint();
    this.#address();
  }

  /** Writes what depends on the wanted instant, before the page has it. */
  paint() {
    const { slider, dock } = this;
    slider.value = String(Math.round((this.at - this.since) / 1000));
    slider.setAttribute("aria-valuetext", this.#value());
    write("replay-time", timeOfDay(this.at));
    write("replay-status", this.#message);
    const field = /** @type {HTMLInputElement | null} */ (find("replay-at"));
    if (field && field !== document.activeElement) showInstant(field, new Date(this.at));
    dock.toggleAttribute("data-playing", this.isPlaying);
    for (const id of ["replay-play", "replay-speed"]) find(id)?.removeAttribute("hidden");
  }

  /** What a screen reader says of the slider: the time, and what happened in its bar. */
  #value() {
    const { changes = "[]", critical = "[]", bucket } = this.dock.dataset;
    const index = Math.floor((this.at - this.since) / 1000 / Number(bucket));
    return this.#text("value", {
      time: timeOfDay(this.at),
      changes: String(JSON.parse(changes)[index] ?? 0),
      critical: String(JSON.parse(critical)[index] ?? 0),
    });
  }

  /**
   * @param {string} name
   * @param {Record<string, string>} values
   */
  #text(name, values = {}) {
    const text = this.dock.getAttribute(`data-text-${name}`) ?? "";
    return text.replace(/\{(\w+)\}/g, (_, key) => values[key] ?? "");
  }
}

/**
 * Where a key moves the instant; undefined for other keys.
 * @param {Player} player
 * @param {KeyboardEvent} event
 */
function moved(player, { key, shiftKey }) {
  const step = 1000 * MINUTE_S * (shiftKey ? 10 : 1);
  const page = (player.until - player.since) / PAGES;
  /** @type {Record<string, number>} */
  const targets = {
    ArrowLeft: player.at - step,
    ArrowDown: player.at - step,
    ArrowRight: player.at + step,
    ArrowUp: player.at + step,
    PageDown: player.at - page,
    PageUp: player.at + page,
    Home: player.since,
    End: Math.min(player.until - 1000, player.limit),
  };
  return targets[key];
}

const SIDEWAYS = new Set(["ArrowLeft", "ArrowRight"]);
const PRESSED = "a, button, summary, input, select, textarea, [contenteditable]";

/**
 * @param {Player} player
 * @param {KeyboardEvent} event
 */
function down(player, event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (document.querySelector("dialog:modal") || !(event.target instanceof Element)) return;
  const action = actionOf(player, event, event.target);
  if (!action) return;
  event.preventDefault();
  action();
}

/**
 * @param {Player} player
 * @param {KeyboardEvent} event
 * @param {Element} target
 */
function actionOf(player, event, target) {
  if (event.key === "Escape") return isField(target) ? undefined : leave(target);
  return target === player.slider ? keyOfSlider(player, event) : keyOfPage(player, event, target);
}

/**
 * @param {Player} player
 * @param {KeyboardEvent} event
 */
function keyOfSlider(player, event) {
  if (event.key === " ") return () => player.toggle();
  const at = moved(player, event);
  return at === undefined ? undefined : () => player.move(at, DRAG_MS);
}

/**
 * @param {Player} player
 * @param {KeyboardEvent} event
 * @param {Element} target
 */
function keyOfPage(player, event, target) {
  if (target.closest("#dock fieldset") || isField(target)) return undefined;
  if (document.documentElement.dataset.shortcuts === "off") return undefined;
  if (event.key === " " && !target.matches(PRESSED)) return () => player.toggle();
  const at = SIDEWAYS.has(event.key) ? moved(player, event) : undefined;
  return at === undefined ? undefined : () => player.move(at, DRAG_MS);
}

/** Back to live, unless Escape closes something. @param {Element} target */
function leave(target) {
  if (document.querySelector(":popover-open") || target.closest("details[open]")) return undefined;
  return () => find("back-to-live")?.click();
}

/**
 * Links of the dock to other instants of this page move the player, so that the page keeps its place.
 * @param {Player} player
 * @param {MouseEvent} event
 */
function follow(player, event) {
  if (event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const link = event.target instanceof Element ? event.target.closest("#dock a") : null;
  const at = link && Date.parse(new URL(/** @type {HTMLAnchorElement} */ (link).href).searchParams.get("at") ?? "");
  if (!at) return;
  event.preventDefault();
  player.move(at);
}

export function start() {
  const dock = find("dock");
  if (!dock) return;
  const player = new Player(dock);
  player.paint();
  dock.addEventListener("input", ({ target }) => {
    if (target !== player.slider) return;
    player.move(player.since + 1000 * Number(player.slider.value), DRAG_MS);
  });
  dock.addEventListener("change", ({ target }) => {
    if (target === player.slider) player.move(player.at);
    else if (target === find("replay-range")) /** @type {HTMLFormElement} */ (find("replay-jump")).requestSubmit();
    else player.accelerate();
  });
  dock.addEventListener("click", (event) => {
    if (event.target instanceof Element && event.target.closest("#replay-play")) player.toggle();
    else follow(player, event);
  });
  document.addEventListener("keydown", (event) => down(player, event));
}

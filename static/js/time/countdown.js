// <time data-countdown datetime>: minutes and seconds left by the server's clock. Stops while the link is lost.

import { shownNow } from "../live/clock.js";

const COUNTED = "time[data-countdown]";
const SOON_S = 300;

/** @param {number} value */
const two = (value) => String(value).padStart(2, "0");

/** @param {number} s */
export function clockFace(s) {
  const minutes = Math.floor(s / 60);
  return minutes < 60
    ? `${two(minutes)}:${two(s % 60)}`
    : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(s % 60)}`;
}

/**
 * With `data-lasts`, a wait is soon over in its last third.
 * @param {number} s
 * @param {HTMLTimeElement} time
 */
function due(s, { dataset }) {
  if (s <= 0) return "over";
  return s < (dataset.lasts ? Number(dataset.lasts) / 3 : SOON_S) ? "soon" : null;
}

/**
 * @param {Element | null} element
 * @param {string} name
 * @param {string | null} value
 */
function mark(element, name, value) {
  if (!element || element.getAttribute(name) === value) return;
  if (value === null) element.removeAttribute(name);
  else element.setAttribute(name, value);
}

/** @param {HTMLTimeElement} time */
function write(time) {
  const left = Math.ceil((Date.parse(time.dateTime) - shownNow()) / 1000);
  if (Number.isNaN(left)) return;
  const text = clockFace(Math.max(0, left));
  if (time.textContent !== text) time.textContent = text;
  mark(time.closest(".countdown, .state"), "data-due", due(left, time));
}

/** @param {ParentNode} root */
export function count(root) {
  if (root instanceof HTMLTimeElement && root.matches(COUNTED)) write(root);
  for (const time of /** @type {NodeListOf<HTMLTimeElement>} */ (root.querySelectorAll(COUNTED))) write(time);
}

export function start() {
  /** @param {ParentNode} part */
  const countWithin = (part) => document.hidden || document.documentElement.dataset.link === "lost" || count(part);
  const tick = () => countWithin(document);
  tick();
  setInterval(tick, 1000);
  document.addEventListener("visibilitychange", tick);
  document.addEventListener("htmx:after:swap", tick);
  document.addEventListener("htmx:after:process", ({ target }) => countWithin(/** @type {Element} */ (target)));
}

// <time datetime data-format="ago|time|datetime|clock|day"> in the language and time zone of the reader.

import { shownNow } from "../live/clock.js";
import { readerZone } from "./zone.js";

const LOCALISED = "time[data-format]";
const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const language = document.documentElement.lang || "en";
const units = language.startsWith("ja") ? ["秒", "分", "時間", "日"] : [" s", " min", " h", " d"];

/** @param {Intl.DateTimeFormatOptions} options */
export const instant = (options) =>
  new Intl.DateTimeFormat(language, { hourCycle: "h23", timeZone: readerZone(), ...options });
const formatsNow = () => ({
  time: instant({ hour: "2-digit", minute: "2-digit", second: "2-digit" }),
  planned: instant({ hour: "2-digit", minute: "2-digit" }),
  datetime: instant({ month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" }),
  dated: instant({ year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" }),
  full: instant({ dateStyle: "medium", timeStyle: "long" }),
  day: instant({ year: "numeric", month: "numeric", day: "numeric" }),
  year: instant({ year: "numeric" }),
  date: instant({ month: "short", day: "numeric" }),
});
let formats = formatsNow();
const number = new Intl.NumberFormat(language);

/**
 * English dates begin with the day, as the server writes them: 25 Nov 14:05.
 * @param {Intl.DateTimeFormat} format
 * @param {Date | number} at
 */
export function written(format, at) {
  if (!language.startsWith("en")) return format.format(at);
  const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, value]));
  /** @param {Intl.DateTimeFormatPartTypes[]} types */
  const some = (...types) => types.map((type) => parts.get(type)).filter(Boolean);
  const time = some("hour", "minute", "second").join(":");
  return [...some("day", "month", "year"), time, ...some("timeZoneName")].filter(Boolean).join(" ");
}
const tenths = new Intl.NumberFormat(language, { minimumFractionDigits: 1, maximumFractionDigits: 1 });

/**
 * The age of an instant, in its largest unit.
 * @param {number} seconds
 */
export function age(seconds) {
  const s = Math.max(0, seconds);
  if (s < MINUTE) return number.format(Math.floor(s)) + units[0];
  if (s < HOUR) return number.format(Math.floor(s / MINUTE)) + units[1];
  if (s < DAY) return number.format(Math.floor(s / HOUR)) + units[2];
  return number.format(Math.floor(s / DAY)) + units[3];
}

/**
 * The same, with tenths of short ages.
 * @param {number} seconds
 */
export const fineAge = (seconds) => (seconds < 10 ? tenths.format(Math.max(0, seconds)) + units[0] : age(seconds));

/** @param {Date} at */
const isToday = (at) => formats.day.format(at) === formats.day.format(shownNow());

/** @param {Date} at */
const isThisYear = (at) => formats.year.format(at) === formats.year.format(shownNow());

/**
 * Times of opening hours and maintenance are whole minutes in the future; past events have seconds.
 * @param {Date} at
 */
const isPlanned = (at) => at.getSeconds() === 0 && at.getTime() > shownNow();

/**
 * @param {Date} at
 * @param {string | undefined} format
 */
function words(at, format) {
  if (format === "clock") return formats.planned.format(at);
  if (format === "day") return written(formats.date, at);
  if (format === "ago") return age((shownNow() - at.getTime()) / 1000);
  if (format === "time" && isToday(at)) return (isPlanned(at) ? formats.planned : formats.time).format(at);
  return written(isThisYear(at) ? formats.datetime : formats.dated, at);
}

/**
 * The time of day, to the second.
 * @param {number} at milliseconds since the epoch
 */
export const timeOfDay = (at) => formats.time.format(at);

/**
 * The instant that an element's title states.
 * @type {WeakMap<HTMLTimeElement, string>}
 */
let titled = new WeakMap();

/**
 * @param {HTMLTimeElement} time
 * @param {Date} at
 */
function writeTitle(time, at) {
  if (time.title && titled.get(time) === time.dateTime) return;
  const full = written(formats.full, at);
  if (time.title !== full) time.title = full;
  titled.set(time, time.dateTime);
}

/**
 * A new text node would be laid out like a new element.
 * @param {HTMLTimeElement} time
 * @param {string} text
 */
function writeText(time, text) {
  if (time.textContent === text) return;
  if (time.childNodes.length === 1 && time.firstChild instanceof Text) time.firstChild.data = text;
  else time.textContent = text;
}

/** @param {HTMLTimeElement} time */
function write(time) {
  const at = new Date(time.dateTime);
  if (Number.isNaN(at.getTime())) return;
  writeText(time, words(at, time.dataset.format));
  writeTitle(time, at);
}

/** @param {ParentNode} root */
export function localise(root) {
  if (root instanceof HTMLTimeElement && root.matches(LOCALISED)) write(root);
  for (const time of /** @type {NodeListOf<HTMLTimeElement>} */ (root.querySelectorAll(LOCALISED))) write(time);
}

/** Writes all instants again: the person chose another time zone. */
export function zoneChanged() {
  formats = formatsNow();
  titled = new WeakMap();
  localise(document);
}

export function start() {
  const tick = () => document.hidden || localise(document);
  tick();
  setInterval(tick, 1000);
  document.addEventListener("visibilitychange", tick);
  document.addEventListener("htmx:after:swap", tick);
  // Only the new part, because a frame may insert many.
  document.addEventListener("htmx:after:process", ({ target }) => localise(/** @type {Element} */ (target)));
}

// What another tab and a glance at the header show: the number of critical, unacknowledged incidents in the title of the
// tab and in its icon, and the time by the server's clock in the reader's zone.

import { serverNow } from "../live/clock.js";
import { instant } from "../time/times.js";
import { readerZone } from "../time/zone.js";

const title = document.title;
// A zone has its own abbreviation in the language of its country only: JST, EST, CET.
const LANGUAGES = ["ja", "en-US", "en-GB", "en-AU"];

/** @param {string} locale */
function nameOf(locale) {
  const format = new Intl.DateTimeFormat(locale, { timeZone: readerZone(), timeZoneName: "short" });
  return format.formatToParts(serverNow()).find(({ type }) => type === "timeZoneName")?.value ?? "";
}

function zoneName() {
  const names = LANGUAGES.map(nameOf);
  return names.find((name) => /^[A-Z]{3,5}$/.test(name)) ?? names[1] ?? "";
}

function showTime() {
  const clock = document.querySelector(".clock");
  const time = clock?.querySelector("time");
  if (!clock || !time || document.hidden) return;
  const [hours, minutes, seconds] = instant({ hour: "2-digit", minute: "2-digit", second: "2-digit" })
    .format(serverNow())
    .split(":");
  const slots = time.querySelectorAll("span");
  if (slots[0]) slots[0].textContent = `${hours}:${minutes}`;
  if (slots[1]) slots[1].textContent = `:${seconds}`;
}

/** The name of the reader's zone, beside every time that needs it. */
export function showZone() {
  const name = zoneName();
  for (const slot of document.querySelectorAll(".clock > span, [data-zone-name]")) slot.textContent = name;
  const clock = /** @type {HTMLElement | null} */ (document.querySelector(".clock"));
  if (clock) clock.title = `${clock.dataset.title} ${readerZone()}`;
}

function showNumber() {
  const badge = document.getElementById("nav-alerts");
  const number = badge && !badge.hidden ? (badge.firstChild?.nodeValue?.trim() ?? "") : "";
  const text = number ? `(${number}) ${title}` : title;
  if (document.title !== text) document.title = text;
  const icon = /** @type {HTMLLinkElement | null} */ (document.querySelector("link[rel=icon][data-alarm]"));
  const wanted = number ? icon?.dataset.alarm : icon?.dataset.calm;
  if (icon && wanted && icon.getAttribute("href") !== wanted) icon.href = wanted;
}

export function start() {
  showTime();
  showZone();
  showNumber();
  setInterval(showTime, 1000);
  document.addEventListener("visibilitychange", showTime);
  document.addEventListener("tms:zone", showZone);
  document.addEventListener("tms:proof", showNumber);
}

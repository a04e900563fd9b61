// <input data-when="datetime | date | time">: what a person typed, as YYYY-MM-DD HH:MM. "2026/12/1 930" becomes
// "2026-12-01 09:30"; a time alone keeps the day that the field had, or is today's.

import { serverNow } from "../live/clock.js";
import { wall } from "./zone.js";

/** @param {string | undefined} number */
const two = (number) => (number ?? "").padStart(2, "0");

/** @param {string} text */
function dateIn(text) {
  const [, year, month, day] = text.match(/(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})/) ?? [];
  return year ? `${year}-${two(month)}-${two(day)}` : "";
}

/** @param {string} text without a date */
function timeIn(text) {
  const [, hour, minute] = text.trim().match(/^(\d{1,2})(?:[:.]?(\d{2}))?$/) ?? [];
  return hour ? `${two(hour)}:${two(minute)}` : "";
}

/**
 * @param {HTMLInputElement} field
 * @returns {string} empty if it is nothing of the kind: the browser then says what is expected
 */
function tidied({ value, defaultValue, dataset }) {
  const text = value.normalize("NFKC").trim();
  const date = dateIn(text);
  if (dataset.when === "date") return date;
  const time = timeIn(text.replace(/^\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(T|\s+|$)/, ""));
  if (dataset.when === "time" || !time) return time;
  return `${date || dateIn(defaultValue) || wall(serverNow()).slice(0, 10)} ${time}`;
}

export function start() {
  document.addEventListener(
    "change",
    ({ target }) => {
      if (!(target instanceof HTMLInputElement) || !target.dataset.when) return;
      const tidy = tidied(target);
      if (tidy && tidy !== target.value) target.value = tidy;
    },
    { capture: true },
  );
}

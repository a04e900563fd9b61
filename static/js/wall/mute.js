// Key m turns the sound of a wall off for a quarter of an hour, and on again. Nobody may forget it.

import { serverNow } from "../live/clock.js";
import { store, stored } from "../page/stored.js";
import { timeOfDay } from "../time/times.js";

const KEYS = new Set(["m", "M", "q", "Q"]);
const MUTED_MS = 15 * 60_000;
const TICK_MS = 1000;
const STORAGE_KEY = "tms-wall-muted-until";

const panel = /** @type {HTMLElement} */ (document.getElementById("sound"));
const words = /** @type {HTMLElement} */ (document.getElementById("wall-muted"));
const off = words.textContent ?? "";

const isMuted = () => panel.dataset.sound === "off";
const toggle = () => /** @type {HTMLElement | null} */ (panel.querySelector("[data-switch]"))?.click();

function press() {
  store(() => localStorage, STORAGE_KEY, isMuted() ? 0 : Date.now() + MUTED_MS);
  toggle();
  show();
}

function show() {
  const left = Number(stored(() => localStorage, STORAGE_KEY) ?? 0) - Date.now();
  if (isMuted() && (left <= 0 || left > MUTED_MS)) toggle();
  if (!isMuted()) return;
  const until = timeOfDay(serverNow() + left).slice(0, 5);
  words.textContent = `${off}, ${(panel.dataset.until ?? "").replace("{time}", until)}`;
}

/** @param {KeyboardEvent} event */
function down(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || !KEYS.has(event.key)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  press();
}

export function start() {
  if (panel.hidden) return; // no sound in this browser
  document.addEventListener("keydown", down, { capture: true });
  show();
  setInterval(show, TICK_MS);
}

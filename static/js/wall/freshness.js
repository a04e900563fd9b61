// Loads the wall again after a new release, and once a day: that also renews the cookie of the screen.

import { loadAgain } from "../live/reload.js";

const DAY_MS = 24 * 3600_000;
// All walls of a site load again at different times, and while two releases run beside each other at most once a minute.
const SPREAD_MS = 20_000;
const MIN_MS = 60_000;
const HOUR_MS = 3600_000;

const digest = () => document.getElementById("wall-release")?.dataset.digest;
const before = digest();

let isDue = false;

function check() {
  if (isDue || digest() === before) return;
  isDue = true;
  setTimeout(loadAgain, Math.max(0, MIN_MS - performance.now()) + Math.random() * SPREAD_MS);
}

export function start() {
  document.addEventListener("tms:proof", check);
  setTimeout(loadAgain, DAY_MS - Math.random() * HOUR_MS);
}

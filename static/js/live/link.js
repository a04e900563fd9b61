// State of the board's link: live, behind, reconnecting or lost; published as :root[data-link].

/** @typedef {"live" | "behind" | "reconnecting" | "lost"} Link */

const BEHIND_S = 5;
const LOST_S = 10;
const TICK_MS = 500;
// A page that was just rendered is current: its socket has a moment to open.
const OPENING_S = 2;

const root = document.documentElement;

let isOpen = false;
let isNew = true;
let announced_s = 0;
let heardAt = instant();

/** Two clocks: one stops while a computer sleeps, the other may be set. */
function instant() {
  return { steady: performance.now(), wall: Date.now() };
}

/** Seconds since the last frame. */
export function silence() {
  const now = instant();
  return Math.max(now.steady - heardAt.steady, now.wall - heardAt.wall, 0) / 1000;
}

/**
 * @param {{isOpen: boolean, silence_s: number, announced_s: number}} facts `announced_s`: how far the server says it is behind
 * @returns {Link}
 */
export function linkOf({ isOpen, silence_s, announced_s }) {
  if (silence_s >= LOST_S) return "lost";
  if (!isOpen) return "reconnecting";
  return Math.max(silence_s, announced_s) >= BEHIND_S ? "behind" : "live";
}

/** How far the board is behind the fleet, in seconds. */
export const behind = () => Math.max(announced_s, silence() >= BEHIND_S ? silence() : 0);

function update() {
  if (isNew && silence() < OPENING_S) return;
  const link = linkOf({ isOpen, silence_s: silence(), announced_s });
  const was = root.dataset.link;
  if (was !== link) root.dataset.link = link;
  document.dispatchEvent(new CustomEvent("tms:link", { detail: { link, was } }));
}

/**
 * A frame was applied to a complete board.
 * @param {number} behind_s
 */
export function received(behind_s) {
  isOpen = true;
  isNew = false;
  announced_s = behind_s;
  heardAt = instant();
  update();
}

/** The socket was closed. */
export function closed() {
  isOpen = false;
  update();
}

export function start() {
  setInterval(update, TICK_MS);
  document.addEventListener("visibilitychange", update);
  document.addEventListener("resume", update);
}

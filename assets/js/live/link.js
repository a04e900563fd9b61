// How far the board may be believed: live, behind, reconnecting or lost, on :root[data-link] for all to see.

/** @typedef {"live" | "behind" | "reconnecting" | "lost"} Link */

const BEHIND_S = 5;
const LOST_S = 10;
const TICK_MS = 500;
// A page that was just rendered is true: its socket has a moment to open before it says otherwise.
const OPENING_S = 2;

const root = document.documentElement;

let isOpen = false;
let isNew = true;
let announced_s = 0;
let heardAt = instant();

/** Both clocks: one stops while a computer sleeps, the other may be set. */
function instant() {
  return { steady: performance.now(), wall: Date.now() };
}

/** Seconds since the board last heard from the server. */
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

/** How far what is shown lies behind the fleet, in seconds. */
export const behind = () => Math.max(announced_s, silence() >= BEHIND_S ? silence() : 0);

function look() {
  if (isNew && silence() < OPENING_S) return;
  const link = linkOf({ isOpen, silence_s: silence(), announced_s });
  const was = root.dataset.link;
  if (was !== link) root.dataset.link = link;
  document.dispatchEvent(new CustomEvent("tms:link", { detail: { link, was } }));
}

/**
 * A frame of a board that is complete was applied.
 * @param {number} behind_s
 */
export function heard(behind_s) {
  isOpen = true;
  isNew = false;
  announced_s = behind_s;
  heardAt = instant();
  look();
}

/** The socket is gone. */
export function closed() {
  isOpen = false;
  look();
}

export function start() {
  setInterval(look, TICK_MS);
  document.addEventListener("visibilitychange", look);
  document.addEventListener("resume", look);
}

// A television that waits for its pairing: it gets a code by itself, a new one before it expires, and loads the page again
// when the code was entered. Nothing is sent or loaded while the server does not answer.

import { loadAgain, reachable } from "./live/reload.js";

const SETTLED = 4403;
const MIN_MS = 1000;
const MAX_MS = 10_000;
// A limit is not tested every second by many televisions at once.
const JITTER_MS = 5000;

const box = /** @type {HTMLElement} */ (document.getElementById("pairing"));
const form = /** @type {HTMLFormElement} */ (box.querySelector("form"));
const away = document.getElementById("pairing-link");

/** @param {boolean} isAway */
function showAway(isAway) {
  if (away) away.hidden = !isAway;
}

async function newCode() {
  await reachable(location.pathname, () => showAway(true));
  form.submit();
}

let failures = 0;

function wait() {
  const address = new URL("/ws/wall/", location.href);
  address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(address);
  socket.addEventListener("open", () => showAway(false));
  socket.addEventListener("close", ({ code }) => {
    if (code === SETTLED) {
      setTimeout(loadAgain, Math.random() * MIN_MS);
      return;
    }
    showAway(true);
    failures += 1;
    setTimeout(wait, Math.min(MAX_MS, MIN_MS * 2 ** failures) * (0.5 + Math.random() / 2));
  });
}

const { left, wait: limited } = box.dataset;
if (left) {
  setTimeout(newCode, Number(left) * 1000);
  wait();
} else setTimeout(newCode, limited ? Number(limited) * 1000 + Math.random() * JITTER_MS : 0);

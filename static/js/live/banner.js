// The banner repeats the state of the header for screen readers: behind for more than 10 s, or the link is lost.

import { clockFace } from "../time/countdown.js";
import { age, timeOfDay } from "../time/times.js";
import { serverNow } from "./clock.js";
import { nextTry, retry } from "./frames.js";
import { behind, silence } from "./link.js";

const LOUD_S = 10;

/** @returns {"lost" | "behind" | undefined} */
function kindNow() {
  const { link } = document.documentElement.dataset;
  if (link === "lost") return "lost";
  return link === "behind" && behind() > LOUD_S ? "behind" : undefined;
}

/**
 * @param {HTMLElement} banner
 * @param {string} name
 * @param {string} text
 */
function setText(banner, name, text) {
  for (const slot of banner.querySelectorAll(`[data-banner="${name}"]`))
    if (slot.textContent !== text) slot.textContent = text;
}

function update() {
  const banner = document.getElementById("banner");
  if (!banner) return;
  const kind = kindNow();
  banner.hidden = !kind;
  if (!kind) return;
  if (banner.dataset.kind !== kind) banner.dataset.kind = kind;
  for (const part of /** @type {NodeListOf<HTMLElement>} */ (banner.querySelectorAll("[data-for]")))
    part.hidden = part.dataset.for !== kind;
  setText(banner, "seen", timeOfDay(serverNow() - silence() * 1000));
  setText(banner, "behind", age(behind()));
  setText(banner, "next", clockFace(Math.max(0, Math.ceil((nextTry() - Date.now()) / 1000))));
}

export function start() {
  document.addEventListener("tms:link", update);
  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element) || !event.target.closest('#banner [data-banner="retry"]')) return;
    event.preventDefault();
    retry();
  });
}

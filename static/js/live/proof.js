// The freshness of the board in the header, as one phrase ("Verified 9 s ago") and, behind it, the four facts: link, age
// of the newest data, gaps, comparison with the database.

import { age, fineAge } from "../time/times.js";
import { serverNow } from "./clock.js";
import { behind } from "./link.js";

// An older comparison is no statement about what is on the page: two intervals, and never less than 20 s.
const STALE_S = 2 * Math.max(10, Number(document.documentElement.dataset.verifiedEvery ?? 0));

const ICONS = { live: "online", behind: "silent", reconnecting: "rebooting", lost: "offline" };

/** @type {import("./frames.js").Proof | null} */
let proof = null;
let startedAt = 0;

/** @param {string} at */
const secondsSince = (at) => (serverNow() - Date.parse(at)) / 1000;

/**
 * @param {Element | undefined} slot
 * @param {string} text
 */
function setText(slot, text) {
  if (!slot) return;
  const words = [...slot.childNodes].findLast((node) => node.nodeType === Node.TEXT_NODE && node.nodeValue?.trim());
  if (!words) slot.append(text);
  else if (words.nodeValue !== text) words.nodeValue = text;
}

/**
 * @param {HTMLElement} part
 * @param {string} name
 */
const textOf = (part, name) => part.getAttribute(`data-text-${name}`) ?? "";

/** @param {HTMLElement} part */
function sayLink(part) {
  const link = /** @type {keyof typeof ICONS | undefined} */ (document.documentElement.dataset.link);
  if (!link || !(link in ICONS)) return;
  const [slot] = part.querySelectorAll("dd");
  if (part.dataset.link !== link) part.dataset.link = link;
  const use = part.querySelector("use");
  use?.setAttribute("href", `${use.getAttribute("href")?.split("#")[0]}#${ICONS[link]}`);
  setText(slot, textOf(part, link).replace("{s}", String(Math.round(behind()))));
}

/**
 * @param {HTMLElement} part
 * @param {import("./frames.js").Proof} proof
 */
function sayFacts(part, { newest_at, gaps, database }) {
  const [, newest, holes, agreement] = part.querySelectorAll("dd");
  setText(newest, newest_at ? fineAge(secondsSince(newest_at)) : "–");
  setText(holes, gaps.toLocaleString(document.documentElement.lang));
  const verified = verification(database);
  const since = database.at ? age(secondsSince(database.at)) : "";
  setText(agreement, textOf(part, verified === "stale" ? "equal" : verified).replace("{age}", since));
  part.toggleAttribute("data-stale", verified === "stale");
  const brief = textOf(part, "brief").replace("{age}", since);
  part.dataset.brief = verified === "equal" || verified === "stale" ? brief : "";
}

/**
 * Nobody watched before this page was opened, so the last comparison may be old: the next one is on its way.
 * @param {import("./frames.js").Proof["database"]} database
 */
function verification({ state, at }) {
  if (state !== "equal" || !at || secondsSince(at) <= STALE_S) return state;
  return (performance.now() - startedAt) / 1000 < STALE_S ? "unchecked" : "stale";
}

/**
 * One phrase for all four facts, in a narrow bar only the age. While something is wrong, the age of the newest data is
 * beside it.
 * @param {HTMLElement} part
 */
function sayPhrase(part) {
  const [slot, newest, , agreement] = part.querySelectorAll("dd");
  const isLive = part.dataset.link === "live";
  const said = isLive ? (proof ? agreement?.textContent : textOf(part, "unchecked")) : slot?.textContent;
  const phrase = said?.trim() ?? "";
  const isWrong = !isLive || proof?.database.state === "differs";
  const beside = isWrong ? `${newest?.previousElementSibling?.textContent} ${newest?.textContent?.trim()}` : "";
  put(part, "[data-phrase]", phrase);
  put(part, "[data-brief]", (isLive && part.dataset.brief) || phrase);
  put(part, "[data-newest]", beside);
}

/**
 * @param {HTMLElement} part
 * @param {string} selector
 * @param {string} text
 */
function put(part, selector, text) {
  const slot = part.querySelector(selector);
  if (slot && slot.textContent !== text) slot.textContent = text;
}

function update() {
  const part = document.getElementById("proof");
  if (!part) return;
  sayLink(part);
  if (proof) sayFacts(part, proof);
  sayPhrase(part);
}

export function start() {
  startedAt = performance.now();
  document.addEventListener("tms:proof", (event) => {
    proof = event.detail;
    update();
  });
  document.addEventListener("tms:link", () => document.hidden || update());
}

// The freshness of the board in the header, as one phrase ("Verified 9 s ago") and, behind it, the four facts: link, age
// of the newest data, gaps, comparison with the database.

import { age, fineAge } from "../time/times.js";
import { serverNow } from "./clock.js";
import { behind } from "./link.js";

const ICONS = { live: "online", behind: "silent", reconnecting: "rebooting", lost: "offline" };

/** @type {import("./frames.js").Proof | null} */
let proof = null;

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
  const since = database.at ? age(secondsSince(database.at)) : "";
  setText(agreement, textOf(part, database.state).replace("{age}", since));
}

/**
 * One phrase for all four facts. While something is wrong, the age of the newest data is beside it.
 * @param {HTMLElement} part
 */
function sayPhrase(part) {
  const [slot, newest, , agreement] = part.querySelectorAll("dd");
  const phrase = part.querySelector("[data-phrase]");
  if (!phrase) return;
  const isLive = part.dataset.link === "live";
  const isVerified = proof?.database.state === "equal";
  const isUnchecked = !proof || proof.database.state === "unchecked";
  const said = isLive && !isUnchecked ? agreement : slot;
  setText(phrase, said?.textContent?.trim() ?? "");
  const isWrong = !isLive || !(isVerified || isUnchecked);
  const beside = part.querySelector("[data-newest]");
  const text = isWrong ? `${newest?.previousElementSibling?.textContent} ${newest?.textContent?.trim()}` : "";
  if (beside && beside.textContent !== text) beside.textContent = text;
}

function update() {
  const part = document.getElementById("proof");
  if (!part) return;
  sayLink(part);
  if (proof) sayFacts(part, proof);
  sayPhrase(part);
}

export function start() {
  document.addEventListener("tms:proof", (event) => {
    proof = event.detail;
    update();
  });
  document.addEventListener("tms:link", () => document.hidden || update());
}

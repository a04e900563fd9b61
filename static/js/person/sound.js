// Sound alarms: one for a burst, by its highest severity; a critical one repeats until it is acknowledged. Volume and mute
// belong to the browser, because rooms differ; the severities to the person, or until they choose any to the browser.

import { SEVERITIES } from "../page/severity.js";
import { store, stored } from "../page/stored.js";

const STORAGE_KEY = "tms-sound";
const RINGING = "tms-ringing";
const REPEAT_MS = 60_000;
// Alarms within this time are one burst.
const BURST_MS = 1500;

/** @typedef {"critical" | "warning" | "info"} Severity */
/** @typedef {{isOn: boolean, volume: number, critical: boolean, warning: boolean, info: boolean}} Choice */

/**
 * Notes of each: start in seconds, and pitch.
 * @type {Record<Severity, [number, number][]>}
 */
const TUNES = {
  critical: [
    [0, 880],
    [0.18, 660],
    [0.36, 880],
    [0.54, 660],
  ],
  warning: [
    [0, 587],
    [0.2, 740],
  ],
  info: [[0, 523]],
};
const NOTE_S = 0.16;

/** @type {Choice} */
const choice = { isOn: true, volume: 0.5, critical: true, warning: true, info: false };

/** @type {AudioContext | null} */
let audio = null;
/** Marks of critical alarms that were there when the page was opened, or have sounded since. @type {Set<string>} */
let known = new Set();
/** The latest mark, by severity and letter; of severities below critical only that is sent. @type {Map<string, number>} */
const newest = new Map();
/** Critical alarms that have sounded and are not acknowledged. @type {Set<string>} */
let ringing = new Set();
let playedAt = Number.NEGATIVE_INFINITY;
let played = SEVERITIES.length;

/** On boards. @type {HTMLElement | null} */
let panel = null;

/** @param {Severity} severity */
const marks = (severity) =>
  document.getElementById(`sound-alarms-${severity}`)?.dataset.marks?.split(" ").filter(Boolean) ?? [];

/** Whether one of them is new; from now on it is not. @param {Severity} severity */
function hasNew(severity) {
  if (severity === "critical") return marks(severity).some((mark) => !known.has(mark));
  return marks(severity).filter((mark) => isNewest(severity + mark[0], Number(mark.split(".")[1]))).length > 0;
}

/**
 * @param {string} of
 * @param {number} step
 */
function isNewest(of, step) {
  if (step <= (newest.get(of) ?? 0)) return false;
  newest.set(of, step);
  return true;
}

/** @param {Severity} severity */
function play(severity) {
  if (audio?.state !== "running") return;
  const begin = audio.currentTime + 0.02;
  for (const [after, pitch] of TUNES[severity]) note(audio, begin + after, pitch);
  playedAt = performance.now();
  played = SEVERITIES.indexOf(severity);
}

/**
 * @param {AudioContext} context
 * @param {number} at
 * @param {number} pitch
 */
function note(context, at, pitch) {
  const oscillator = new OscillatorNode(context, { type: "triangle", frequency: pitch });
  const gain = new GainNode(context, { gain: 0 });
  gain.gain.setValueAtTime(0, at);
  gain.gain.linearRampToValueAtTime(choice.volume, at + 0.01);
  gain.gain.exponentialRampToValueAtTime(0.001, at + NOTE_S);
  oscillator.connect(gain).connect(context.destination);
  oscillator.start(at);
  oscillator.stop(at + NOTE_S);
}

/** @param {Severity} severity */
const isChosen = (severity) => choice.isOn && choice[severity];

function listen() {
  const fresh = SEVERITIES.filter(hasNew);
  const critical = new Set(marks("critical"));
  for (const mark of critical) if (!known.has(mark)) ringing.add(mark);
  ringing = ringing.intersection
    ? ringing.intersection(critical)
    : new Set([...ringing].filter((m) => critical.has(m)));
  known = critical;
  keepRinging();
  const worst = fresh.find(isChosen);
  if (worst) sound(worst);
}

/** @param {Severity} severity */
function sound(severity) {
  const isBurst = performance.now() - playedAt < BURST_MS;
  if (!isBurst || SEVERITIES.indexOf(severity) < played) play(severity);
}

function repeat() {
  if (ringing.size && isChosen("critical") && performance.now() - playedAt >= REPEAT_MS - 100) play("critical");
}

function keepRinging() {
  store(() => sessionStorage, RINGING, [...ringing]);
}

/** Alarms that repeated on the previous page continue while they are not acknowledged. */
function begin() {
  SEVERITIES.forEach(hasNew);
  const critical = new Set(marks("critical"));
  known = critical;
  const before = stored(() => sessionStorage, RINGING);
  ringing = new Set(Array.isArray(before) ? before.filter((mark) => critical.has(mark)) : []);
}

function show() {
  for (const severity of SEVERITIES) for (const field of fieldsOf(severity)) field.checked = choice[severity];
  if (!panel) return;
  const isLocked = choice.isOn && audio?.state !== "running";
  panel.dataset.sound = choice.isOn ? (isLocked ? "locked" : "on") : "off";
  panel.querySelector("[data-switch]")?.setAttribute("aria-pressed", String(choice.isOn));
  const volume = /** @type {HTMLInputElement | null} */ (panel.querySelector("[name=volume]"));
  if (volume) volume.value = String(choice.volume);
}

/**
 * In the menu of boards and on the person's own page.
 * @param {Severity} severity
 */
const fieldsOf = (severity) =>
  /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll(`[data-severities] [name=${severity}]`));

/** @param {Partial<Choice>} change */
function choose(change) {
  Object.assign(choice, change);
  store(() => localStorage, STORAGE_KEY, choice);
  show();
}

/** Browsers allow no sound before a person has used the page. */
async function unlock() {
  audio ??= new AudioContext();
  if (audio.state === "suspended") await audio.resume();
  show();
}

/** @param {Event} event */
function changed({ target }) {
  const field = /** @type {HTMLInputElement} */ (target);
  if (field.name === "volume") return choose({ volume: field.valueAsNumber });
  const form = /** @type {HTMLFormElement | null} */ (field.closest("form[data-severities]"));
  if (!form) return;
  choose({ [field.name]: field.checked });
  // On the person's own page htmx saves it.
  if (!form.hasAttribute("hx-post")) save(form);
}

/** @param {HTMLFormElement} form */
async function save(form) {
  const answer = await fetch(form.action, { method: "POST", body: new FormData(form), redirect: "manual" }).catch(
    () => null,
  );
  if (answer?.status === 403) location.reload();
}

/** What the person chose, in any browser. @returns {Partial<Choice>} */
function ofPerson() {
  const sounds = document.documentElement.dataset.sounds?.split(" ");
  return sounds ? Object.fromEntries(SEVERITIES.map((severity) => [severity, sounds.includes(severity)])) : {};
}

/** What was chosen in this browser. @returns {Partial<Choice>} */
function ofBrowser() {
  const chosen = Object.entries(stored(() => localStorage, STORAGE_KEY) ?? {});
  return Object.fromEntries(chosen.filter(([name, value]) => typeof value === typeof choice[name]));
}

/** A menu on boards, with what has to sound. @param {HTMLElement} found */
function startPanel(found) {
  panel = found;
  begin();
  panel.hidden = false;
  for (const button of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-opens-sound]")))
    button.hidden = false;
  document.addEventListener("click", openPanel); // after what closes menus at a click elsewhere
  panel.querySelector("[data-switch]")?.addEventListener("click", () => choose({ isOn: !choice.isOn }));
  // Not at the press of a button: the hint disappears, and the release would miss the button, which has moved.
  for (const name of ["click", "keydown"])
    document.addEventListener(name, () => audio?.state === "running" || unlock());
  document.addEventListener("tms:proof", listen);
  setInterval(repeat, 1000);
  // If the browser already allows sound here, no click is needed.
  audio = new AudioContext();
  audio.addEventListener("statechange", show);
}

/** From the list of places, where the bar has no room for the button. @param {MouseEvent} event */
function openPanel({ target }) {
  if (!panel || !(target instanceof Element) || !target.closest("[data-opens-sound]")) return;
  document.getElementById("more")?.hidePopover();
  /** @type {HTMLDetailsElement} */ (panel).open = true;
  /** @type {HTMLElement | null} */ (panel.querySelector("[data-switch]"))?.focus();
}

/** @param {MouseEvent} event */
function tryOut({ target }) {
  if (target instanceof Element && target.closest("[data-try]")) unlock().then(() => play("critical"));
}

export function start() {
  if (typeof AudioContext === "undefined" || !document.querySelector("[data-severities]")) return;
  Object.assign(choice, ofBrowser(), ofPerson());
  const found = document.getElementById("sound");
  if (found) startPanel(found);
  for (const button of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-try]")))
    button.hidden = false;
  document.addEventListener("click", tryOut);
  document.addEventListener("input", changed);
  window.addEventListener("storage", ({ key }) => {
    if (key !== STORAGE_KEY) return;
    Object.assign(choice, ofBrowser());
    show();
  });
  show();
}

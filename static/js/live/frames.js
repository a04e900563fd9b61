// Applies pushed frames to the page: in order, at most once per animation frame, only the newest state of each element.

import { count } from "../time/countdown.js";
import { localise } from "../time/times.js";
import * as clock from "./clock.js";
import * as link from "./link.js";
import { change, morph, parse } from "./morph.js";
import { BoardSocket } from "./socket.js";
import { tint } from "./tint.js";
import * as waiting from "./waiting.js";

/**
 * @typedef {{at: string, newest_at: string | null, behind_s: number, gaps: number,
 *   database: {state: "equal" | "differs" | "unchecked", at: string | null}}} Proof
 * @typedef {{of: string, ids?: string[], gone?: string[], put?: [string, string][]}} Order the rows of one list: all, or
 *   what makes the order before this one: rows that go, then each that is put after another
 * @typedef {{number: number, kind: "patch" | "repaint" | "beat", html?: string,
 *   list?: Order, proof: {at: string} & Partial<Proof>}} Frame
 */

// A hidden tab gets no animation frames and its timers are throttled, but its socket still receives.
const HIDDEN_MS = 1000;
const MAX_REQUEST_MS = 30_000;
// Parts of the page that only the browser has.
const OWN = new Set(["waiting", "banner"]);

const pending = {
  /** @type {Map<string, Element>} */
  elements: new Map(),
  /** @type {Map<string, string[]>} */
  lists: new Map(),
  isRepaint: false,
  /** @type {Proof | null} */
  proof: null,
};

/**
 * The latest order of every list, as received.
 * @type {Map<string, string[]>}
 */
const orders = new Map();

/** @type {Proof["database"]} */
let database = { state: "unchecked", at: null };

/**
 * Rows of a repaint that were not on the page; their list may follow in another frame.
 * @type {Map<string, Element>}
 */
const strangers = new Map();

/**
 * Pending htmx requests.
 * @type {Set<object>}
 */
const requests = new Set();

/**
 * Elements pushed since the first of them was sent. Its response may have been rendered before, and would undo them.
 * @type {Map<string, Element>}
 */
const meanwhile = new Map();

/** @type {BoardSocket} */
let socket;
let number = 0;
let gaps = 0;
let isAsking = false;
let isPainted = false;
let isScheduled = false;
let flushedAt = 0;

/** Something was missed: request the whole page again. */
function ask() {
  if (isAsking) return;
  isAsking = true;
  socket.send({ ask: "repaint" });
}

function forgetPending() {
  pending.elements.clear();
  pending.lists.clear();
  pending.isRepaint = false;
}

/** @param {Frame} frame */
function follow(frame) {
  const isNext = frame.number === number + 1;
  number = frame.number;
  if (frame.kind === "repaint") {
    forgetPending();
    strangers.clear();
    pending.isRepaint = isPainted = true;
    isAsking = false;
  } else if (!isNext) {
    gaps += 1;
    ask();
  }
}

/**
 * @param {string[]} before
 * @param {Order} order
 */
function arranged(before, { gone = [], put = [] }) {
  const leaves = new Set([...gone, ...put.map(([row]) => row)]);
  const ids = before.filter((row) => !leaves.has(row));
  for (const [row, after] of put) ids.splice(after ? ids.indexOf(after) + 1 : 0, 0, row);
  return ids;
}

/** @param {Order} order */
function arrange(order) {
  const ids = order.ids ?? arranged(orders.get(order.of) ?? [], order);
  orders.set(order.of, ids);
  pending.lists.set(order.of, ids);
}

/**
 * A pushed number, in rows that are not on the page yet.
 * @param {Element} leaf
 */
function renewWithin(leaf) {
  for (const row of [...pending.elements.values(), ...strangers.values(), ...waiting.rows()]) {
    const old = row.querySelector(`#${CSS.escape(leaf.id)}`);
    if (old) morph(old, /** @type {Element} */ (leaf.cloneNode(true)));
  }
}

/**
 * The newest comes last, because an element may contain one that was received before it.
 * @param {Element} element
 */
function put(element) {
  if (!element.firstElementChild || element.hasAttribute("data-leaf")) renewWithin(element);
  pending.elements.delete(element.id);
  pending.elements.set(element.id, element);
  if (requests.size) meanwhile.set(element.id, /** @type {Element} */ (element.cloneNode(true)));
}

/** @param {Frame} frame */
function collect({ html, list, proof }) {
  if (html) for (const element of parse(html)) if (!OWN.has(element.id)) put(element);
  if (list) arrange(list);
  database = proof.database ?? database;
  pending.proof = { newest_at: null, behind_s: 0, gaps: 0, ...proof, database };
}

/** @param {Element} element that is not on the page, or not yet */
function keep(element) {
  waiting.renew(element);
  if (pending.isRepaint || strangers.has(element.id)) strangers.set(element.id, element);
}

/** Converts instants before comparing, so that only changes by the server count. */
function localisePending() {
  const box = document.createElement("template");
  box.content.append(...pending.elements.values());
  localise(box.content);
  count(box.content);
}

/** The rows that appeared or changed with a new order. */
function arrangeLists() {
  const rows = new Map([...strangers, ...pending.elements]);
  return [...pending.lists].flatMap(([of, ids]) => {
    const { isKnown, changed } = waiting.order(of, ids, rows, pending.isRepaint);
    if (!isKnown) ask();
    return changed;
  });
}

/** Orders first: the text of a row may have to wait for its order. */
function apply() {
  localisePending();
  for (const element of pending.elements.values()) element.removeAttribute("hx-swap-oob");
  const changed = arrangeLists();
  for (const element of pending.elements.values()) {
    const old = document.getElementById(element.id);
    if (!old) keep(element);
    else if (old !== element && !waiting.waits(old, element) && change(old, element)) changed.push(old);
  }
  tint(changed);
}

function flush() {
  isScheduled = false;
  flushedAt = performance.now();
  const { proof, isRepaint } = pending;
  if (!proof) return;
  pending.proof = null;
  apply();
  forgetPending();
  if (!isPainted) return;
  socket.trust();
  link.received(proof.behind_s);
  if (isRepaint) document.dispatchEvent(new CustomEvent("tms:painted"));
  document.dispatchEvent(new CustomEvent("tms:proof", { detail: { ...proof, gaps: proof.gaps + gaps } }));
}

function schedule() {
  if (document.hidden) {
    if (performance.now() - flushedAt >= HIDDEN_MS) flush();
    return;
  }
  if (isScheduled) return;
  isScheduled = true;
  requestAnimationFrame(flush);
}

/** A response was swapped in: elements pushed while it was in flight are newer. */
function pushAgain() {
  for (const [id, element] of meanwhile)
    if (!pending.elements.has(id)) pending.elements.set(id, /** @type {Element} */ (element.cloneNode(true)));
  if (pending.proof) return; // the next flush shows it
  apply();
  pending.elements.clear();
}

/** @param {object} request */
function began(request) {
  requests.add(request);
  // A request whose element was removed ends without an event.
  setTimeout(ended, MAX_REQUEST_MS, request);
}

/** @param {object} request */
function ended(request) {
  requests.delete(request);
  if (!requests.size) meanwhile.clear();
}

/** @param {string} text */
function receive(text) {
  /** @type {Frame} */
  const frame = JSON.parse(text);
  clock.received(frame.proof.at);
  follow(frame);
  collect(frame);
  schedule();
}

function reset() {
  number = 0;
  orders.clear();
  meanwhile.clear();
  isAsking = isPainted = false;
  forgetPending();
  pending.proof = null;
}

/** The data may still be shown, but is not current any more. */
function lost() {
  isPainted = false;
  link.closed();
}

const page = () => location.pathname + location.search;

function reconnect() {
  reset();
  socket.connect();
}

/** The URL changed without a load (a filter, a search): another page, another board. */
function followAddress() {
  if (socket.page === page()) return;
  waiting.clear();
  reconnect();
}

/** When the next attempt to connect begins, in milliseconds since the epoch; 0 while none is needed. */
export const nextTry = () => socket?.retryAt ?? 0;

/**
 * Sends to the server, if connected.
 * @param {object} message
 */
export const send = (message) => socket?.send(message);

/** Connects now, if not connected. */
export function retry() {
  if (nextTry()) socket.connect();
}

function listen() {
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    flush();
    retry();
  });
  window.addEventListener("online", retry);
  window.addEventListener("popstate", followAddress);
  document.addEventListener("htmx:after:history:update", followAddress);
  document.addEventListener("htmx:before:request", ({ detail }) => began(detail.ctx));
  document.addEventListener("htmx:after:swap", ({ detail }) => {
    if (meanwhile.size) pushAgain();
    ended(detail.ctx);
  });
  document.addEventListener("htmx:finally:request", ({ detail }) => ended(detail.ctx));
  // A page in the back/forward cache has no socket, and repaints when it is shown again.
  window.addEventListener("pagehide", () => socket.leave());
  window.addEventListener("pageshow", (event) => event.persisted && reconnect());
}

export function start() {
  const path = document.documentElement.dataset.boardSocket;
  if (!path) return;
  socket = new BoardSocket({ path, page, onMessage: receive, onOpen: reset, onClose: lost });
  link.start();
  listen();
  socket.connect();
}

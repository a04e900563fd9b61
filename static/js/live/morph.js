// Updates whole elements by id to the server's HTML with as few changes as possible.

import htmx from "htmx.org";
import { isWritingIn } from "../person/person.js";

// State of the browser: opened by a person, tinted, marked for removal, processed by htmx, on another page of a wall.
export const OWN = new Set(["open", "data-changed", "data-gone", "data-htmx-powered", "data-slide"]);
const WIRES = ["hx-get", "hx-post", "hx-trigger"];
// Readings and instants change all the time; only a change of state is highlighted.
const UNNOTICED = "time, .number, svg, progress, meter, [data-unnoticed]";

/** @param {string} html */
function fragment(html) {
  const box = document.createElement("template");
  box.innerHTML = html;
  return [...box.content.children];
}

/**
 * The elements of a frame. A parser that has seen a bare <tr> drops every later <table>, and without one it drops every
 * <tr>: a frame with both is parsed twice.
 * @param {string} html
 * @returns {Element[]}
 */
export function parse(html) {
  if (!/<tr[\s>]/i.test(html)) return fragment(html).filter(({ id }) => id);
  const rows = fragment(`<tr></tr>${html}`).filter(({ id }) => id);
  if (!/<table[\s>]/i.test(html)) return rows;
  const whole = new Map(fragment(`<p></p>${html}`).map((element) => [element.id, element]));
  return rows.flatMap((row) => (row.matches("tr") ? row : (whole.get(row.id) ?? [])));
}

/**
 * Moves a node; if the browser supports it, without losing focus, frames and animations.
 * @param {Element} parent
 * @param {Element} node
 * @param {Node | null} before
 */
export function place(parent, node, before) {
  if (parent.moveBefore && node.isConnected) {
    parent.moveBefore(node, before);
    return;
  }
  const focused = node.contains(document.activeElement) ? /** @type {HTMLElement} */ (document.activeElement) : null;
  parent.insertBefore(node, before);
  focused?.focus({ preventScroll: true });
}

/**
 * Inserts a new element and lets htmx process it.
 * @param {Node} parent
 * @param {Node} node
 * @param {Node | null} before
 */
export function insert(parent, node, before) {
  parent.insertBefore(node, before);
  if (node instanceof Element) htmx.process(node);
}

/**
 * @param {Element} old
 * @param {Element} next
 */
function attributes(old, next) {
  let changed = false;
  for (const { name, value } of next.attributes)
    if (!OWN.has(name) && old.getAttribute(name) !== value) {
      old.setAttribute(name, value);
      changed = true;
    }
  for (const name of old.getAttributeNames())
    if (!OWN.has(name) && !next.hasAttribute(name)) {
      old.removeAttribute(name);
      changed = true;
    }
  return changed;
}

/**
 * @param {Node} old
 * @param {Node} next
 */
function text(old, next) {
  if (old.nodeValue === next.nodeValue) return false;
  const changed = old.nodeValue?.trim() !== next.nodeValue?.trim();
  old.nodeValue = next.nodeValue;
  return changed;
}

/** @param {Node} node */
const idOf = (node) => (node instanceof Element ? node.id : "");

/**
 * Whether htmx does the same on both: it adds its listeners when it first processes an element.
 * @param {Element} a
 * @param {Element} b
 */
const isWiredAlike = (a, b) => WIRES.every((name) => a.getAttribute(name) === b.getAttribute(name));

/**
 * @param {Node} a
 * @param {Node} b
 */
function isSame(a, b) {
  if (a.nodeType !== b.nodeType || a.nodeName !== b.nodeName || idOf(a) !== idOf(b)) return false;
  return !(a instanceof Element) || isWiredAlike(a, /** @type {Element} */ (b));
}

/**
 * @param {Element} old
 * @param {Node} want
 * @param {Node | null} before
 */
function fetchOrInsert(old, want, before) {
  const id = idOf(want);
  const found = id ? [...old.children].find((child) => isSame(child, want)) : undefined;
  if (!found) return insert(old, want, before);
  place(old, found, before);
  morph(found, /** @type {Element} */ (want));
}

/** @param {ChildNode | null} from */
function removeFrom(from) {
  let removed = false;
  for (let node = from; node; ) {
    const after = node.nextSibling;
    if (!(node instanceof Element && isWritingIn(node))) {
      removed ||= Boolean(node.textContent?.trim());
      node.remove();
    }
    node = after;
  }
  return removed;
}

/**
 * @param {Element} old
 * @param {Element} next
 */
function children(old, next) {
  let changed = false;
  let at = old.firstChild;
  for (const want of [...next.childNodes]) {
    if (at && isSame(at, want)) {
      const touched = at instanceof Element ? morph(at, /** @type {Element} */ (want)) : text(at, want);
      changed ||= touched;
      at = at.nextSibling;
    } else {
      fetchOrInsert(old, want, at);
      changed ||= Boolean(want.textContent?.trim());
    }
  }
  const removed = removeFrom(at);
  return changed || removed;
}

/**
 * Makes `old` equal to `next`. Focus, selection, ticks, typed text, open details and scrolling are preserved.
 * @param {Element} old
 * @param {Element} next
 * @returns {boolean} whether something changed that is worth an eye
 */
export function morph(old, next) {
  if (old.isEqualNode(next)) return false;
  const named = attributes(old, next);
  // What a script draws into an element is not the server's.
  const held = !next.hasAttribute("data-drawn") && children(old, next);
  return (named || held) && !old.matches(UNNOTICED);
}

/**
 * Morphs, and moves the focus to a neighbour if its element was removed ("Acknowledge", when another person was first).
 * @param {Element} old
 * @param {Element} next
 */
export function change(old, next) {
  const hadFocus = old.contains(document.activeElement);
  const isNoticed = morph(old, next);
  const near = hadFocus && !old.contains(document.activeElement) ? old.querySelector("a, button") : null;
  /** @type {HTMLElement | null} */ (near)?.focus({ preventScroll: true });
  return isNoticed;
}

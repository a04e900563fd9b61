// What a person is doing in a part of the page, so that updates do not disturb it.

const TEXT =
  "textarea, input:not([type]), input:is([type=text], [type=search], [type=number], [type=email], [type=password])";
const TICK = "input:is([type=checkbox], [type=radio])";
const pointer = matchMedia("(hover: hover)");

/** @param {Element} element */
const isTyped = (element) => {
  const field = /** @type {HTMLInputElement} */ (element);
  return field.value !== field.defaultValue;
};

/** @param {Element} element */
const isTicked = (element) => {
  const box = /** @type {HTMLInputElement} */ (element);
  return box.checked !== box.defaultChecked;
};

/**
 * @param {Element} part
 * @param {string} selector
 */
const within = (part, selector) => [...(part.matches(selector) ? [part] : []), ...part.querySelectorAll(selector)];

/** @param {Element} element */
export const isField = (element) => element.matches(`${TEXT}, select, [contenteditable]`);

/** @param {Element} part */
export const hasTyped = (part) => within(part, TEXT).some(isTyped);

/**
 * Whether removing `part` would lose what a person has typed, or is about to type.
 * @param {Element} part
 */
export const isWritingIn = (part) =>
  within(part, TEXT).some((field) => field === document.activeElement || isTyped(field));

/**
 * Whether a person is using it: focus, pointer, ticks, open details or typed text.
 * @param {Element} part
 */
export const isInside = (part) =>
  part.contains(document.activeElement) ||
  (pointer.matches && part.matches(":hover")) ||
  part.querySelector("details[open]") !== null ||
  within(part, TICK).some(isTicked) ||
  hasTyped(part);

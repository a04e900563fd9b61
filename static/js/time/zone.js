// The reader's time zone: the one that the person chose, otherwise that of the browser.
// <input data-when="datetime" data-at>: the instant in that zone, with the name of the zone.
// <input type="hidden" data-zone>: the name of the zone, for times that a person types beside it.
// <small data-zone-name>: the name of the zone, for the person.
// <p data-days-of>: shown where the days of a list are those of another zone.

const root = document.documentElement;
const own = () => Intl.DateTimeFormat().resolvedOptions().timeZone;

/** A zone that this browser does not know is ignored: its data may be older than the server's. */
export function readerZone() {
  const chosen = root.dataset.zone;
  if (!chosen) return own();
  try {
    Intl.DateTimeFormat("en", { timeZone: chosen });
    return chosen;
  } catch {
    return own();
  }
}

/** As fields show it. @param {Date} at */
export function wall(at) {
  // Swedish dates are those of ISO 8601.
  const options = /** @type {const} */ ({ timeZone: readerZone(), dateStyle: "short", timeStyle: "short" });
  return new Intl.DateTimeFormat("sv", options).format(at);
}

/**
 * Another instant in a field that has one.
 * @param {HTMLInputElement} field
 * @param {Date} at
 */
export function showInstant(field, at) {
  field.value = wall(at);
  const zone = /** @type {HTMLInputElement | null} */ (field.parentElement?.querySelector("[name=zone]"));
  if (zone) zone.value = readerZone();
}

/** @param {HTMLInputElement} field */
function localise(field) {
  const zone = /** @type {HTMLInputElement | null} */ (field.parentElement?.querySelector("[name=zone]"));
  const at = new Date(field.dataset.at ?? "");
  if (!zone || zone.value || Number.isNaN(at.getTime())) return;
  field.value = wall(at);
  field.defaultValue = field.value;
  zone.value = readerZone();
}

/** @param {string | undefined} zone */
function isOther(zone) {
  try {
    /** @param {string | undefined} timeZone */
    const now = (timeZone) => new Intl.DateTimeFormat("sv", { timeZone, dateStyle: "short", timeStyle: "short" });
    return now(zone).format() !== now(readerZone()).format();
  } catch {
    return false;
  }
}

function localiseAll() {
  for (const hint of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-days-of]")))
    hint.hidden = !isOther(hint.dataset.daysOf);
  for (const field of document.querySelectorAll("input[data-when=datetime][data-at]"))
    localise(/** @type {HTMLInputElement} */ (field));
  for (const zone of /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll("input[data-zone]")))
    zone.value ||= readerZone();
  for (const name of document.querySelectorAll("[data-zone-name]")) {
    const zone = /** @type {HTMLInputElement | null} */ (name.parentElement?.querySelector("[name=zone]"));
    name.textContent = (zone?.value || readerZone()).replaceAll("_", " ");
  }
}

export function start() {
  localiseAll();
  document.addEventListener("htmx:after:swap", localiseAll);
}

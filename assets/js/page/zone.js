// <input type="datetime-local" data-at>: the instant in local time, with the name of the time zone.
// <input type="hidden" data-zone>: the name of this time zone, for times that a person types beside it.

const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** @param {Date} at */
function wall(at) {
  const moved = new Date(at.getTime() - at.getTimezoneOffset() * 60_000);
  return moved.toISOString().slice(0, 16);
}

/** @param {HTMLInputElement} field */
function localise(field) {
  const zone = /** @type {HTMLInputElement | null} */ (field.parentElement?.querySelector("[name=zone]"));
  const at = new Date(field.dataset.at ?? "");
  if (!zone || zone.value || Number.isNaN(at.getTime())) return;
  field.value = wall(at);
  field.defaultValue = field.value;
  zone.value = ZONE;
}

function localiseAll() {
  for (const field of document.querySelectorAll("input[type=datetime-local][data-at]"))
    localise(/** @type {HTMLInputElement} */ (field));
  for (const zone of /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll("input[data-zone]")))
    zone.value ||= ZONE;
}

export function start() {
  localiseAll();
  document.addEventListener("htmx:after:swap", localiseAll);
}

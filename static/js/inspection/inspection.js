// <form data-inspection>: makes photos small, reads a serial number by camera, and keeps what cannot be sent.
// [data-inspections]: says what waits on this phone. Both send it when there is a link.

import { keep, mine, send, sendAll } from "./pending.js";
import { smaller } from "./photo.js";

/** @param {HTMLElement} root @param {HTMLElement} status */
async function show(root, status) {
  const waiting = await mine();
  const refused = waiting.filter((one) => one.refused);
  const lines = [];
  if (waiting.length > refused.length)
    lines.push((root.dataset.textWaiting ?? "").replace("{number}", String(waiting.length - refused.length)));
  status.replaceChildren(document.createTextNode(lines.join(" ")));
  for (const one of refused) {
    const link = document.createElement("a");
    link.href = one.address;
    link.textContent = (root.dataset.textRefused ?? "").replace("{text}", one.refused ?? "");
    status.append(" ", link);
  }
  status.hidden = !waiting.length;
}

/** @param {HTMLElement} root @param {HTMLElement} status */
function watch(root, status) {
  const again = () =>
    sendAll()
      .then(() => show(root, status))
      .catch(reportError);
  addEventListener("online", again);
  again();
}

/**
 * What the form sends, with the button and a small photo.
 * @param {HTMLFormElement} form
 * @param {SubmitEvent} event
 */
async function dataOf(form, event) {
  const data = new FormData(form, event.submitter);
  const photo = data.get("photo");
  if (photo instanceof File && photo.size) data.set("photo", await smaller(photo));
  data.set("done_at", new Date().toISOString());
  return data;
}

/** @param {HTMLFormElement} form @param {HTMLElement} status */
function sendByScript(form, status) {
  let isBusy = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (isBusy) return;
    isBusy = true;
    const data = await dataOf(form, event);
    const address = location.pathname;
    try {
      const { isStored, content } = await send(address, data);
      if (isStored) {
        location.assign(content.result === "in_order" ? content.next : content.page);
        return;
      }
      // The page with its errors beside the fields is the server's; nothing was stored.
      status.textContent = (form.dataset.textRefused ?? "").replace("{text}", content.errors.join(" "));
    } catch {
      const key = String(data.get("key"));
      const stored = await keep({ key, address, fields: [...data] }).then(
        () => true,
        () => false,
      );
      status.textContent = (stored ? form.dataset.textStored : form.dataset.textFull) ?? "";
    }
    status.hidden = false;
    status.scrollIntoView({ block: "center" });
    isBusy = false;
  });
}

/** Reads a bar code or QR code in a photo of the label. @param {HTMLFormElement} form */
function scan(form) {
  const label = /** @type {HTMLElement | null} */ (form.querySelector("[data-scan]"));
  const picker = label?.querySelector("input");
  const field = /** @type {HTMLInputElement | null} */ (form.querySelector("[name=seen_serial]"));
  const Detector = /** @type {any} */ (globalThis).BarcodeDetector;
  if (!label || !picker || !field || !Detector) return;
  label.hidden = false;
  picker.addEventListener("change", async () => {
    const photo = picker.files?.[0];
    if (!photo) return;
    const [found] = await new Detector().detect(await createImageBitmap(photo)).catch(() => []);
    if (found) field.value = found.rawValue.slice(0, field.maxLength);
    picker.value = "";
    field.focus();
  });
}

export function start() {
  const form = /** @type {HTMLFormElement | null} */ (document.querySelector("form[data-inspection]"));
  const list = /** @type {HTMLElement | null} */ (document.querySelector("[data-inspections]"));
  const status = /** @type {HTMLElement | null} */ (form?.querySelector(".pending") ?? list);
  if (!status || !("indexedDB" in globalThis)) return;
  if (form) {
    scan(form);
    sendByScript(form, status);
  }
  watch(form ?? status, status);
}

// <a data-quick="A">, <button data-quick="A">: the key performs the action of the control at once, without its dialog.

import htmx from "htmx.org";
import { ticked } from "../page/ticks.js";

/**
 * @param {string} address
 * @param {[string, string][]} fields
 */
function post(address, fields) {
  const form = document.createElement("form");
  form.hidden = true;
  form.method = "post";
  form.setAttribute("hx-post", address);
  form.setAttribute("hx-target", "#dialog");
  for (const [name, value] of fields) {
    const field = document.createElement("input");
    Object.assign(field, { type: "hidden", name, value });
    form.append(field);
  }
  document.body.append(form);
  htmx.process(form);
  document.addEventListener("htmx:after:request", () => form.remove(), { once: true });
  form.requestSubmit();
}

/**
 * @param {Element} control of a row, or of the bar for all ticked rows
 */
export function perform(control) {
  const form = /** @type {HTMLButtonElement} */ (control).form;
  const address = control.getAttribute("hx-get") ?? control.getAttribute("href") ?? form?.action ?? "";
  const fields = ticked().length && form ? [...new FormData(form)] : [];
  post(address, /** @type {[string, string][]} */ (fields));
}

// Notifications in this browser, on the person's own page: asks the browser, subscribes, and sends what the browser
// answers with the form. `[data-when]` shows what fits the state.

const WORKER = "/worker.js";
const PATIENCE_MS = 2000;

/** @typedef {"unsupported" | "denied" | "available" | "subscribed"} State */

/** @param {string} text */
const toBytes = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));

/** @param {ArrayBuffer | null} bytes */
const toText = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes ?? new ArrayBuffer(0))))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

const isSupported = () => "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;

/** @returns {Promise<PushSubscription | null>} */
async function subscription() {
  const registration = await navigator.serviceWorker.getRegistration("/");
  return (await registration?.pushManager.getSubscription()) ?? null;
}

/** @param {string} address */
async function digest(address) {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(address)));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Marks this browser in the list. @param {HTMLElement} panel @returns {Promise<State>} */
async function stateOf(panel) {
  if (!isSupported()) return "unsupported";
  if (Notification.permission === "denied") return "denied";
  const found = await subscription();
  if (!found) return "available";
  const row = panel.querySelector(`[data-browser="${await digest(found.endpoint)}"]`);
  row?.setAttribute("data-this", "");
  return row ? "subscribed" : "available";
}

/** @param {HTMLElement} panel */
async function show(panel) {
  const state = await stateOf(panel);
  panel.dataset.state = state;
  for (const part of /** @type {NodeListOf<HTMLElement>} */ (panel.querySelectorAll("[data-when]")))
    part.hidden = part.dataset.when !== state;
}

/** @param {HTMLElement} panel */
async function add(panel) {
  if ((await Notification.requestPermission()) !== "granted") return show(panel);
  await navigator.serviceWorker.register(WORKER, { scope: "/" });
  const { pushManager } = await navigator.serviceWorker.ready;
  // One that the server does not know belongs to another key, or to a browser that was removed.
  await (await pushManager.getSubscription())?.unsubscribe();
  const key = toBytes(panel.dataset.key ?? "");
  send(panel, await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key }));
}

/**
 * @param {HTMLElement} panel
 * @param {PushSubscription} made
 */
function send(panel, made) {
  const form = /** @type {HTMLFormElement} */ (panel.querySelector("form[data-subscribes]"));
  const values = { address: made.endpoint, p256dh: toText(made.getKey("p256dh")), auth: toText(made.getKey("auth")) };
  for (const [name, value] of Object.entries(values)) {
    const field = /** @type {HTMLInputElement} */ (form.elements.namedItem(name));
    field.value = value;
  }
  form.submit();
}

/** @param {HTMLElement} panel */
function startPanel(panel) {
  const failed = /** @type {HTMLElement} */ (panel.querySelector("[data-failed]"));
  panel.querySelector("[data-adds]")?.addEventListener("click", () => {
    failed.hidden = true;
    add(panel).catch(() => {
      failed.hidden = false;
    });
  });
  show(panel);
}

/**
 * The next person who signs in in this browser must not get the notifications of this one. Signing out does not wait for
 * a push service that does not answer.
 * @param {SubmitEvent} event
 */
async function signOut(event) {
  const form = /** @type {HTMLFormElement} */ (event.target);
  if (!form.matches('form[action$="/sign-out/"]')) return;
  event.preventDefault();
  const unsubscribed = subscription().then((found) => found?.unsubscribe());
  const patience = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS));
  await Promise.race([unsubscribed, patience]).catch(() => null);
  form.submit();
}

export function start() {
  const panel = document.getElementById("browsers");
  if (panel) startPanel(panel);
  if (isSupported() && Notification.permission === "granted") document.addEventListener("submit", signOut);
}

// The worker of TMS: shows notifications, opens what they are about, and acknowledges it. It caches nothing, and no
// request of a page goes through it. All texts come with the message, in the language of its recipient.

const scope = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));

/**
 * @typedef {{path: string, label: string, failed: string}} Acknowledge
 * @typedef {{uid: string, tag: string, title: string, body: string, at: number, lang: string, path: string,
 *   isSilent: boolean, isUrgent: boolean, open: string, acknowledge?: Acknowledge}} Message
 */

const ICONS = { icon: "/icon-192.png", badge: "/icon-96.png" };

scope.addEventListener("install", () => scope.skipWaiting());

scope.addEventListener("push", (event) => event.waitUntil(show(read(event.data))));

scope.addEventListener("notificationclick", (event) => {
  const { notification, action } = event;
  const message = /** @type {Message} */ (notification.data);
  notification.close();
  event.waitUntil(action === "acknowledge" ? acknowledge(message) : open(message.path));
});

/** Browsers require that each message shows something. @param {PushMessageData | null} data @returns {Message} */
function read(data) {
  const unknown = { uid: "", tag: "tms", title: "TMS", body: "", at: Date.now(), lang: "en", path: "/" };
  const usual = { isSilent: false, isUrgent: false, open: "" };
  try {
    return { ...unknown, ...usual, ...data?.json() };
  } catch {
    return { ...unknown, ...usual };
  }
}

/** Once, if the push service delivers it twice. @param {Message} message */
async function show(message) {
  const shown = await scope.registration.getNotifications({ tag: message.tag });
  const isAgain = shown.some(({ data }) => data?.uid === message.uid);
  const acknowledging = message.acknowledge ? [{ action: "acknowledge", title: message.acknowledge.label }] : [];
  const opening = message.open ? [{ action: "open", title: message.open }] : [];
  const options = {
    ...ICONS,
    body: message.body,
    tag: message.tag,
    lang: message.lang,
    timestamp: message.at,
    silent: message.isSilent,
    renotify: !message.isSilent && !isAgain,
    requireInteraction: message.isUrgent,
    actions: [...acknowledging, ...opening],
    data: message,
  };
  await scope.registration.showNotification(message.title, options);
}

/** Shows the result in its place. @param {Message} message */
async function acknowledge(message) {
  const { path, failed } = /** @type {Acknowledge} */ (message.acknowledge);
  try {
    const headers = { Accept: "application/json" };
    const answer = await fetch(own(path), { method: "POST", headers, credentials: "omit", redirect: "error" });
    const { title, body } = await answer.json();
    await show({ ...message, title, body, isSilent: true, isUrgent: false, acknowledge: undefined });
  } catch {
    await show({ ...message, title: failed, body: message.title, isSilent: true });
  }
}

/** A window that shows it already comes to the front. @param {string} path */
async function open(path) {
  const windows = await scope.clients.matchAll({ type: "window", includeUncontrolled: true });
  const found = windows.find(({ url }) => new URL(url).pathname === path);
  await (found ? found.focus() : scope.clients.openWindow(own(path)));
}

/** Only addresses of TMS itself. @param {string} path */
const own = (path) => new URL(new URL(path, scope.location.origin).pathname, scope.location.origin).href;

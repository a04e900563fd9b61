// Inspections that wait on this phone for a link: the fields of a form with its photo, by the key of the form, which makes
// that the server stores it once however often it arrives. Those of another person are neither shown nor sent.

const NAME = "tms-inspections";
const STORE = "pending";

/** @typedef {{key: string, me: string, address: string, fields: [string, FormDataEntryValue][], refused?: string}} Pending */

const me = () => document.documentElement.dataset.me ?? "";

/** @returns {Promise<IDBDatabase>} */
function open() {
  const request = indexedDB.open(NAME, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "key" });
  return done(request);
}

/**
 * @template T
 * @param {IDBRequest<T>} request
 * @returns {Promise<T>}
 */
const done = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

/**
 * @template T
 * @param {IDBTransactionMode} mode
 * @param {(store: IDBObjectStore) => IDBRequest<T>} act
 */
async function within(mode, act) {
  const database = await open();
  try {
    return await done(act(database.transaction(STORE, mode).objectStore(STORE)));
  } finally {
    database.close();
  }
}

/** Rejects if the phone has no room. @param {Omit<Pending, "me">} pending */
export const keep = (pending) => within("readwrite", (store) => store.put({ ...pending, me: me() }));

/** @param {string} key */
const forget = (key) => within("readwrite", (store) => store.delete(key));

/** @returns {Promise<Pending[]>} */
export const mine = async () => (await within("readonly", (store) => store.getAll())).filter((one) => one.me === me());

/**
 * Sends one form. An error means that there is no link, or that the server cannot answer now.
 * @param {string} address
 * @param {FormData} data
 */
export async function send(address, data) {
  const answer = await fetch(address, {
    method: "POST",
    body: data,
    headers: { Accept: "application/json" },
    redirect: "error", // to the page for signing in
  });
  if (answer.status >= 500 || !answer.headers.get("Content-Type")?.startsWith("application/json"))
    throw new Error(`status ${answer.status}`);
  return { isStored: answer.ok, content: await answer.json() };
}

let running = false;

/** Sends what waits, with the token of this page. */
export async function sendAll() {
  const token = /** @type {HTMLInputElement | null} */ (document.querySelector("[name=csrfmiddlewaretoken]"))?.value;
  if (running || !token || !navigator.onLine) return;
  running = true;
  try {
    for (const one of await mine()) {
      const data = new FormData();
      for (const [name, value] of one.fields) data.append(name, value);
      data.set("csrfmiddlewaretoken", token);
      const { isStored, content } = await send(one.address, data);
      if (isStored) await forget(one.key);
      else await keep({ ...one, refused: content.errors.join(" ") });
    }
  } catch {
    // the link is gone again; later
  } finally {
    running = false;
  }
}

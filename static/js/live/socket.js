// One socket to the board of a page. Reconnects after every close but two: 4401, sign in again; 4403, the rights of the
// person changed, so the whole page is loaded again. A wall has nobody who would load an error page again: it waits until
// the server answers.

import { loadAgain as loadWhenReachable } from "./reload.js";

const SIGN_IN = 4401;
const RIGHTS_CHANGED = 4403;
const MIN_MS = 500;
const MAX_MS = 3000;
const PATIENCE_MS = 10_000;
// A wall whose socket is refused loads its page again, but not more often than this.
const WALL_MS = 30_000;

/** @typedef {{path: string, page: () => string, onMessage: (text: string) => void, onOpen: () => void, onClose: () => void}} Options */

export class BoardSocket {
  /** When the next attempt begins, in milliseconds since the epoch; 0 while there is a socket. */
  retryAt = 0;
  /** The page that the socket serves. */
  page = "";

  /** @type {WebSocket | null} */
  #socket = null;
  #timer = 0;
  #failures = 0;
  #options;

  /** @param {Options} options */
  constructor(options) {
    this.#options = options;
  }

  /** Reconnects now. */
  connect() {
    this.leave();
    this.page = this.#options.page();
    const address = new URL(this.#options.path, location.href);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    address.searchParams.set("page", this.page);
    this.#listen(new WebSocket(address));
  }

  /** Closes the socket without another attempt; further messages are ignored. */
  leave() {
    clearTimeout(this.#timer);
    this.retryAt = 0;
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }

  /** The connection works: the next failure starts with a short wait again. */
  trust() {
    this.#failures = 0;
  }

  /** @param {object} message */
  send(message) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  /** @param {WebSocket} socket */
  #listen(socket) {
    this.#socket = socket;
    this.#expect();
    let isOpened = false;
    const mine = () => this.#socket === socket;
    socket.addEventListener("open", () => {
      isOpened = true;
      if (mine()) this.#options.onOpen();
    });
    socket.addEventListener("message", ({ data }) => {
      if (!mine()) return;
      this.#expect();
      this.#options.onMessage(data);
    });
    socket.addEventListener("close", ({ code }) => {
      if (!mine()) return;
      this.#lost();
      if (code === SIGN_IN) signIn();
      else if (code === RIGHTS_CHANGED) loadAgain();
      else if (!isOpened) askToSignIn();
    });
  }

  /** A network that drops packets gives no error, so silence counts as a loss too. */
  #expect() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#lost(), PATIENCE_MS);
  }

  #lost() {
    this.leave();
    this.#failures += 1;
    const most = Math.min(MAX_MS, MIN_MS * 2 ** this.#failures);
    const wait = MIN_MS + Math.random() * (most - MIN_MS);
    this.retryAt = Date.now() + wait;
    this.#timer = setTimeout(() => this.connect(), wait);
    this.#options.onClose();
  }
}

function signIn() {
  const address = new URL(document.documentElement.dataset.signIn ?? "/sign-in/", location.href);
  address.searchParams.set("next", location.pathname + location.search);
  location.assign(address);
}

const isWall = () => Boolean(document.documentElement.dataset.wall);

/** With GET, even if the page is the answer to a form. */
function loadAgain() {
  if (isWall()) loadWhenReachable();
  else location.replace(location.pathname + location.search);
}

/** A rejected handshake has no reason; the page itself has, because it redirects to the sign-in page. */
async function askToSignIn() {
  const answer = await fetch(location.href, { method: "HEAD", redirect: "manual" }).catch(() => null);
  if (answer?.type === "opaqueredirect") signIn();
  else if (answer?.ok && isWall() && performance.now() > WALL_MS) loadWhenReachable();
}

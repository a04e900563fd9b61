// Loads the page at other instants: one request at a time, and only the newest that was wanted.

import { morph, parse } from "../live/morph.js";
import { showZone } from "../page/head.js";
import { count } from "../time/countdown.js";
import { localise } from "../time/times.js";

const HEADER = "Replay-Step";
const MIN_RETRY_S = 1;
const MAX_TRIES = 3;

/** @param {number} ms */
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * The address of this page at an instant.
 * @param {number} at milliseconds since the epoch
 */
export function addressAt(at) {
  const address = new URL(location.href);
  address.searchParams.set("at", `${new Date(at).toISOString().slice(0, 19)}Z`);
  address.searchParams.delete("zone");
  return address;
}

/**
 * Repeats a request that the server had no room for. It says how long to wait.
 * @param {URL} address
 * @param {AbortSignal} signal
 */
async function request(address, signal) {
  for (let tries = 1; ; tries += 1) {
    const answer = await fetch(address, { signal, headers: { [HEADER]: "1" } });
    if (answer.status !== 503 || tries === MAX_TRIES) return answer;
    await wait(1000 * Math.max(MIN_RETRY_S, Number(answer.headers.get("Retry-After"))));
    signal.throwIfAborted();
  }
}

/**
 * Replaces what depends on the instant. Instants are written before comparing, so that only changes count.
 * @param {string} html
 */
function apply(html) {
  const box = document.createElement("template");
  box.content.append(...parse(html));
  localise(box.content);
  count(box.content);
  for (const next of [...box.content.children]) {
    const old = document.getElementById(next.id);
    if (old) morph(old, next);
  }
  showZone();
}

export class Steps {
  #loading = new AbortController();
  /** Whether a request is on its way. */
  isLoading = false;

  /**
   * Shows the page at an instant. A later call ends an earlier one.
   * @param {number} at milliseconds since the epoch
   * @returns {Promise<boolean | null>} whether it is shown; null if a later call ended this one
   */
  async show(at) {
    this.#loading.abort();
    const loading = new AbortController();
    this.#loading = loading;
    this.isLoading = true;
    try {
      const answer = await request(addressAt(at), loading.signal);
      const html = await answer.text();
      if (loading.signal.aborted) return null;
      // A page instead of the parts: the session ended, or the instant cannot be shown.
      if (!answer.ok || answer.redirected) return false;
      document.documentElement.dataset.at = addressAt(at).searchParams.get("at") ?? "";
      apply(html);
      return true;
    } catch {
      return loading.signal.aborted ? null : false;
    } finally {
      if (this.#loading === loading) this.isLoading = false;
    }
  }
}

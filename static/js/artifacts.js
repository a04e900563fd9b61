// The uploads of artifacts: files are sent by tus, which goes on after a cut; then the checks tick one by one.

import { Upload } from "tus-js-client";

const PART_BYTES = 8 * 2 ** 20;
const LOOK_AGAIN_MS = 1000;
const RETRY_MS = [0, 1000, 3000, 5000, 10000, 30000];
const MANIFEST = ".manifest.json";
const MEGA = 1e6;

const list = /** @type {HTMLElement | null} */ (document.querySelector("[data-artifact-uploads]"));
const drop = /** @type {HTMLElement | null} */ (document.querySelector("[data-artifact-drop]"));
const error = /** @type {HTMLElement | null} */ (document.querySelector("[data-artifact-error]"));

/** @type {Map<string, Row>} The rows, by the key of their upload. */
const rows = new Map();

/** @param {string} name @param {Record<string, unknown>} [values] */
function text(name, values = {}) {
  const given = list?.dataset[`text${name}`] ?? "";
  return given.replace(/\{(\w+)\}/g, (_, one) => String(values[one] ?? ""));
}

function csrf() {
  return /** @type {HTMLInputElement | null} */ (document.querySelector("[name=csrfmiddlewaretoken]"))?.value ?? "";
}

/** @param {string} address @param {RequestInit} [options] */
async function ask(address, options = {}) {
  const answer = await fetch(address, { ...options, headers: { "X-CSRFToken": csrf() } });
  const body = answer.status === 204 ? null : await answer.json();
  if (!answer.ok) throw new Error(body?.detail ?? answer.statusText);
  return body;
}

/** One file: what it is called, how far it is, its checks, and what can be done. */
class Row {
  /** @param {string} name */
  constructor(name) {
    const template = /** @type {HTMLTemplateElement} */ (document.querySelector("#artifact-upload"));
    this.root = /** @type {HTMLElement} */ (template.content.firstElementChild?.cloneNode(true));
    this.part("name").textContent = name;
    this.address = "";
    /** The name and size of the file with which it goes on; empty if it has it. */
    this.awaits = "";
    /** @type {Upload | undefined} */
    this.upload = undefined;
    list?.append(this.root);
    this.part("remove").addEventListener("click", () => this.remove());
  }

  /** @param {string} name */
  part(name) {
    return /** @type {HTMLElement} */ (this.root.querySelector(`[data-${name}]`));
  }

  /** @param {number} percent @param {string} state */
  show(percent, state) {
    /** @type {HTMLProgressElement} */ (this.root.querySelector("progress")).value = percent;
    this.part("percent").textContent = `${Math.floor(percent)}%`;
    this.part("state").textContent = state;
  }

  /** @param {any} found What the server says about the upload. */
  showChecks(found) {
    const checks = /** @type {HTMLElement} */ (this.root.querySelector(".checks"));
    checks.replaceChildren(...found.checks.map(line));
    const form = /** @type {HTMLFormElement} */ (this.root.querySelector("form"));
    form.hidden = !found.may_be_added;
    form.action = `/artifacts/add/${found.key}/`;
    this.root.toggleAttribute("data-refused", found.is_refused);
  }

  async remove() {
    this.upload?.abort();
    if (this.address) await ask(this.address, { method: "DELETE" }).catch(() => {});
    this.root.remove();
  }

  /** Ask for the checks until they are all made. */
  async follow() {
    if (!this.root.isConnected) return;
    const found = await ask(this.address).catch(() => null);
    if (found) {
      this.showChecks(found);
      const isHashed = found.checks[0].is_passed || found.hashed === found.length;
      const state = found.is_refused ? text("Kept") : isHashed ? "" : text("Hashing", { percent: percentOf(found) });
      this.show(100, state);
      if (isHashed || found.checks[0].is_failed) return;
    }
    setTimeout(() => this.follow(), LOOK_AGAIN_MS);
  }
}

/** @param {{hashed: number, length: number}} found */
function percentOf(found) {
  return Math.floor((100 * found.hashed) / found.length);
}

/** @param {{name: string, label: string, text: string, is_passed: boolean, is_failed: boolean}} check */
function line(check) {
  const state = check.is_passed ? "passed" : check.is_failed ? "failed" : "waiting";
  const icon = /** @type {HTMLTemplateElement} */ (document.querySelector(`#artifact-check-${state}`));
  const item = document.createElement("li");
  const label = document.createElement("b");
  const said = document.createElement("span");
  label.textContent = check.label;
  said.textContent = check.text;
  item.append(icon.content.cloneNode(true), label, said);
  item.toggleAttribute("data-bad", check.is_failed);
  return item;
}

/** @param {Row} row @param {File | undefined} manifest */
async function describe(row, manifest) {
  if (!manifest) return;
  const found = await ask(`${row.address}/manifest`, { method: "PUT", body: manifest });
  row.showChecks(found);
}

/** @param {File} file @param {File | undefined} manifest */
function send(file, manifest) {
  // An upload that was begun before goes on where it ended.
  const before = [...rows.values()].find((row) => row.awaits === `${file.name} ${file.size}`);
  const row = before ?? new Row(file.name);
  row.awaits = "";
  const began = performance.now();
  let first = -1;
  let done = 0;
  const upload = new Upload(file, {
    endpoint: list?.dataset.address,
    uploadUrl: row.address || null,
    chunkSize: PART_BYTES,
    retryDelays: RETRY_MS,
    storeFingerprintForResuming: false,
    metadata: { filename: file.name },
    headers: { "X-CSRFToken": csrf() },
    onUploadUrlAvailable: () => {
      row.address = new URL(upload.url ?? "", location.href).pathname;
      rows.set(row.address, row);
      describe(row, manifest).catch((why) => say(text("Failed", { text: why.message })));
    },
    // Only an answer that says what is wrong ends it: without a link it waits.
    onShouldRetry: (failed) => {
      const status = failed.originalResponse?.getStatus() ?? 0;
      const percent = Math.floor((100 * done) / file.size);
      if (!status || status >= 500 || status === 429 || status === 409) row.show(percent, text("Waiting", { percent }));
      return !status || status >= 500 || status === 429 || status === 409;
    },
    onProgress: (sent) => {
      if (first < 0) first = sent;
      const rate = (sent - first) / MEGA / Math.max((performance.now() - began) / 1000, 0.1);
      const values = { sent: (sent / MEGA).toFixed(0), size: (file.size / MEGA).toFixed(0), rate: rate.toFixed(1) };
      row.show((100 * sent) / file.size, text("Sending", values));
    },
    onChunkComplete: (_size, accepted) => {
      done = accepted;
    },
    onSuccess: () => {
      pause.hidden = true;
      row.follow();
    },
    onError: (failed) => {
      const response = /** @type {any} */ (failed).originalResponse;
      const percent = Math.floor((100 * done) / file.size);
      if (!response) {
        row.show(percent, text("Waiting", { percent }));
        addEventListener("online", () => upload.start(), { once: true });
        return;
      }
      row.show(percent, text("Failed", { text: reason(response.getBody()) }));
    },
  });
  row.upload = upload;
  const pause = /** @type {HTMLButtonElement} */ (row.part("pause"));
  const labels = [pause.textContent, pause.dataset.resume ?? ""];
  pause.hidden = false;
  pause.onclick = () => {
    const isPaused = pause.toggleAttribute("data-paused");
    pause.textContent = isPaused ? labels[1] : labels[0];
    if (!isPaused) return upload.start();
    upload.abort();
    const percent = Math.floor((100 * done) / file.size);
    row.show(percent, text("Paused", { percent }));
  };
  upload.start();
}

/** @param {string} body */
function reason(body) {
  try {
    return JSON.parse(body).detail;
  } catch {
    return body.slice(0, 200);
  }
}

/** @param {string} said */
function say(said) {
  if (!error) return;
  error.textContent = said;
  error.hidden = !said;
}

/** @param {Iterable<File>} given Artifacts and their manifests, in any order. */
function take(given) {
  say("");
  const files = [...given];
  const manifests = files.filter((file) => file.name.endsWith(MANIFEST));
  const used = new Set();
  for (const file of files.filter((one) => !manifests.includes(one))) {
    const manifest = manifests.find((one) => one.name === file.name + MANIFEST);
    if (manifest) used.add(manifest);
    send(file, manifest);
  }
  for (const manifest of manifests.filter((one) => !used.has(one))) replace(manifest);
}

/** A manifest that comes later belongs to the upload of its name. @param {File} manifest */
function replace(manifest) {
  const row = [...rows.values()].find((one) => one.part("name").textContent + MANIFEST === manifest.name);
  if (!row) return say(text("Alone"));
  describe(row, manifest)
    .then(() => row.follow())
    .catch((why) => say(text("Failed", { text: why.message })));
}

/** Uploads that were begun before this page was loaded. */
function restore() {
  const stored = JSON.parse(document.querySelector("#artifact-uploads")?.textContent ?? "[]");
  for (const found of stored) {
    const row = new Row(found.name);
    row.address = `${list?.dataset.address}${found.key}`;
    rows.set(row.address, row);
    row.showChecks(found);
    if (found.offset === found.length) {
      row.follow();
      continue;
    }
    row.awaits = `${found.name} ${found.length}`;
    const percent = Math.floor((100 * found.offset) / found.length);
    row.show(percent, text("Again", { percent }));
  }
}

if (list && drop) {
  const input = /** @type {HTMLInputElement} */ (drop.querySelector("input"));
  input.addEventListener("change", () => {
    take(input.files ?? []);
    input.value = "";
  });
  drop.addEventListener("dragover", (event) => event.preventDefault());
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    take(event.dataTransfer?.files ?? []);
  });
  restore();
}

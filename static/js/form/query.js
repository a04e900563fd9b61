// <div data-query>: completions of the query that somebody types, asked of the server. The field stays an ordinary
// search field; Enter applies what it contains.

const PAUSE_MS = 120;

/** @typedef {{text: string, start: number, end: number}} Completion */

class QueryField {
  /** @type {AbortController | undefined} */
  #request;
  #timer = 0;
  #asked = ""; // the query that the completions are for

  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    root.dataset.ready = "";
    this.input = /** @type {HTMLInputElement} */ (root.querySelector("input"));
    this.popup = /** @type {HTMLElement} */ (root.querySelector(".query-popup"));
    this.list = /** @type {HTMLElement} */ (root.querySelector("[role=listbox]"));
    this.count = root.querySelector("[data-count]"); // of the list's page alone
    const states = { role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false" };
    for (const [name, value] of Object.entries({ ...states, "aria-controls": this.list.id }))
      this.input.setAttribute(name, value);
    this.#listen();
  }

  #listen() {
    this.input.addEventListener("keydown", (event) => this.#key(event));
    this.input.addEventListener("input", () => {
      this.root.dataset.typing = "";
      this.count?.replaceChildren();
      this.root.querySelector("#query-problem")?.replaceChildren(); // the answer brings it back, if it is still one
      this.#ask();
    });
    this.input.addEventListener("blur", () => this.#close());
    this.popup.addEventListener("pointerdown", (event) => event.preventDefault()); // the focus stays in the field
    this.list.addEventListener("click", ({ target }) => {
      const option = target instanceof Element ? target.closest("[role=option]") : null;
      if (option) this.#take(/** @type {HTMLElement} */ (option));
    });
    this.root.addEventListener("click", ({ target }) => {
      const corrected = target instanceof HTMLElement ? target.dataset.corrected : undefined;
      if (corrected !== undefined) this.#write(corrected, corrected.length);
    });
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.isComposing || this.popup.hidden) return; // Enter ends the conversion of Japanese input
    const active = this.#active();
    const acts = /** @type {Record<string, (() => unknown) | undefined>} */ ({
      ArrowDown: () => this.#move(1),
      ArrowUp: () => this.#move(-1),
      Tab: () => this.#take(active ?? /** @type {HTMLElement} */ (this.list.firstElementChild)),
      Enter: active && (() => this.#take(active)),
      Escape: () => this.#close(),
    });
    const act = event.shiftKey ? undefined : acts[event.key];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  }

  #ask() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#fetch(), PAUSE_MS);
  }

  async #fetch() {
    this.#request?.abort();
    this.#request = new AbortController();
    const address = new URL(/** @type {string} */ (this.root.dataset.query), location.href);
    const asked = this.input.value;
    address.searchParams.set("q", asked);
    if (this.count) address.searchParams.set("count", "1");
    address.searchParams.set("cursor", String(this.input.selectionStart ?? this.input.value.length));
    try {
      const answer = await fetch(address, { signal: this.#request.signal, redirect: "error" });
      if (answer.ok) this.#open(await answer.text(), asked);
    } catch {
      this.#close(); // a query can be typed without help
    }
  }

  /** @param {string} html @param {string} asked */
  #open(html, asked) {
    if (document.activeElement !== this.input) return;
    this.#asked = asked;
    const found = document.createElement("template");
    found.innerHTML = html;
    this.count?.replaceChildren(...(found.content.querySelector("output")?.childNodes ?? []));
    const options = [...found.content.querySelectorAll("[role=option]")];
    for (const [at, option] of options.entries()) option.id = `${this.list.id}_${at}`;
    this.list.replaceChildren(...options);
    this.popup.hidden = !options.length;
    this.input.setAttribute("aria-expanded", String(options.length > 0));
    this.input.removeAttribute("aria-activedescendant");
  }

  #close() {
    clearTimeout(this.#timer);
    this.#request?.abort();
    this.popup.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }

  /** @param {number} by */
  #move(by) {
    const options = [...this.list.children];
    const at = options.indexOf(/** @type {Element} */ (this.#active()));
    const next = options.at(at < 0 && by < 0 ? -1 : (at + by) % options.length);
    for (const option of options) option.toggleAttribute("data-active", option === next);
    if (!next) return;
    this.input.setAttribute("aria-activedescendant", next.id);
    next.scrollIntoView({ block: "nearest" });
  }

  #active() {
    return /** @type {HTMLElement | null} */ (this.list.querySelector("[data-active]")) ?? undefined;
  }

  /** @param {HTMLElement} option */
  #take({ dataset }) {
    const { text = "", start = "", end = "" } = dataset;
    const { value, selectionStart } = this.input;
    // What was typed since, before the next answer, belongs to the word that is completed, or the completion is none.
    const until = value === this.#asked ? Number(end) : (selectionStart ?? value.length);
    const typed = value.slice(Number(start), until).toLowerCase();
    if (value !== this.#asked && !text.toLowerCase().startsWith(typed)) return;
    const before = value.slice(0, Number(start));
    const after = value.slice(until);
    // A field waits for its value; a value is complete.
    const gap = /[:.]$/.test(text) || after.startsWith(" ") ? "" : " ";
    this.#write(before + text + gap + after, before.length + text.length + gap.length);
  }

  /**
   * @param {string} text
   * @param {number} cursor
   */
  #write(text, cursor) {
    this.input.value = text;
    this.input.focus();
    this.input.setSelectionRange(cursor, cursor);
    this.input.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

function makeAll() {
  for (const root of document.querySelectorAll("[data-query]:not([data-ready])"))
    new QueryField(/** @type {HTMLElement} */ (root));
}

/**
 * A choice beside the field writes into it, too; the link itself asks for the list.
 * @param {MouseEvent} event
 */
function follow({ target, ctrlKey, metaKey, shiftKey }) {
  const choice = target instanceof Element ? /** @type {HTMLElement | null} */ (target.closest("[data-asks]")) : null;
  const input = /** @type {HTMLInputElement | null} */ (document.querySelector("[data-query] input"));
  if (choice && input && !ctrlKey && !metaKey && !shiftKey) input.value = choice.dataset.asks ?? "";
}

/** The list shows what the field says, unless that is no query: then its own number is right. */
function settle() {
  for (const root of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-query]")))
    if (!root.querySelector("#query-problem > span")) delete root.dataset.typing;
  makeAll();
}

export function start() {
  makeAll();
  document.addEventListener("click", follow);
  document.addEventListener("htmx:after:swap", settle);
}

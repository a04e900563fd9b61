// <div data-combobox>: check boxes become a combobox with a listbox and removable chips (ARIA Authoring Practices). The
// check boxes stay in the form, hidden: they are what is submitted. Options are those check boxes, or with
// data-suggestions what the server answers to the typed text.

const PAUSE_MS = 150;
const SEPARATORS = /[\s,;]+/;
const MAX_SHOWN = 100;

/** @param {string} text */
const plain = (text) => text.normalize("NFKC").toLocaleLowerCase().trim();

/** @param {Element} box */
const nameOf = (box) => box.closest("label")?.textContent?.trim() ?? "";

export class Combobox {
  /** @type {AbortController | undefined} */
  #request;
  #timer = 0;
  #isQuiet = false;
  /** The text whose options are in the list. */
  #listed = "";

  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    this.boxes = /** @type {HTMLElement} */ (root.querySelector(".combobox-boxes"));
    this.line = /** @type {HTMLElement} */ (root.querySelector(".combobox-line"));
    this.chips = /** @type {HTMLElement} */ (root.querySelector(".combobox-chips"));
    this.input = /** @type {HTMLInputElement} */ (root.querySelector(".combobox-input"));
    this.popup = /** @type {HTMLElement} */ (root.querySelector(".combobox-popup"));
    this.list = /** @type {HTMLElement} */ (root.querySelector(".combobox-list"));
    this.hint = /** @type {HTMLElement} */ (root.querySelector(".hint"));
    this.status = /** @type {HTMLElement} */ (root.querySelector("[role=status]"));
    this.#prepare();
    this.#listen();
  }

  /** Shows what the check boxes say, after they were changed from outside. */
  refresh() {
    const chosen = [...this.boxes.querySelectorAll("input:checked")];
    this.chips.replaceChildren(...chosen.map((box) => this.#chip(/** @type {HTMLInputElement} */ (box))));
    this.chips.hidden = !chosen.length;
    for (const option of this.#options())
      option.setAttribute("aria-selected", String(Boolean(this.#box(option.dataset.value ?? "")?.checked)));
  }

  /**
   * Chooses a value, which may be unknown here.
   * @param {string} value
   * @param {string} name
   */
  add(value, name) {
    const box = this.#box(value) ?? this.#newBox(value, name);
    if (!box.checked) this.#switch(box, true);
  }

  #prepare() {
    this.root.dataset.ready = "";
    const { input, list } = this;
    input.hidden = false;
    input.removeAttribute("name");
    for (const [name, value] of Object.entries({
      role: "combobox",
      "aria-autocomplete": "list",
      "aria-expanded": "false",
      "aria-controls": list.id,
    }))
      input.setAttribute(name, value);
    for (const key of input.value.split(SEPARATORS).filter(Boolean)) this.add(key, key);
    input.value = "";
    this.refresh();
  }

  #listen() {
    const { input, root } = this;
    input.addEventListener("keydown", (event) => this.#key(event));
    input.addEventListener("input", (event) => {
      event.stopPropagation(); // only a choice changes the form
      this.#ask(PAUSE_MS);
    });
    input.addEventListener("change", (event) => event.stopPropagation());
    input.addEventListener("paste", (event) => this.#paste(event));
    input.addEventListener("blur", () => this.#leave());
    this.line.addEventListener("click", ({ target }) => {
      const button = target instanceof Element ? target.closest("button") : null;
      if (button) return this.#remove(button.value);
      input.focus();
      this.#ask(0);
    });
    this.popup.addEventListener("pointerdown", (event) => event.preventDefault()); // the focus stays in the field
    this.list.addEventListener("click", ({ target }) => {
      const option = target instanceof Element ? target.closest("[role=option]") : null;
      if (option) this.#toggle(/** @type {HTMLElement} */ (option));
    });
    root.closest("form")?.addEventListener("reset", () => setTimeout(() => this.refresh()));
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.isComposing) return; // Enter ends the conversion of Japanese input
    const acts = /** @type {Record<string, () => boolean>} */ ({
      ArrowDown: () => this.#move(1),
      ArrowUp: () => (event.altKey ? this.#close() : this.#move(-1)),
      Enter: () => this.#enter(),
      Escape: () => this.#escape(),
      Backspace: () => this.#backspace(),
    });
    if (!acts[event.key]?.()) return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {number} by */
  #move(by) {
    if (this.popup.hidden) {
      this.#ask(0);
      return true;
    }
    const options = this.#options();
    const at = options.findIndex((option) => option.id === this.input.getAttribute("aria-activedescendant"));
    const next = at < 0 && by < 0 ? options.length - 1 : (at + by + options.length) % (options.length || 1);
    this.#activate(options[next]);
    return true;
  }

  #enter() {
    const active = this.#active();
    if (active) this.#toggle(active);
    else if (this.input.value.trim()) this.#take();
    else return !this.popup.hidden && this.#close();
    return true;
  }

  #escape() {
    if (!this.popup.hidden) return this.#close();
    if (!this.input.value) return false;
    this.input.value = "";
    return true;
  }

  #backspace() {
    const last = /** @type {HTMLButtonElement | null} */ (this.chips.querySelector("li:last-child button"));
    if (this.input.value || !last) return false;
    this.#remove(last.value);
    return true;
  }

  /** Chooses the typed text: its only option, one that is called like it, or, if the server suggests, a key. */
  #take() {
    const typed = this.input.value.trim();
    const options = this.#options();
    const same = options.find((option) => plain(option.dataset.value ?? "") === plain(typed));
    // The list may still be that of the text before.
    const isOnly = options.length === 1 && !this.popup.hidden && this.#listed === typed;
    const option = same ?? (isOnly ? options[0] : undefined);
    if (option) this.add(option.dataset.value ?? "", option.dataset.name ?? "");
    else if (this.root.dataset.suggestions) this.#addKeys(typed);
    this.input.value = "";
    this.#close();
  }

  #leave() {
    if (this.input.value.trim()) this.#take();
    this.#close();
  }

  /** @param {ClipboardEvent} event */
  #paste(event) {
    const text = event.clipboardData?.getData("text").trim() ?? "";
    if (!this.root.dataset.suggestions || !SEPARATORS.test(text)) return;
    event.preventDefault();
    this.#addKeys(text);
  }

  /** @param {string} text */
  #addKeys(text) {
    for (const key of text.split(SEPARATORS).filter(Boolean)) this.add(key, key);
  }

  /** @param {HTMLElement} option */
  #toggle(option) {
    const { value = "", name = "" } = option.dataset;
    if (this.#box(value)?.checked) this.#remove(value);
    else this.add(value, name);
    if (!this.input.value) return; // the list, and the position in it, stay
    this.input.value = "";
    this.#isQuiet = true;
    this.#ask(0);
  }

  /** @param {string} value */
  #remove(value) {
    const box = this.#box(value);
    if (box) this.#switch(box, false);
    this.input.focus();
  }

  /**
   * @param {HTMLInputElement} box
   * @param {boolean} checked
   */
  #switch(box, checked) {
    box.checked = checked;
    this.refresh();
    const number = this.boxes.querySelectorAll("input:checked").length;
    this.#say(checked ? "added" : "removed", { name: nameOf(box) }, "selected", { number });
    box.dispatchEvent(new Event("change", { bubbles: true }));
  }

  /** @param {number} pause */
  #ask(pause) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#fill(), pause);
  }

  async #fill() {
    const { suggestions } = this.root.dataset;
    if (suggestions) await this.#fetch(suggestions);
    else this.#filter();
  }

  /** @param {string} suggestions */
  async #fetch(suggestions) {
    this.#request?.abort();
    this.#request = new AbortController();
    const address = new URL(suggestions, location.href);
    const typed = this.input.value.trim();
    address.searchParams.set("q", typed);
    try {
      const answer = await fetch(address, { signal: this.#request.signal, redirect: "error" });
      if (!answer.ok) throw new Error(answer.statusText);
      const found = document.createElement("template");
      found.innerHTML = await answer.text();
      const options = [...found.content.querySelectorAll("[role=option]")];
      this.#open(options, found.content.querySelector("p")?.textContent, typed);
    } catch (error) {
      if (/** @type {Error} */ (error).name !== "AbortError") this.#open([], this.root.dataset.failed, typed);
    }
  }

  #filter() {
    const typed = this.input.value.trim();
    const wanted = plain(typed);
    const boxes = /** @type {HTMLInputElement[]} */ ([...this.boxes.querySelectorAll("input")]);
    const found = boxes.filter((box) => plain(nameOf(box)).includes(wanted));
    this.#open(found.slice(0, MAX_SHOWN).map(optionOf), found.length > MAX_SHOWN ? "…" : "", typed);
  }

  /**
   * @param {Element[]} options
   * @param {string | null | undefined} hint
   * @param {string} typed to which the options belong
   */
  #open(options, hint, typed) {
    if (document.activeElement !== this.input) return;
    this.#listed = typed;
    for (const [at, option] of options.entries()) option.id = `${this.list.id}_${at}`;
    this.list.replaceChildren(...options);
    this.list.hidden = !options.length;
    this.hint.textContent = hint || (options.length ? "" : (this.root.dataset.nothing ?? ""));
    this.popup.hidden = false;
    this.input.setAttribute("aria-expanded", String(options.length > 0));
    this.input.removeAttribute("aria-activedescendant");
    this.refresh();
    this.#sayResults(options.length);
  }

  /** @param {number} number */
  #sayResults(number) {
    // What was chosen was said just now.
    if (this.#isQuiet) this.#isQuiet = false;
    else if (number) this.#say("results", { number });
    else this.status.textContent = this.hint.textContent;
  }

  #close() {
    clearTimeout(this.#timer);
    this.#request?.abort();
    this.popup.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
    return true;
  }

  /** @param {HTMLElement | undefined} option */
  #activate(option) {
    if (!option) return;
    for (const other of this.#options()) other.toggleAttribute("data-active", other === option);
    this.input.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  }

  #options() {
    return /** @type {HTMLElement[]} */ ([...this.list.children]);
  }

  #active() {
    const id = this.input.getAttribute("aria-activedescendant");
    return this.popup.hidden ? undefined : this.#options().find((option) => option.id === id);
  }

  /** @param {string} value */
  #box(value) {
    const boxes = /** @type {HTMLInputElement[]} */ ([...this.boxes.querySelectorAll("input")]);
    return boxes.find((box) => box.value === value);
  }

  /**
   * @param {string} value
   * @param {string} name
   */
  #newBox(value, name) {
    const item = document.createElement("li");
    const label = document.createElement("label");
    const box = document.createElement("input");
    Object.assign(box, { type: "checkbox", name: this.root.dataset.name, value });
    label.append(box, ` ${name || value}`);
    item.append(label);
    this.boxes.append(item);
    return box;
  }

  /** @param {HTMLInputElement} box */
  #chip(box) {
    const template = /** @type {HTMLTemplateElement} */ (this.root.querySelector("template"));
    const chip = /** @type {HTMLElement} */ (template.content.firstElementChild?.cloneNode(true));
    const button = /** @type {HTMLButtonElement} */ (chip.querySelector("button"));
    const text = /** @type {HTMLElement} */ (chip.querySelector("[data-name]"));
    text.textContent = nameOf(box);
    button.value = box.value;
    button.setAttribute("aria-label", (button.dataset.remove ?? "").replace("{name}", nameOf(box)));
    button.disabled = box.matches(":disabled");
    return chip;
  }

  /**
   * Says texts of data attributes, each with its values.
   * @param {...(string | Record<string, unknown>)} parts
   */
  #say(...parts) {
    const said = [];
    for (let at = 0; at < parts.length; at += 2) {
      const text = this.root.dataset[/** @type {string} */ (parts[at])] ?? "";
      const values = Object.entries(/** @type {Record<string, unknown>} */ (parts[at + 1]));
      said.push(values.reduce((sentence, [name, value]) => sentence.replace(`{${name}}`, String(value)), text));
    }
    this.status.textContent = said.join(". ");
  }
}

/** @param {HTMLInputElement} box */
function optionOf(box) {
  const option = document.createElement("li");
  option.setAttribute("role", "option");
  option.dataset.value = box.value;
  option.dataset.name = nameOf(box);
  option.textContent = nameOf(box);
  return option;
}

/** @type {WeakMap<Element, Combobox>} */
const known = new WeakMap();

/** @param {Element} root */
export const comboboxOf = (root) => known.get(root);

function makeAll() {
  for (const root of document.querySelectorAll("[data-combobox]:not([data-ready])"))
    known.set(root, new Combobox(/** @type {HTMLElement} */ (root)));
}

export function start() {
  makeAll();
  document.addEventListener("htmx:after:swap", makeAll);
}

// What the sweep asks of a page. A script of the browser context, so that the content policy does not concern it. Every
// function returns plain data: texts of problems, or what `keyboard.py` compares.

(() => {
  const FOCUSABLE = "a[href], button, input, select, textarea, summary, iframe, [tabindex], [contenteditable]";
  const TARGETS = "a, button, input, select, textarea, summary";
  const OPERABLE = "a[href], button, input, select, textarea, summary, label, option, [role=option], form";
  const TEXTS = "h1, h2, h3, button, .button, label, legend, th, dt, .tag, .hint, .error";
  const LOOKS = ["outlineStyle", "outlineWidth", "outlineColor", "boxShadow", "borderColor", "backgroundColor"];
  const INK = ["color", "stroke", "strokeWidth", "textDecorationLine"];
  const LEVELS = 4;
  const TARGET_PX = 42; // with borders of a pixel
  const NARROW_PX = 24;

  /** @type {WeakMap<Element, number>} */
  const keys = new WeakMap();
  let latest = 0;
  /** @type {{element: Element, near: Element[], looks: string} | null} */
  let focused = null;

  /** @param {Element} element */
  const nameOf = (element) => element.outerHTML.replace(/\s+/g, " ").slice(0, 120);

  /** @param {Element} element */
  function keyOf(element) {
    if (!keys.has(element)) keys.set(element, ++latest);
    return keys.get(element);
  }

  /** @param {Element} element */
  const isShown = (element) =>
    element.checkVisibility({ visibilityProperty: true }) && element.getBoundingClientRect().width > 0;

  /** Of a group of radio buttons, one is reached with Tab. @param {Element} element */
  const groupOf = (element) =>
    element.matches("[type=radio]") ? [...document.getElementsByName(element.getAttribute("name"))] : [element];

  /** @param {ParentNode} part */
  const reachable = (part) =>
    [...part.querySelectorAll(FOCUSABLE)].filter(
      (element) =>
        element.tabIndex >= 0 &&
        !element.matches(":disabled, [type=hidden]") &&
        !element.closest("[inert]") &&
        isShown(element),
    );

  /** The open dialog, or the page. */
  const scope = () => document.querySelector("dialog:modal") ?? document.body;

  /** @param {Element} element */
  function near(element) {
    const found = [element, ...(element.labels ?? []), ...element.querySelectorAll("svg, path")];
    for (let one = element.parentElement, n = 0; one && n < LEVELS; one = one.parentElement, n++) found.push(one);
    return found;
  }

  /** @param {Element} element */
  const looksOf = (element) =>
    ["", "::before", "::after"].map((pseudo) => {
      const style = getComputedStyle(element, pseudo);
      return [...LOOKS, ...INK].map((name) => style[name]).join();
    });

  /** @param {Element[]} elements */
  const looks = (elements) => JSON.stringify(elements.map(looksOf));

  /** @param {Element} element */
  function isClipping(element) {
    const { overflow, contain } = getComputedStyle(element);
    return overflow !== "visible" || /paint|strict|content/.test(contain);
  }

  /** Whether an ancestor cuts off two sides of the ring, which is then no ring. @param {Element} element */
  function isCut(element) {
    const { outlineStyle, outlineOffset, outlineWidth } = getComputedStyle(element);
    if (outlineStyle === "none" || parseFloat(outlineOffset) < 0 || !parseFloat(outlineWidth)) return false;
    const box = element.getBoundingClientRect();
    for (let one = element.parentElement; one && one !== document.body; one = one.parentElement) {
      const clip = one.getBoundingClientRect();
      const hidden = [box.left <= clip.left, box.top <= clip.top, box.right >= clip.right, box.bottom >= clip.bottom];
      if (isClipping(one) && hidden.filter(Boolean).length > 1) return true;
      if (getComputedStyle(one).position === "fixed") break;
    }
    return false;
  }

  /** What is over the middle of a control. @param {Element} element */
  function coverOf(element) {
    const box = element.getBoundingClientRect();
    const x = Math.min(Math.max(box.left + box.width / 2, 1), innerWidth - 1);
    const y = Math.min(Math.max(box.top + box.height / 2, 1), innerHeight - 1);
    const top = document.elementFromPoint(x, y);
    if (!top || box.height > innerHeight || box.width < 2) return null;
    const isOwn = element.contains(top) || groupOf(element).some((one) => top.contains(one));
    return isOwn || top.contains(element) ? null : top;
  }

  /** How the control looked that had the focus before, compared with now. */
  function invisible() {
    if (!focused?.element.isConnected || focused.element === document.activeElement) return [];
    return looks(focused.near) === focused.looks ? [nameOf(focused.element)] : [];
  }

  /** The focused element; null at the end of the page. */
  function step() {
    const element = document.activeElement;
    const unseen = invisible();
    if (!element || element === document.body || element.matches("dialog, main")) {
      focused = null;
      return { key: null, unseen, problems: [] };
    }
    if (focused?.element !== element) {
      const elements = near(element);
      focused = { element, near: elements, looks: looks(elements) };
    }
    const problems = [];
    if (isCut(element)) problems.push(`the ring of the focus is cut off: ${nameOf(element)}`);
    const cover = coverOf(element);
    if (cover) problems.push(`the focus is covered: ${nameOf(element)} by ${nameOf(cover)}`);
    if (!scope().contains(element)) problems.push(`the focus leaves the dialog: ${nameOf(element)}`);
    return { key: keyOf(element), unseen, problems };
  }

  /** The next Tab goes to the first control, also on a page that gives the focus to another. */
  function begin() {
    const start = document.createElement("span");
    start.tabIndex = -1;
    document.body.prepend(start);
    start.focus();
    start.remove();
    focused = null;
  }

  /** Keys of the controls in the page or the open dialog. */
  const controls = () => reachable(scope()).map((element) => groupOf(element).map(keyOf));

  /** @param {number[][]} missed */
  function names(missed) {
    const wanted = new Set(missed.flat());
    return reachable(scope())
      .filter((element) => wanted.has(keyOf(element)))
      .map(nameOf);
  }

  /** What a pointer can use, and a keyboard cannot. */
  function pointerOnly() {
    const pointers = [...document.querySelectorAll("body *")].filter((element) => {
      const isPointer = (/** @type {Element} */ one) => getComputedStyle(one).cursor === "pointer";
      return isPointer(element) && !(element.parentElement && isPointer(element.parentElement)) && isShown(element);
    });
    const wired = document.querySelectorAll("[hx-get]:not([hx-trigger]), [hx-post]:not([hx-trigger]), [data-opens]");
    return [
      ...pointers.filter((element) => !element.closest(OPERABLE) && !element.querySelector(OPERABLE)),
      ...[...wired].filter((element) => !element.matches(OPERABLE)),
    ].map(nameOf);
  }

  /** A link or word in a sentence, and what a list on the page has, too. @param {Element} element */
  function isExempt(element) {
    if (!element.matches(TARGETS) || element.closest("svg, .squares, .skip")) return true;
    const sentence = element.closest("p, li, dd, td, th, small, .says");
    if (!sentence || getComputedStyle(element).display !== "inline") return false;
    const length = (/** @type {Element} */ one) => (one.textContent ?? "").replace(/\s+/g, "").length;
    return length(sentence) > length(element) + 1;
  }

  /** How far a touch may be from the middle, in one direction. */
  function reachOf(element, middle, by) {
    const isHit = (/** @type {Element | null} */ top) =>
      Boolean(top) && (element.contains(top) || top.closest("label")?.control === element);
    for (let px = 0; px <= 24; px++)
      if (!isHit(document.elementFromPoint(middle.x + by.x * px, middle.y + by.y * px))) return px;
    return 24;
  }

  /** Width and height in px, of the box or of what around it answers a touch. @param {Element} element */
  function sizeOf(element) {
    element.scrollIntoView({ block: "center", inline: "center" });
    const box = element.getBoundingClientRect();
    const middle = { x: box.left + box.width / 2, y: box.top + box.height / 2 };
    const along = (/** @type {number} */ x, /** @type {number} */ y) => reachOf(element, middle, { x, y });
    return {
      width: Math.max(box.width, along(1, 0) + along(-1, 0)),
      height: Math.max(box.height, along(0, 1) + along(0, -1)),
    };
  }

  /** Targets that are too small for a finger, one of a kind. */
  function smallTargets() {
    const kinds = new Map();
    for (const element of reachable(scope()).filter((one) => !isExempt(one))) {
      const { width, height } = sizeOf(element);
      if (height >= TARGET_PX && width >= NARROW_PX) continue;
      const kind = `${element.tagName}.${element.className} in ${element.parentElement?.className}`;
      kinds.set(kind, `${Math.round(width)} × ${Math.round(height)} px: ${nameOf(element)}`);
    }
    scrollTo(0, 0);
    return [...kinds.values()];
  }

  /** What moves although the person prefers that nothing does. */
  function motion() {
    const moving = (/** @type {string} */ durations) => durations.split(",").some((one) => parseFloat(one) > 0);
    const found = document
      .getAnimations()
      .filter((one) => one.playState === "running" && Number(one.effect?.getComputedTiming().duration) > 1)
      .map((one) => nameOf(one.effect?.target));
    for (const element of document.querySelectorAll("body, body *"))
      for (const pseudo of ["", "::before", "::after"]) {
        const style = getComputedStyle(element, pseudo);
        if (style.animationName !== "none" || moving(style.transitionDuration)) found.push(nameOf(element) + pseudo);
      }
    if (getComputedStyle(document.documentElement).scrollBehavior === "smooth") found.push("scrolling is smooth");
    return found;
  }

  /** @param {Element} element */
  const isInScroller = (element) => {
    for (let one = element.parentElement; one && one !== document.body; one = one.parentElement)
      if (/auto|scroll/.test(getComputedStyle(one).overflowX)) return true;
    return false;
  };

  /** @param {Element} element */
  function isOutside(element) {
    const { left, right } = element.getBoundingClientRect();
    return (right > innerWidth + 1 || left < -1) && !isInScroller(element) && !element.matches(".skip");
  }

  /** @param {Element} element */
  function isCutOff(element) {
    const { overflowX, textOverflow } = getComputedStyle(element);
    if (element.matches(".unseen, .bar h1") || overflowX === "visible" || textOverflow === "ellipsis") return false;
    return isShown(element) && element.scrollWidth > element.clientWidth + 1;
  }

  /** Innermost elements that stand out of the window. */
  function widest() {
    const { clientWidth } = document.documentElement;
    const isWide = (/** @type {Element} */ one) => one.getBoundingClientRect().right > clientWidth + 1;
    return [...document.querySelectorAll("body *")]
      .filter((one) => isWide(one) && isShown(one) && !isInScroller(one) && ![...one.children].some(isWide))
      .slice(0, 3)
      .map(nameOf);
  }

  /** What does not fit into the window, or is cut off in it. */
  function overflow() {
    const { scrollWidth, clientWidth } = document.documentElement;
    const dialog = document.querySelector("dialog:modal");
    const problems = [];
    if (!dialog && scrollWidth > clientWidth)
      problems.push(`scrolls sideways: ${scrollWidth} px in ${clientWidth} px: ${widest().join(", ")}`);
    if (dialog && dialog.scrollWidth > dialog.clientWidth + 1) problems.push("the dialog scrolls sideways");
    const outside = reachable(scope()).filter(isOutside);
    const cut = [...scope().querySelectorAll(TEXTS)].filter(isCutOff);
    return [
      ...problems,
      ...outside.map((element) => `outside of the window: ${nameOf(element)}`),
      ...cut.map((element) => `cut off: ${nameOf(element)}`),
    ];
  }

  /** What bars leave of the height after scrolling, from 0 to 1. */
  function visibleShare() {
    scrollTo(0, 1000);
    const covered = [...document.querySelectorAll("body *")]
      .filter((element) => /fixed|sticky/.test(getComputedStyle(element).position) && element.checkVisibility())
      .map((element) => element.getBoundingClientRect())
      .filter((box) => box.width > innerWidth / 2 && box.bottom > 0 && box.top < innerHeight)
      .map((box) => Math.min(box.bottom, innerHeight) - Math.max(box.top, 0));
    scrollTo(0, 0);
    return 1 - covered.reduce((sum, height) => sum + height, 0) / innerHeight;
  }

  /** Japanese of the page itself, not of people or terminals, that is not marked as Japanese. */
  function unmarkedJapanese() {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const found = [];
    while (walker.nextNode()) {
      const parent = walker.currentNode.parentElement;
      if (
        !parent ||
        parent.closest(
          "bdi, option, textarea, script, template, svg, h1, code, samp, pre, [lang=ja], [aria-hidden=true]",
        )
      )
        continue;
      if (/[\u3040-\u30ff\u4e00-\u9fff]/.test(walker.currentNode.data)) found.push(nameOf(parent));
    }
    return found;
  }

  window.sweep = {
    begin,
    controls,
    motion,
    names,
    overflow,
    pointerOnly,
    smallTargets,
    step,
    unmarkedJapanese,
    visibleShare,
  };
})();

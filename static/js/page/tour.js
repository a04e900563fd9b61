// <aside id="tour">: shows one step at a time, with a ring around what it is about. Left with the button or with Escape.

const FOLLOW_MS = 250;

/**
 * Keeps the ring around the element, which a frame may move or replace.
 * @param {HTMLElement} ring
 * @param {string} selector
 */
function surround(ring, selector) {
  const box = document.querySelector(selector)?.getBoundingClientRect();
  ring.hidden = !box?.width;
  if (!box) return;
  for (const side of ["left", "top", "width", "height"]) ring.style.setProperty(side, `${box[side]}px`);
}

/** @param {HTMLElement} tour */
function run(tour) {
  const steps = [...tour.querySelectorAll("section")];
  const form = /** @type {HTMLFormElement} */ (tour.querySelector("form"));
  const next = /** @type {HTMLElement | null} */ (tour.querySelector("[data-next]"));
  const ring = document.createElement("div");
  ring.className = "tour-ring";
  let current = 0;
  const target = () => steps[current]?.dataset.target ?? "";
  const timer = setInterval(() => surround(ring, target()), FOLLOW_MS);

  /** @param {number} number */
  function show(number) {
    current = number;
    steps.forEach((step, index) => {
      step.hidden = index !== current;
    });
    document.querySelector(target())?.scrollIntoView({ block: "nearest" });
    surround(ring, target());
    if (next && current + 1 === steps.length) next.textContent = next.dataset.textLast ?? "";
  }

  function end() {
    clearInterval(timer);
    fetch(form.action, { method: "POST", body: new FormData(form), keepalive: true });
    ring.remove();
    tour.remove();
  }

  next?.addEventListener("click", () => {
    if (current + 1 < steps.length) show(current + 1);
    else end();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    end();
  });
  tour.addEventListener("keydown", (event) => {
    if (event.key === "Escape") end();
  });
  document.body.append(ring);
  tour.hidden = false;
  show(0);
}

export function start() {
  const tour = document.getElementById("tour");
  if (tour) run(tour);
}

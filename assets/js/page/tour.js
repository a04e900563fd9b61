// <aside id="tour">: shows one step at a time and outlines what it is about. Left with the button or with Escape.

const OUTLINED = "toured";

/** @param {HTMLElement} tour */
function run(tour) {
  const steps = [...tour.querySelectorAll("section")];
  const form = /** @type {HTMLFormElement} */ (tour.querySelector("form"));
  let current = 0;

  /** @param {number} number */
  function show(number) {
    for (const outlined of document.querySelectorAll(`[data-${OUTLINED}]`))
      outlined.removeAttribute(`data-${OUTLINED}`);
    current = number;
    steps.forEach((step, index) => {
      step.hidden = index !== current;
    });
    const target = document.querySelector(steps[current]?.dataset.target ?? "");
    target?.setAttribute(`data-${OUTLINED}`, "");
    target?.scrollIntoView({ block: "nearest" });
  }

  function end() {
    for (const outlined of document.querySelectorAll(`[data-${OUTLINED}]`))
      outlined.removeAttribute(`data-${OUTLINED}`);
    fetch(form.action, { method: "POST", body: new FormData(form), keepalive: true });
    tour.remove();
  }

  tour.querySelector("[data-next]")?.addEventListener("click", () => {
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
  tour.hidden = false;
  show(0);
}

export function start() {
  const tour = document.getElementById("tour");
  if (tour) run(tour);
}

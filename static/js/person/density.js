// How dense lists are: the form posts the choice to the server; this only avoids the reload.

const root = document.documentElement;

/** @param {string} density */
function show(density) {
  if (density === "standard") delete root.dataset.density;
  else root.dataset.density = density;
  const buttons = /** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll("button[name=density]"));
  for (const button of buttons) button.setAttribute("aria-pressed", String(button.value === density));
}

/** @param {SubmitEvent} event */
async function choose(event) {
  const form = /** @type {HTMLFormElement} */ (event.target);
  if (!form.matches("form[data-density-form]")) return;
  event.preventDefault();
  const data = new FormData(form, event.submitter);
  show(String(data.get("density")));
  const answer = await fetch(form.action, { method: "POST", body: data, redirect: "manual" }).catch(() => null);
  if (answer?.status === 403) location.reload();
}

export const start = () => document.addEventListener("submit", choose);

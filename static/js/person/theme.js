// Dark or light: the form posts the choice to the server; this only avoids the reload.

const root = document.documentElement;

/** @param {string} theme */
const other = (theme) => (theme === "dark" ? "light" : "dark");

function themeNow() {
  return root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
}

/**
 * The server does not know the system's theme; the page does. With data-theme-form="exact" the button names the theme.
 * @param {HTMLFormElement} form
 * @param {HTMLElement | null} button
 */
async function choose(form, button) {
  const named = form.dataset.themeForm === "exact" && /** @type {HTMLButtonElement | null} */ (button)?.value;
  const theme = named || other(themeNow());
  const data = new FormData(form);
  data.set("theme", theme);
  if (theme === "system") delete root.dataset.theme;
  else root.dataset.theme = theme;
  for (const field of /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll("input[name=theme]")))
    field.checked = field.value === theme;
  const answer = await fetch(form.action, { method: "POST", body: data, redirect: "manual" }).catch(() => null);
  if (answer?.status === 403) location.reload();
}

export function start() {
  document.addEventListener("submit", (event) => {
    const form = /** @type {HTMLFormElement} */ (event.target);
    if (!form.matches("form[data-theme-form]")) return;
    event.preventDefault();
    choose(form, event.submitter);
  });
}

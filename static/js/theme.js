// Dark or light: the form posts it and the server keeps it; this only spares the reload.

const root = document.documentElement;

/** @param {string} theme */
const other = (theme) => (theme === "dark" ? "light" : "dark");

function themeNow() {
  return root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
}

/**
 * @param {HTMLFormElement} form
 * @param {HTMLElement | null} submitter
 */
async function choose(form, submitter) {
  const button = submitter instanceof HTMLButtonElement && submitter.name ? submitter : null;
  const theme = button?.value || other(themeNow());
  const data = new FormData(form, button);
  data.set("theme", theme);
  root.dataset.theme = theme;
  if (button) button.value = other(theme);
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

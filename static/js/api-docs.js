// The reference of the REST API: Swagger UI, which is a classic script before this one. It shows, and sends no requests.

const place = /** @type {HTMLElement} */ (document.getElementById("api"));
const system = matchMedia("(prefers-color-scheme: dark)");

function follow() {
  document.documentElement.classList.toggle("dark-mode", system.matches);
}

system.addEventListener("change", follow);
follow();

/** @type {any} */ (window).SwaggerUIBundle({
  url: place.dataset.document,
  domNode: place,
  deepLinking: true,
  docExpansion: "list",
  filter: true,
  defaultModelsExpandDepth: -1,
  supportedSubmitMethods: [],
  validatorUrl: null,
});

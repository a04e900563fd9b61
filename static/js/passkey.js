// <form data-passkey="create|get" data-options="URL">: asks the browser to make or use a passkey, puts the answer into the
// field `credential`, and submits. Hidden where the browser has no passkeys.

/** @param {string} text */
const toBytes = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));

/** @param {ArrayBuffer | null} bytes */
const toText = (bytes) =>
  bytes &&
  btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

const withBytes = (/** @type {{id: string}[]} */ credentials) =>
  credentials.map((credential) => ({ ...credential, id: toBytes(credential.id) }));

/** The options of the server, with bytes where the browser expects them. */
function parsed(options) {
  const { challenge, user, allowCredentials = [], excludeCredentials = [] } = options;
  return {
    ...options,
    challenge: toBytes(challenge),
    ...(user && { user: { ...user, id: toBytes(user.id) } }),
    allowCredentials: withBytes(allowCredentials ?? []),
    excludeCredentials: withBytes(excludeCredentials ?? []),
  };
}

/** The answer of the browser as JSON. @param {PublicKeyCredential} credential */
function described(credential) {
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"])
    if (credential.response[name]) response[name] = toText(credential.response[name]);
  return {
    id: credential.id,
    rawId: toText(credential.rawId),
    type: credential.type,
    response,
    clientExtensionResults: credential.getClientExtensionResults(),
  };
}

/** @param {HTMLFormElement} form */
async function optionsOf(form) {
  const token = /** @type {HTMLInputElement} */ (form.elements.namedItem("csrfmiddlewaretoken")).value;
  const answer = await fetch(form.dataset.options ?? "", { method: "POST", headers: { "X-CSRFToken": token } });
  if (!answer.ok) throw new Error(`${answer.status}`);
  return parsed(await answer.json());
}

/** @param {HTMLFormElement} form */
async function ask(form) {
  const publicKey = await optionsOf(form);
  const credential = await navigator.credentials[form.dataset.passkey === "create" ? "create" : "get"]({ publicKey });
  const field = /** @type {HTMLInputElement} */ (form.elements.namedItem("credential"));
  field.value = JSON.stringify(described(/** @type {PublicKeyCredential} */ (credential)));
  form.submit();
}

/** @param {HTMLFormElement} form */
async function submitted(form) {
  const problem = /** @type {HTMLElement | null} */ (form.querySelector("[data-problem]"));
  const button = /** @type {HTMLButtonElement} */ (form.querySelector("button"));
  if (problem) problem.hidden = true;
  button.disabled = true;
  try {
    await ask(form);
  } catch {
    // The person has cancelled, or has no passkey here.
    if (problem) problem.hidden = false;
    button.disabled = false;
  }
}

for (const form of /** @type {NodeListOf<HTMLFormElement>} */ (document.querySelectorAll("form[data-passkey]"))) {
  form.hidden = !window.PublicKeyCredential;
  if (form.hidden) document.querySelector("details.way")?.setAttribute("open", "");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submitted(form);
  });
}

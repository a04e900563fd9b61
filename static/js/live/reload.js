// Loads the page again only when the server answers: a television has nobody who would reload an error page.

const AGAIN_MS = 3000;

/** @param {string} address */
async function isReachable(address) {
  const answer = await fetch(address, { method: "HEAD", cache: "no-store" }).catch(() => null);
  return answer !== null && answer.status < 500;
}

/** Resolves when the server answers at this address. @param {string} address */
export async function reachable(address, onAway = () => {}) {
  while (!(await isReachable(address))) {
    onAway();
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}

let isLoading = false;

/** With GET, even if the page is the answer to a form. */
export async function loadAgain() {
  if (isLoading) return;
  isLoading = true;
  const address = location.pathname + location.search;
  await reachable(address);
  location.replace(address);
}

// Requests for approval: when those that wait change, the board reads the ones that concern its person.

import htmx from "htmx.org";

/** @param {HTMLElement} calls */
const read = (calls) => htmx.ajax("GET", calls.dataset.from ?? "", { target: calls, swap: "innerHTML" });

export function start() {
  const calls = document.getElementById("approval-calls");
  if (!calls) return;
  let known = "";
  const look = () => {
    const waiting = document.getElementById("approvals")?.dataset.requests ?? "";
    if (waiting === known) return;
    known = waiting;
    read(calls);
  };
  const parent = /** @type {Element} */ (calls.parentElement);
  new MutationObserver(look).observe(parent, { subtree: true, attributes: true, attributeFilter: ["data-requests"] });
  look();
}

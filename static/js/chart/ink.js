// The page's colours for a canvas: resolved for the current theme and state of the link.

const NAMES = [
  "ink-2",
  "ink-3",
  "surface",
  "line",
  "edge",
  "trace",
  "trace-2",
  "trace-band",
  "cell",
  "cell-ink",
  "critical",
  "critical-fill",
  "critical-wash",
  "on-critical",
  "warning",
  "warning-fill",
  "warning-wash",
  "on-warning",
];

/** @returns {Record<string, string>} by the token's name, and `font` */
export function inks() {
  const probe = document.createElement("span");
  probe.hidden = true;
  document.body.append(probe);
  const style = getComputedStyle(probe);
  /** @type {Record<string, string>} */
  const found = { font: `12px ${style.fontFamily}` };
  for (const name of NAMES) {
    probe.style.color = `var(--${name}, currentcolor)`;
    found[name] = style.color;
  }
  probe.remove();
  return found;
}

/**
 * Calls back when any of the colours may have changed.
 * @param {() => void} changed
 */
export function whenInksChange(changed) {
  const watcher = new MutationObserver(changed);
  watcher.observe(document.documentElement, { attributeFilter: ["data-theme", "data-link"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);
}

// Moves the whole picture a little every minute, in a square around its place, so that it leaves no traces on the panel.

const EVERY_MS = 60_000;
const STEPS = [
  [0, 0],
  [1, 0],
  [1, 1],
  [0, 1],
  [-1, 1],
  [-1, 0],
  [-1, -1],
  [0, -1],
  [1, -1],
];

let at = 0;

function move() {
  at = (at + 1) % STEPS.length;
  const [x, y] = STEPS[at];
  const { style } = document.documentElement;
  style.setProperty("--wall-x", String(x));
  style.setProperty("--wall-y", String(y));
}

export const start = () => setInterval(move, EVERY_MS);

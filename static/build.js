// Builds build/static/: one style sheet for each kind of page, one script with its chunks, and the images.
// Usage: node static/build.js [--watch]

import { cp, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { context } from "esbuild";

const sources = fileURLToPath(new URL(".", import.meta.url));
const output = fileURLToPath(new URL("../build/static", import.meta.url));

const shared = {
  absWorkingDir: sources,
  bundle: true,
  minify: true,
  target: ["chrome123", "firefox120", "safari17.5"],
  logLevel: "warning",
};
const script = {
  ...shared,
  entryPoints: ["js/main.js", "js/api-docs.js", "js/artifacts.js", "js/pairing.js", "js/passkey.js"],
  outdir: `${output}/js`,
  format: "esm",
  sourcemap: true,
  splitting: true,
  chunkNames: "[name]-[hash]",
};
// A worker is no module, and imports nothing: browsers then need one request for a new version.
const worker = { ...shared, entryPoints: ["js/worker.js"], outdir: `${output}/js`, format: "iife" };
const styles = {
  ...shared,
  entryPoints: ["css/entries/*.css"],
  outdir: `${output}/css`,
  external: ["../img/*"], // collectstatic puts the hash into the name
};

await rm(output, { recursive: true, force: true });
await cp(`${sources}/img`, `${output}/img`, { recursive: true });
const builds = await Promise.all([context(script), context(worker), context(styles)]);
await Promise.all(builds.map((build) => build.rebuild()));
if (process.argv.includes("--watch")) await Promise.all(builds.map((build) => build.watch()));
else await Promise.all(builds.map((build) => build.dispose()));

// The wall on a television: nobody touches it for months.

import * as comb from "./comb.js";
import * as freshness from "./freshness.js";
import * as mute from "./mute.js";
import * as rotation from "./rotation.js";
import * as shift from "./shift.js";

export function start() {
  for (const part of [comb, rotation, mute, shift, freshness]) part.start();
}

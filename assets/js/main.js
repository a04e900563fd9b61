// Starts every behaviour. Each works on markup that is complete, and useful, without it.

import htmx from "htmx.org";
import * as banner from "./banner.js";
import * as copy from "./copy.js";
import * as countdown from "./countdown.js";
import * as dialog from "./dialog.js";
import * as frames from "./frames.js";
import * as keys from "./keys.js";
import { OWN } from "./morph.js";
import * as people from "./people.js";
import * as place from "./place.js";
import * as proof from "./proof.js";
import * as sound from "./sound.js";
import * as theme from "./theme.js";
import * as ticks from "./ticks.js";
import * as times from "./times.js";
import * as waiting from "./waiting.js";
import * as zone from "./zone.js";

// htmx's own swaps leave alone what frames leave alone.
htmx.config.morphIgnore.push(...OWN);

for (const behaviour of [
  times,
  copy,
  countdown,
  theme,
  dialog,
  place,
  ticks,
  keys,
  proof,
  banner,
  waiting,
  zone,
  people,
  sound,
  frames,
])
  behaviour.start();

if (document.getElementById("chart")) import("./chart.js").then((chart) => chart.start());

// Starts every behaviour. Each enhances markup that is complete and usable without it.

import htmx from "htmx.org";
import * as storage from "./form/storage.js";
import * as keys from "./keyboard/keys.js";
import * as palette from "./keyboard/palette.js";
import * as banner from "./live/banner.js";
import * as frames from "./live/frames.js";
import { OWN } from "./live/morph.js";
import * as proof from "./live/proof.js";
import * as waiting from "./live/waiting.js";
import * as approvals from "./page/approvals.js";
import * as columns from "./page/columns.js";
import * as copy from "./page/copy.js";
import * as dialog from "./page/dialog.js";
import * as head from "./page/head.js";
import * as picks from "./page/picks.js";
import * as place from "./page/place.js";
import * as selection from "./page/selection.js";
import * as ticks from "./page/ticks.js";
import * as toast from "./page/toast.js";
import * as tour from "./page/tour.js";
import * as account from "./person/account.js";
import * as browsers from "./person/browsers.js";
import * as density from "./person/density.js";
import * as people from "./person/people.js";
import * as sound from "./person/sound.js";
import * as theme from "./person/theme.js";
import * as countdown from "./time/countdown.js";
import * as times from "./time/times.js";
import * as when from "./time/when.js";
import * as zone from "./time/zone.js";

// htmx's own swaps preserve what frames preserve.
htmx.config.morphIgnore.push(...OWN);

const behaviours = [
  times,
  copy,
  countdown,
  theme,
  density,
  dialog,
  picks,
  place,
  ticks,
  selection,
  columns,
  keys,
  palette,
  proof,
  head,
  banner,
  approvals,
  waiting,
  zone,
  when,
  people,
  toast,
  sound,
  account,
  storage,
  browsers,
  tour,
  frames,
];

for (const behaviour of behaviours) {
  try {
    behaviour.start();
  } catch (error) {
    reportError(error); // the others do not need it, above all not the board
  }
}

if (document.getElementById("dock")) import("./replay/player.js").then((replay) => replay.start());
if (document.documentElement.dataset.wall) import("./wall/wall.js").then((wall) => wall.start());
if (document.getElementById("chart")) import("./chart/chart.js").then((chart) => chart.start());
if (document.querySelector("[data-inspection], [data-inspections]"))
  import("./inspection/inspection.js").then((inspection) => inspection.start());

/** Also for the form of a dialog that came with a response. */
function startForms() {
  if (!document.querySelector("[data-combobox], [data-query], form[data-checks], form[data-draft]")) return;
  document.removeEventListener("htmx:after:swap", startForms);
  import("./form/form.js").then((form) => form.start());
}

document.addEventListener("htmx:after:swap", startForms);
startForms();

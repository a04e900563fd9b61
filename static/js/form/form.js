// What helps a person with a form: comboboxes, validation while they fill it in, drafts.

import * as checks from "./checks.js";
import * as combobox from "./combobox.js";
import * as drafts from "./drafts.js";
import * as query from "./query.js";

export function start() {
  for (const behaviour of [combobox, checks, query, drafts]) behaviour.start(); // drafts need the comboboxes
}

"""Which Chromium benchmarks and tests drive, and with what switched off.

The headless shell paints and runs scripts as Chromium does, without the window, the profile and the services of a
desktop browser around them: a new context costs a fifth of the CPU time.
"""

import os
import shutil

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser")
CHROMIUM = os.environ.get("TMS_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]

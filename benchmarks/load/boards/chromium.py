"""The Chromium for benchmarks and tests, and its disabled features.

The headless shell paints and runs scripts like Chromium, without the window, the profile and the services of a desktop
browser: a new context costs a fifth of the CPU time.
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

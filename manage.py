#!/usr/bin/env python
"""Django's command line."""

import gc
import os
import sys

LOADED = 1_000_000
"""More objects than a start makes. Few of them are garbage, but with the default of 2,000 the search for it takes an
eighth of the CPU time of a start.
"""


PRIVATE = {"agent", "clock", "demo", "migrate", "migrate_once", "seed_demo", "serve"}
"""Commands whose files only their user may read: the embedded database, spools, logs. Web servers read static files."""


def main() -> None:
    gc.set_threshold(LOADED)
    if PRIVATE.intersection(sys.argv[1:2]):
        os.umask(0o077)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tms.config.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line
    from django.db import OperationalError

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:  # an operator's mistake, not ours: no traceback
        sys.exit(f"TMS cannot start: {error}")
    except OperationalError as error:
        hint = "; set TMS_DATA_DIR as for make run, or migrate first" if "no such table" in str(error) else ""
        sys.exit(f"TMS cannot use its database: {error}{hint}")


if __name__ == "__main__":
    main()

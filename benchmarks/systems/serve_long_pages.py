"""`manage.py serve` with as many rows on a page of a list as `BENCHMARK_ROWS` says."""

import os
import sys

from django.core.management import execute_from_command_line

ROWS = "BENCHMARK_ROWS"


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "tms.config.settings"
    from tms.lib.pagination import Keyset

    for window in (Keyset.window, Keyset.window_of):
        window.__kwdefaults__["size"] = int(os.environ[ROWS])
    execute_from_command_line(["manage.py", "serve", *sys.argv[1:]])


if __name__ == "__main__":
    main()

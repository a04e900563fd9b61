"""`python -m benchmarks.fixture_fleet NUMBER`: fills the empty, migrated TMS of the environment with so many terminals.

Prints the cookie of a signed-in person.
"""

import argparse
import os

import django


def main() -> None:
    options = _options()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tms.config.settings")
    django.setup()
    from benchmarks.fixture_fleet.build import build

    sites = options.sites or max(1, options.number // 100)
    alerts = max(1, options.number // 100) if options.alerts is None else options.alerts
    print(build(options.number, sites=sites, alerts=alerts))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fixture_fleet", description=__doc__)
    parser.add_argument("number", type=int, help="of terminals")
    parser.add_argument("--sites", type=int, help="one for 100 terminals by default")
    parser.add_argument("--alerts", type=int, help="unresolved ones, one for 100 terminals by default")
    return parser.parse_args()


if __name__ == "__main__":
    main()

"""Changes rows of a running TMS: `python -m tests.e2e.rows` does what its standard input asks for, line by line.

A line is a list in JSON: a name in `CHANGES`, and arguments. So is the answer. One process makes all changes to a TMS,
because Django takes more than a second to start.
"""

import json
import os
import sys
from collections.abc import Callable
from typing import Any

import django

from tests.e2e import access, blackout, identity_provider, night, on_call, seed, updates


def make_busy() -> dict[str, Any]:
    """An incident in progress, one of two hours ago, and what notifications and access need: their numbers."""
    from tms.alerts.models import Incident

    incident = blackout.blackout("SPR")
    night.night()
    return {
        "incident": incident,
        "opened_at": Incident.objects.get(pk=incident).opened_at.isoformat(),
        "on_call": on_call.configure(incident),
        "access": access.make_access(),
    }


CHANGES: dict[str, Callable[..., Any]] = {
    "seed": seed.seed,
    "blackout": blackout.blackout,
    "growing_blackout": blackout.growing_blackout,
    "night": night.night,
    "busy": make_busy,
    "artifacts": updates.artifacts,
    "spoil_rollout": updates.spoil,
    "identity_provider": identity_provider.make_provider,
    "saml_provider": identity_provider.make_saml_provider,
}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tms.config.settings")
    django.setup()
    for line in sys.stdin:
        change, *arguments = json.loads(line)
        print(json.dumps(CHANGES[change](*arguments)), flush=True)


if __name__ == "__main__":
    main()

"""A separate site that lost its connection. `python -m tests.e2e.blackout SITE` prints the number of the incident.

With `--grows` its terminals are lost one after another, and all correlation is left to the running TMS.
"""

import sys

import django

LOST, BACK = 9, 2
LOCATIONS = {
    "SPR": {"name": "Sapporo Station", "name_ja": "札幌駅"},
    "ASH": {"name": "Asahikawa Station", "name_ja": "旭川駅"},
    "HKD": {"name": "Hakodate Station", "name_ja": "函館駅"},
}


def blackout(code: str, *, grows: bool) -> int | None:
    from django.db import transaction

    from tms.alerts import correlation, lifecycle
    from tms.alerts.models import Incident, Rule
    from tms.fleet.credentials import services
    from tms.fleet.models import Presence, Site, Terminal, TerminalState
    from tms.lib.db.clock import db_clock

    at = db_clock().now()
    site = Site.objects.create(code=code, region="Hokkaido", **LOCATIONS[code])
    terminals = [
        Terminal(uid=f"{code}-GAT-{number:02}", site=site, kind="gate", label=f"Gate {number}", firmware="2.4.1")
        for number in range(1, LOST + 1)
    ]
    for terminal in terminals:
        services.enrol(terminal)
    offline = Rule.objects.get(name="Offline")
    states = TerminalState.objects.filter(terminal__in=terminals)
    if grows:
        states.update(presence=Presence.ONLINE, presence_at=at)
        for terminal in terminals:
            lost_at = db_clock().now()
            states.filter(terminal=terminal).update(presence=Presence.OFFLINE, presence_at=lost_at)
            with transaction.atomic():
                lifecycle.apply_events([lifecycle.RuleTriggered(offline.pk, terminal.pk, lost_at)])
        return None
    states.update(presence=Presence.OFFLINE, presence_at=at)
    with transaction.atomic():
        lifecycle.apply_events([lifecycle.RuleTriggered(offline.pk, terminal.pk, at) for terminal in terminals])
    correlation.correlate(at)
    with transaction.atomic():
        lifecycle.apply_events(
            [lifecycle.RuleCleared(offline.pk, terminal.pk, db_clock().now()) for terminal in terminals[:BACK]]
        )
    return Incident.objects.get(site=site).pk


if __name__ == "__main__":
    django.setup()
    print(blackout(sys.argv[1], grows="--grows" in sys.argv))

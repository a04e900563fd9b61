"""A separate site that lost its connection."""

from typing import Any

from django.db import transaction

LOST, BACK = 9, 2
LOCATIONS = {
    "SPR": {"name": "Sapporo Station", "name_ja": "札幌駅"},
    "ASH": {"name": "Asahikawa Station", "name_ja": "旭川駅"},
    "HKD": {"name": "Hakodate Station", "name_ja": "函館駅"},
}


def blackout(code: str) -> int:
    """The number of the incident. Two terminals are back."""
    from tms.alerts import correlation, lifecycle
    from tms.alerts.models import Incident, Rule
    from tms.fleet.models import Presence, TerminalState
    from tms.lib.db.clock import db_clock

    at, terminals, offline = db_clock().now(), _site(code), Rule.objects.get(name="Offline")
    TerminalState.objects.filter(terminal__in=terminals).update(presence=Presence.OFFLINE, presence_at=at)
    with transaction.atomic():
        lifecycle.apply_events([lifecycle.RuleTriggered(offline.pk, terminal.pk, at) for terminal in terminals])
    correlation.correlate(at)
    with transaction.atomic():
        lifecycle.apply_events(
            [lifecycle.RuleCleared(offline.pk, terminal.pk, db_clock().now()) for terminal in terminals[:BACK]]
        )
    return Incident.objects.get(site__code=code).pk


def growing_blackout(code: str) -> None:
    """The terminals are lost one after another; all correlation is left to the running TMS."""
    from tms.alerts import lifecycle
    from tms.alerts.models import Rule
    from tms.fleet.models import Presence, TerminalState
    from tms.lib.db.clock import db_clock

    terminals, offline = _site(code), Rule.objects.get(name="Offline")
    states = TerminalState.objects.filter(terminal__in=terminals)
    states.update(presence=Presence.ONLINE, presence_at=db_clock().now())
    for terminal in terminals:
        lost_at = db_clock().now()
        states.filter(terminal=terminal).update(presence=Presence.OFFLINE, presence_at=lost_at)
        with transaction.atomic():
            lifecycle.apply_events([lifecycle.RuleTriggered(offline.pk, terminal.pk, lost_at)])


def _site(code: str) -> list[Any]:
    """The terminals of a new site."""
    from tms.fleet.credentials import services
    from tms.fleet.models import Site, Terminal

    site = Site.objects.create(code=code, region="Hokkaido", **LOCATIONS[code])
    terminals = [
        Terminal(uid=f"{code}-GAT-{number:02}", site=site, kind="gate", label=f"Gate {number}", firmware="2.4.1")
        for number in range(1, LOST + 1)
    ]
    for terminal in terminals:
        services.enrol(terminal)
    return terminals

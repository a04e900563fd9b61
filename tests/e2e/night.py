"""A night of a site of its own, two hours ago."""

from datetime import timedelta

from django.db import transaction

LOST = 6


@transaction.atomic
def night() -> str:
    """When the incident opened. The clock of the running TMS must not correlate a part of it, at another time."""
    from tms.accounts.models import User
    from tms.alerts import correlation, lifecycle
    from tms.alerts.correlation import actions
    from tms.alerts.models import Incident, Rule
    from tms.fleet.models import Site, Terminal, TerminalState
    from tms.lib.db.clock import db_clock

    opened_at = db_clock().now().replace(microsecond=0) - timedelta(hours=2)
    site = Site.objects.create(code="NEM", name="Nemuro Station", name_ja="根室駅", region="Hokkaido")
    terminals = Terminal.objects.bulk_create(
        Terminal(uid=f"NEM-GAT-{number:02}", site=site, kind="gate") for number in range(1, LOST + 1)
    )
    Terminal.objects.filter(site=site).update(created_at=opened_at - timedelta(days=1))
    TerminalState.objects.bulk_create(
        TerminalState(terminal=terminal, presence="offline", presence_at=opened_at) for terminal in terminals
    )
    offline = Rule.objects.get(name="Offline")
    lifecycle.apply_events([lifecycle.RuleTriggered(offline.pk, terminal.pk, opened_at) for terminal in terminals])
    correlation.correlate(opened_at)
    by, minute = User.objects.get(username="tanaka"), timedelta(minutes=1)
    actions.acknowledge(Incident.objects.get(site=site), by=by, comment="Carrier called", at=opened_at + 5 * minute)
    cleared = [lifecycle.RuleCleared(offline.pk, terminal.pk, opened_at + 10 * minute) for terminal in terminals]
    lifecycle.apply_events(cleared)
    correlation.correlate(opened_at + 10 * minute)  # resolved then, and not when the clock finds it
    TerminalState.objects.filter(terminal__site=site).update(presence="online")
    return opened_at.isoformat()

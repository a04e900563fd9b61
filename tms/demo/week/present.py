"""What a visitor of a new demo finds open: an incident with a person on it, acknowledged alerts, maintenance.

Everything goes through the services that TMS itself uses, some minutes in the past; the simulator continues it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from tms.accounts.models import User
from tms.alerts import correlation, lifecycle
from tms.alerts.maintenance import services as maintenance
from tms.alerts.models import Rule
from tms.alerts.models.alert import Alert
from tms.alerts.models.incident import Incident, IncidentTransition
from tms.alerts.models.transition import Transition
from tms.alerts.rules.events import RuleTriggered
from tms.demo.seed_file import StartCondition
from tms.demo.week import readings
from tms.demo.week.history import ALERT_AFTER, OFFLINE
from tms.demo.week.losses import OFFLINE_AFTER
from tms.fleet.models import Cause, Presence, Terminal, TerminalKind, TerminalState
from tms.fleet.models.outage import Outage
from tms.fleet.models.presence import PresenceChange
from tms.lib.calendar.recurrence import Recurrence

LOST_SITE = "HND"
"""Its line is cut when the demo is opened for the first time. It is always open, so its alerts are notified at once."""
LOST_FOR = timedelta(minutes=9)
"""How long the site has been lost so far. It returns `RETURNS_AFTER` the start."""
RETURNS_AFTER = timedelta(minutes=5)
CLOSED_FOR = timedelta(minutes=16)
"""The terminals said goodbye before the changes that the overview lists."""
PAPER_CLOSED_FOR = timedelta(minutes=2)
"""How long ago the terminals with little paper closed; their alert opened later."""
PAPER_PCT = 7.0
BOOT_ID = "demo"
"""The id of the boots before the demo was started."""
PAPER_SITE, WORK_SITE = "SJK", "SDJ"


def set_present(terminals: Sequence[Terminal], people: Sequence[User], *, at: datetime) -> dict[str, StartCondition]:
    """What the simulator has to show, by UID."""
    by_site = {code: [one for one in terminals if one.site.code == code] for code in (LOST_SITE, PAPER_SITE, WORK_SITE)}
    kiosks = [terminal for terminal in by_site[PAPER_SITE] if terminal.kind == TerminalKind.KIOSK][:2]
    others = [one for one in terminals if one.site.code != LOST_SITE and one not in kiosks]
    _await_return(others, left_at=at - CLOSED_FOR, at=at)
    _await_return(kiosks, left_at=at - PAPER_CLOSED_FOR, at=at)
    start_conditions = _lose_site(by_site[LOST_SITE], people[-1], at=at)
    start_conditions |= _run_out_of_paper(kiosks, people[0], at=at)
    _plan_work(by_site[WORK_SITE], people[0], at=at)
    _mark_dispatched(at)
    return start_conditions


def _await_return(terminals: Sequence[Terminal], *, left_at: datetime, at: datetime) -> None:
    """Let these terminals be expected back: they said goodbye before TMS was started."""
    back_at, cause = at + timedelta(minutes=10), Cause.CLOSING
    TerminalState.objects.filter(terminal__in=terminals).update(
        presence=Presence.CLOSED,
        cause=cause,
        presence_at=left_at,
        last_seen_at=left_at,
        back_at=back_at,
        due_at=back_at,
        boot_id=BOOT_ID,
        seq=readings.NUMBER,
    )
    PresenceChange.objects.bulk_create(
        PresenceChange(
            terminal=terminal,
            at=left_at,
            before=Presence.ONLINE,
            presence=Presence.CLOSED,
            cause=cause,
            back_at=back_at,
        )
        for terminal in terminals
    )


def _lose_site(lost: Sequence[Terminal], person: User, *, at: datetime) -> dict[str, StartCondition]:
    """All terminals of a site are offline, and `person` acknowledged the incident."""
    if not lost:
        return {}
    began_at = at - LOST_FOR
    opened_at = began_at + ALERT_AFTER
    _lose(lost, began_at=began_at, offline_at=began_at + OFFLINE_AFTER)
    rule = Rule.objects.get(name=OFFLINE)
    lifecycle.trigger([RuleTriggered(rule.pk, terminal.pk, opened_at) for terminal in lost])
    correlation.correlate(opened_at + timedelta(seconds=3))
    for incident in Incident.objects.unresolved():
        comment = "Carrier informed, ticket 48391; technician expected within the hour"
        correlation.acknowledge(incident, by=person, comment=comment, at=opened_at + timedelta(minutes=3))
    return {terminal.uid: StartCondition(back_at=at + RETURNS_AFTER) for terminal in lost}


def _lose(lost: Sequence[Terminal], *, began_at: datetime, offline_at: datetime) -> None:
    cause = Cause.CONNECTION_LOST
    TerminalState.objects.filter(terminal__in=lost).update(
        presence=Presence.OFFLINE, presence_at=offline_at, cause=cause, last_seen_at=began_at, back_at=None, due_at=None
    )
    Outage.objects.bulk_create(Outage(terminal=one, began_at=began_at, lost_by=cause) for one in lost)
    steps = ((began_at, Presence.ONLINE, Presence.SILENT), (offline_at, Presence.SILENT, Presence.OFFLINE))
    PresenceChange.objects.bulk_create(
        PresenceChange(terminal=terminal, at=when, before=before, presence=presence, cause=cause)
        for terminal in lost
        for when, before, presence in steps
    )


def _run_out_of_paper(kiosks: Sequence[Terminal], person: User, *, at: datetime) -> dict[str, StartCondition]:
    """Two kiosks are low on paper; one alert is acknowledged, the other one waits for the visitor."""
    rule = Rule.objects.get(name="Paper low")
    for number, terminal in enumerate(kiosks):
        opened_at = at - timedelta(minutes=31 - 27 * number)
        lifecycle.trigger([RuleTriggered(rule.pk, terminal.pk, opened_at, value=PAPER_PCT)])
    first = Alert.objects.unresolved().filter(rule=rule, terminal__in=kiosks[:1])
    lifecycle.acknowledge(first, by=person, comment="Shop staff informed", at=at - timedelta(minutes=25))
    return {terminal.uid: StartCondition(paper_pct=PAPER_PCT) for terminal in kiosks}


def _plan_work(terminals: Sequence[Terminal], person: User, *, at: datetime) -> None:
    """Maintenance of the tablets of a site, which lasts for two hours more."""
    tablets = [terminal for terminal in terminals if terminal.kind == TerminalKind.TABLET]
    if not tablets:
        return
    zone = ZoneInfo(tablets[0].site.time_zone)
    starts_at = (at - timedelta(minutes=40)).astimezone(zone).replace(tzinfo=None, second=0, microsecond=0)
    scope = maintenance.WindowScope(terminals=tablets)
    recurrence = Recurrence(zone, starts_at, timedelta(hours=2, minutes=40), "")
    maintenance.plan(recurrence, scope, note="Firmware 3.3.0 on all tablets", by=person, at=at)


def _mark_dispatched(at: datetime) -> None:
    """Nobody is notified of what happened before the demo started."""
    Transition.objects.filter(dispatched_at=None).update(dispatched_at=at)
    IncidentTransition.objects.filter(dispatched_at=None).update(dispatched_at=at)
    Alert.objects.filter(suppressed_at_open=None).update(suppressed_at_open="")

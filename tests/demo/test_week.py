"""A new demo has a week of history, and a situation that people recognise at once."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise

import pytest
from django.db.models import F

from tests.support.alerts.default_rules import add_default_rules
from tests.support.database.shared_rows import shared_rows
from tms.accounts.models import User
from tms.alerts import correlation, lifecycle
from tms.alerts.models.alert import Alert, AlertState
from tms.alerts.models.incident import Incident, IncidentState, IncidentTransition
from tms.alerts.models.maintenance import Window
from tms.alerts.models.transition import Transition
from tms.demo import seed_file
from tms.demo.people import PEOPLE
from tms.demo.seed import seed
from tms.demo.simulated import Simulated, seconds_until
from tms.demo.week.week import seed_week
from tms.fleet.models import Presence, Terminal, TerminalState
from tms.fleet.models.outage import Outage, OutageCause
from tms.main import demo_notifications
from tms.notifications.models.policy import Policy
from tms.replay.state import Moment
from tms.shifts.models import Note
from tms.telemetry.models import Report

pytestmark = pytest.mark.django_db
TERMINALS = 56


@pytest.fixture(scope="module")
def fleet(django_db_setup, django_db_blocker, tmp_path_factory) -> Iterator[seed_file.Fleet]:
    path = tmp_path_factory.mktemp("demo") / "fleet.json"
    with shared_rows(django_db_blocker):
        add_default_rules()
        seed(TERMINALS, path=path, machine="desk")
        yield seed_file.read(path)


def test_the_past_week_has_outages_of_every_cause_and_incidents_that_were_resolved(fleet, now):
    past = Outage.objects.over()

    assert set(past.values_list("cause", flat=True)) == set(OutageCause.values)
    for uid in Terminal.objects.values_list("uid", flat=True):
        periods = past.filter(terminal__uid=uid).order_by("began_at").values_list("began_at", "ended_at")
        assert all(ended < began for (_, ended), (began, _) in pairwise(periods)), uid
    assert past.filter(began_at__lt=now - timedelta(days=6)).exists()
    assert not past.filter(ended_at__gt=now - timedelta(minutes=59)).exists()
    assert Note.objects.count() == 20
    resolved = Incident.objects.exclude(acknowledged_by=None).filter(state=IncidentState.RESOLVED)
    assert resolved.count() >= 3
    answered_after = {incident.acknowledged_at - incident.opened_at for incident in resolved}
    assert len(answered_after) == resolved.count()
    for incident in resolved:
        assert incident.open_count == incident.alerts.unresolved().count() == 0
        assert incident.alerts.count() == incident.lost == incident.joined_count


def test_a_visitor_finds_an_incident_with_a_person_on_it_alerts_and_maintenance(fleet, now):
    incident = Incident.objects.unresolved().get()
    paper = Alert.objects.unresolved().filter(rule__name="Paper low")
    window = Window.objects.get()

    lost = Terminal.objects.filter(site__code="HND")
    assert (incident.state, incident.acknowledged_by) == (IncidentState.ACKNOWLEDGED, User.objects.get(username="sato"))
    assert incident.lost == incident.alerts.acknowledged().count() == lost.count() > 0
    assert set(TerminalState.objects.filter(terminal__in=lost).values_list("presence", flat=True)) == {Presence.OFFLINE}
    assert TerminalState.objects.counted().filter(presence=Presence.CLOSED).count() == TERMINALS - lost.count()
    conditions = fleet.start_conditions.items()
    assert {uid for uid, how in conditions if how.back_at} == set(lost.values_list("uid", flat=True))
    assert sorted(paper.values_list("state", flat=True)) == [AlertState.ACKNOWLEDGED, AlertState.OPEN]
    assert {uid for uid, how in conditions if how.paper_pct} == {alert.terminal.uid for alert in paper}
    assert window.is_active
    assert window.occurs_until > now + timedelta(hours=1)
    assert window.terminals.exists()


def test_the_past_is_replayed_with_terminals_online(fleet, now):
    # At one of these hours a site may be lost: the week depends on the hour at which the demo is made.
    yesterday = [Moment(now - timedelta(hours=hours), now=now) for hours in (14, 17, 20)]

    presences = [Counter(presence for _, presence, _ in then.presence_counts.elements()) for then in yesterday]

    assert max(found[Presence.ONLINE] for found in presences) > 0.9 * TERMINALS


def test_a_visitor_finds_what_to_do_and_whom_to_call(fleet):
    incident = Incident.objects.unresolved().get()

    assert {alert.rule.runbook[:2] for alert in Alert.objects.unresolved()} == {"1."}
    assert incident.site is not None
    assert incident.site.contacts.exclude(phone="").count() == 3


def test_charts_have_readings_of_the_last_hours_but_none_of_an_outage(fleet):
    opened = Alert.objects.unresolved().get(rule__name="Paper low", state=AlertState.OPEN)
    paper = [
        (report.at < opened.opened_at, report.metrics["paper_pct"])
        for report in Report.objects.filter(terminal=opened.terminal).order_by("at")
    ]
    lost = Terminal.objects.filter(site__code="HND")

    assert Report.objects.values("terminal").distinct().count() == TERMINALS
    assert {was_before: pct >= 10 for was_before, pct in paper} == {True: True, False: False}
    assert [pct for _, pct in paper] == sorted((pct for _, pct in paper), reverse=True)
    for outage in Outage.objects.open().filter(terminal__in=lost):
        assert Report.objects.filter(terminal=outage.terminal, at__lt=outage.began_at).exists()
    during = {"at__gte": F("terminal__outages__began_at"), "at__lt": F("terminal__outages__ended_at")}
    assert not Report.objects.filter(**during).exists()


def test_the_past_is_not_notified_and_the_incident_ends_when_its_terminals_return(fleet, now):
    unsent = [model.objects.filter(dispatched_at=None).count() for model in (Transition, IncidentTransition)]
    incident = Incident.objects.unresolved().get()

    lifecycle.clear(list(incident.alerts.values_list("rule", "terminal")), at=now)
    correlation.correlate(now)

    incident.refresh_from_db()
    assert unsent == [0, 0]
    assert incident.state == IncidentState.RESOLVED


def test_history_and_policy_are_added_once(fleet, now):
    before = Outage.objects.count(), Alert.objects.count()
    usernames = [one.username for one in PEOPLE]

    start_conditions = seed_week(fleet.terminals, usernames, at=now)
    for _ in range(2):
        demo_notifications.write_policy(usernames, log_url="http://127.0.0.1:9", today=now.date())

    assert start_conditions == {}
    assert (Outage.objects.count(), Alert.objects.count()) == before
    assert Policy.objects.get().steps.count() == 2


def test_the_simulator_begins_as_its_start_condition_says(now):
    terminal = seed_file.DemoTerminal("SJK-KSK-01", "SJK", "kiosk", "KX-20", "4.8.2", "S1", f"SJK-KSK-01.{'k' * 43}")
    condition = seed_file.StartCondition(back_at=now + timedelta(hours=1), paper_pct=7.0)

    simulated = Simulated(terminal, "ws://127.0.0.1:1/", condition)

    assert simulated.device.paper_pct == 7.0
    assert 3_500 < seconds_until(simulated.back_at) <= 3_600
    assert seconds_until(None) == seconds_until(now - timedelta(hours=1)) == 0

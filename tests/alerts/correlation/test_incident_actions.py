"""Incidents are snoozed, assigned and resolved by hand, with all of their alerts."""

from datetime import timedelta

import pytest

from tests.support import factories, people
from tests.support.alerts.incidents import transitions_of
from tests.support.factories import now
from tms.accounts import undo as undoing
from tms.accounts.models import User
from tms.alerts import correlation, lifecycle
from tms.alerts.actions.undo import IncidentsBefore
from tms.alerts.correlation.review import review
from tms.alerts.lifecycle import NotApplicable
from tms.alerts.models import Alert, Contract, Incident, Rule
from tms.notifications.dispatch import outbox
from tms.notifications.models import Delivery, Destination
from tms.notifications.models.delivery import NotificationKind

pytestmark = [pytest.mark.both, pytest.mark.django_db]


@pytest.fixture
def incident(fleet) -> Incident:
    return factories.incident(fleet)


@pytest.fixture
def tanaka():
    return people.person("tanaka", of="Operator")


@pytest.fixture
def sato():
    return people.person("sato", of="Operator")


def now_of(incident: Incident) -> Incident:
    return Incident.objects.get(pk=incident.pk)


def alert_states() -> set[tuple[str, int | None]]:
    return set(Alert.objects.unresolved().values_list("state", "acknowledged_by"))


def test_a_snoozed_incident_is_silent_until_then_and_reopens(incident, tanaka):
    until = now() + timedelta(hours=1)

    correlation.snooze(incident, by=tanaka, comment="Works at night", at=now(), until=until)
    asleep = now_of(incident)
    review([now_of(incident)], at=until)

    assert (asleep.shown_state, asleep.until, asleep.comment) == ("snoozed", until, "Works at night")
    assert [row.pk for row in Incident.objects.in_states(["acknowledged"])] == []
    assert now_of(incident).shown_state == "open"
    assert [kind for kind, _ in transitions_of(incident)] == ["opened", "snoozed", "expired"]


def test_alerts_that_join_a_snoozed_incident_are_snoozed(fleet, incident, tanaka):
    until = now() + timedelta(hours=1)
    correlation.snooze(incident, by=tanaka, comment="", at=now(), until=until)
    late = factories.alert(fleet, site=incident.site)
    Alert.objects.filter(pk=late.pk).update(incident=incident)

    review([now_of(incident)], at=now())

    assert alert_states() == {("snoozed", None)}


def test_a_snoozed_incident_is_acknowledged_or_reopened(incident, tanaka, sato):
    until = now() + timedelta(hours=1)
    correlation.snooze(incident, by=tanaka, comment="", at=now(), until=until)
    correlation.reopen(now_of(incident), by=sato, comment="", at=now())
    reopened = alert_states()
    correlation.snooze(now_of(incident), by=tanaka, comment="", at=now(), until=until)
    correlation.acknowledge(now_of(incident), by=sato, comment="", at=now())

    assert reopened == {("open", None)}
    assert (now_of(incident).shown_state, now_of(incident).acknowledged_by) == ("acknowledged", sato)
    assert alert_states() == {("acknowledged", sato.pk)}


@pytest.mark.parametrize("name", ["tanaka", "sato"])
def test_reopening_leaves_alerts_that_were_acknowledged_on_their_own(incident, tanaka, sato, name):
    first = {"tanaka": tanaka, "sato": sato}[name]
    factories.acknowledged(Alert.objects.earliest("pk"), by=first)
    correlation.acknowledge(incident, by=sato, comment="", at=now())

    correlation.reopen(now_of(incident), by=tanaka, comment="", at=now())

    assert alert_states() == {("open", None), ("acknowledged", first.pk)}


def test_reopening_leaves_alerts_that_were_snoozed_on_their_own(incident, tanaka):
    correlation.snooze(incident, by=tanaka, comment="", at=now(), until=now(3_600))
    longer = Alert.objects.filter(pk=Alert.objects.earliest("pk").pk)
    lifecycle.snooze(longer, by=tanaka, comment="", at=now(), until=now(7_200))

    correlation.reopen(now_of(incident), by=tanaka, comment="", at=now())

    assert list(Alert.objects.snoozed()) == list(longer)
    assert Alert.objects.unacknowledged().count() == 4


def set_apart(name: str, incident: Incident, by: User) -> None:
    """The incident is in the state `name` for `by`, and three of its alerts are in another state."""
    acknowledged, snoozed, reopened = (Alert.objects.filter(pk=row.pk) for row in Alert.objects.order_by("pk")[:3])
    mori = people.person("mori", of="Operator")
    lifecycle.acknowledge(acknowledged, by=mori, comment="Mine", at=now())
    if name == "acknowledged":
        correlation.acknowledge(incident, by=by, comment="Power cut", at=now(), contract=Contract.WORSE)
    elif name == "snoozed":
        correlation.snooze(incident, by=by, comment="At night", at=now(), until=now(7_200))
    lifecycle.snooze(snoozed, until=now(9_000), by=mori, comment="", at=now())
    lifecycle.reopen(reopened, by=mori, comment="", at=now())


def shown(incident: Incident) -> tuple[object, ...]:
    row = now_of(incident)
    alerts = Alert.objects.order_by("pk").values_list("state", "acknowledged_by", "contract", "until")
    return row.shown_state, row.acknowledged_by, row.contract, row.until, list(alerts)


@pytest.mark.parametrize("name", ["open", "acknowledged", "snoozed"])
def test_after_the_undo_of_a_snooze_an_incident_and_its_alerts_are_as_before(incident, tanaka, sato, name):
    set_apart(name, incident, by=sato)
    former, before, at = shown(incident), IncidentsBefore.of("snooze", [now_of(incident)]), now()
    correlation.snooze(incident, by=tanaka, comment="", at=at, until=at + timedelta(hours=1))

    assert undoing.undo(before.offer(by=tanaka, at=at), by=tanaka, at=now())

    assert shown(incident) == former


def test_an_acknowledgement_that_would_have_ended_meanwhile_is_not_restored(fleet, incident, tanaka, sato):
    correlation.acknowledge(incident, by=sato, comment="", at=now(), contract=Contract.WORSE)
    before, at = IncidentsBefore.of("snooze", [now_of(incident)]), now()
    correlation.snooze(incident, by=tanaka, comment="", at=at, until=at + timedelta(hours=1))
    late = factories.alert(fleet, site=incident.site)
    Alert.objects.filter(pk=late.pk).update(incident=incident)

    undoing.undo(before.offer(by=tanaka, at=at), by=tanaka, at=now())

    assert now_of(incident).state == "open"
    assert alert_states() == {("open", None)}


def test_an_assigned_incident_stays_open_until_it_is_acknowledged(incident, tanaka, sato):
    correlation.assign(incident, to=sato, by=tanaka, comment="yours", at=now())
    assigned = now_of(incident)
    correlation.acknowledge(assigned, by=sato, comment="", at=now())

    assert (assigned.state, assigned.assigned_to) == ("open", sato)
    assert (now_of(incident).assigned_to, now_of(incident).acknowledged_by) == (None, sato)


def test_an_acknowledged_incident_is_handed_over_with_its_alerts_and_one_notification(incident, tanaka, sato):
    Destination.objects.create(name="Sato", kind="email", address="sato@example.com", person=sato)
    correlation.acknowledge(incident, by=tanaka, comment="", at=now())
    outbox.advance(now())

    correlation.assign(now_of(incident), to=sato, by=tanaka, comment="", at=now())
    outbox.advance(now())

    assert alert_states() == {("acknowledged", sato.pk)}
    sent = Delivery.objects.filter(kind=NotificationKind.ASSIGNED)
    assert [(one.is_of_incidents, one.items.count()) for one in sent] == [(True, 1)]


def test_an_alert_acknowledged_on_its_own_keeps_its_person_and_contract(incident, tanaka, sato):
    first = Alert.objects.filter(incident=incident).order_by("pk")[:1].get()
    lifecycle.acknowledge(Alert.objects.filter(pk=first.pk), by=sato, comment="", at=now())
    mori, until = people.person("mori", of="Operator"), now() + timedelta(hours=1)
    correlation.acknowledge(incident, by=tanaka, comment="", at=now(1))

    correlation.assign(now_of(incident), to=mori, by=tanaka, comment="", at=now(2))
    correlation.change_acknowledgement(
        now_of(incident), by=mori, comment="", at=now(3), contract=Contract.TIME, until=until
    )

    alerts = Alert.objects.unresolved().values_list("acknowledged_by", "contract")
    assert set(alerts) == {(sato.pk, "recovery"), (mori.pk, "time")}


def test_it_is_resolved_at_its_last_transition_although_clocks_differ(incident, tanaka):
    correlation.acknowledge(incident, by=tanaka, comment="", at=now(30))
    Alert.objects.filter(incident=incident).update(state="resolved", resolved_at=now())

    correlation.correlate(now())

    assert now_of(incident).state == "resolved"
    assert now_of(incident).resolved_at == incident.transitions.latest("pk").at


def test_it_is_resolved_by_hand_only_if_all_of_its_rules_allow_it(fleet, incident, tanaka):
    with pytest.raises(NotApplicable):
        correlation.resolve(incident, by=tanaka, comment="", at=now())
    Rule.objects.update(may_be_resolved_by_hand=True)

    correlation.resolve(incident, by=tanaka, comment="Replaced", at=now())

    assert (now_of(incident).state, now_of(incident).open_count) == ("resolved", 0)
    assert not Alert.objects.unresolved().exists()
    step = incident.transitions.last()
    assert (step.kind, step.by, step.comment) == ("resolved", tanaka, "Replaced")

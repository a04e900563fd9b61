"""The replay of any moment equals what was in the database then."""

from datetime import timedelta

import pytest
from hypothesis import settings
from hypothesis.stateful import invariant, run_state_machine_as_test

from tests.faults.moments.fleet_state import in_database, replayed
from tests.support.alerts.life import Life, shorten_times
from tests.support.builders import later
from tms.alerts import correlation, lifecycle
from tms.alerts.models import Alert, Incident, MembershipChange
from tms.replay.state import Moment

pytestmark = [pytest.mark.both, pytest.mark.django_db]

COLUMNS = ("severity", "state", "value", "acknowledged_by_id", "contract", "until", "is_stale", "assigned_to_id")
COLUMNS += ("claimed_by_id", "comment", "incident_id", "is_flapping")


def columns_of(alert: Alert) -> dict[str, object]:
    return {name: getattr(alert, name) for name in COLUMNS}


class RecordedLife(Life):
    """Compares all moments at its end."""

    def __init__(self, fleet) -> None:
        super().__init__(fleet)
        self.moments = []

    def later(self, seconds: int = 1):
        """Steps are longer than clocks of nodes differ."""
        return super().later(seconds + 5)

    @invariant()
    def record(self) -> None:
        alerts = self.alerts.unresolved().select_related("flapping")
        self.moments.append((later(self.seconds), {alert.pk: columns_of(alert) for alert in alerts}))

    def teardown(self) -> None:
        for at, expected in self.moments:
            moment = Moment(at, now=later(self.seconds))
            alerts = moment.alerts([row.pk for row in moment.facts if row.terminal == self.terminal.pk])
            assert {alert.pk: columns_of(alert) for alert in alerts} == expected, at


def test_alerts_are_replayed_with_all_columns_in_any_order_of_events(fleet, settings):
    shorten_times(settings)

    run_state_machine_as_test(lambda: RecordedLife(fleet), settings=SEARCH)


SEARCH = settings(max_examples=15, stateful_step_count=20)


class Recording:
    """What was in the database at each of some instants."""

    def __init__(self, scheduler) -> None:
        self._scheduler = scheduler
        self.moments = []
        self.note()

    def note(self) -> None:
        self.moments.append((self._scheduler.at, in_database()))
        self._scheduler.advance(seconds=1)

    def check(self) -> None:
        now = self._scheduler.at + timedelta(hours=1)
        for at, expected in self.moments:
            assert replayed(Moment(at, now=now)) == expected, at


def test_incidents_are_replayed_as_they_grow_merge_and_dissolve(storm, scheduler, based_on):
    aiko = storm.fleet.person("aiko")
    codes = ["W1", "W2", "W3", "W4", "W5", "W6"]
    for code in codes:
        storm.fleet.site(code, region="Kansai")
    shops = [storm.shop(code, 4) for code in codes]
    storm.shop("X1", 3)
    recording = Recording(scheduler)

    for shop in shops:
        storm.lose(shop[:3])
        recording.note()
    incident = Incident.objects.unresolved().exclude(site_count=0).get()
    correlation.actions.acknowledge(incident, by=aiko, comment="carrier called", at=scheduler.advance(seconds=5))
    recording.note()
    storm.lose([shop[3] for shop in shops])
    recording.note()
    for shop in shops[:-1]:
        storm.bring_back(shop)
        recording.note()
    storm.bring_back(shops[-1][1:])
    scheduler.advance(seconds=700, step_s=60)
    recording.note()

    assert MembershipChange.objects.filter(incident=None).exists(), "it was dissolved"
    based_on(now=scheduler.at)
    recording.check()


def test_an_incident_has_the_numbers_of_then(storm, scheduler):
    shop = storm.shop("SJK", 4)
    storm.lose(shop[:3])
    first = scheduler.at
    storm.lose(shop[3:])
    storm.bring_back(shop)
    now = scheduler.advance(seconds=60)

    (then,) = Moment(first, now=now).incidents

    assert (then.lost, then.joined_count, then.open_count, then.state) == (3, 3, 3, "open")
    assert Moment(now, now=now).incidents == []


def test_alerts_that_joined_before_it_was_recorded_count_from_the_start_of_their_incident(storm, scheduler):
    storm.lose(storm.shop("SJK", 3))
    at = scheduler.at
    MembershipChange.objects.all().delete()

    moment = Moment(at, now=scheduler.advance(seconds=60))

    assert {row.incident for row in moment.facts} == {Incident.objects.get().pk}
    assert "members" in [limit.code for limit in moment.limits]


def test_a_value_that_changed_later_is_not_invented(fleet):
    terminal, rule = fleet.online(), fleet.metric_rule(severity="warning")
    lifecycle.apply_events([lifecycle.RuleTriggered(rule.pk, terminal.pk, later(0), value=80, severity="warning")])
    alert = Alert.objects.get()
    lifecycle.apply_events([lifecycle.RuleTriggered(rule.pk, terminal.pk, later(60), value=95, severity="critical")])

    assert Moment(later(30), now=later(90)).alerts([alert.pk])[0].value == 80

    alert.transitions.update(value=None)  # as the previous release wrote them
    assert Moment(later(30), now=later(90)).alerts([alert.pk])[0].value is None
    assert Moment(later(70), now=later(90)).alerts([alert.pk])[0].value == 95

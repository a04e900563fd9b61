"""Exactly the right notifications are sent in any order of losses, recoveries, acknowledgements and maintenance."""

from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from tests.support.alerts.incidents import Storm
from tests.support.alerts.maintenance import TOKYO
from tests.support.builders import FakeScheduler, Fleet
from tests.support.notifications.destinations import webhook_destination
from tms.alerts import correlation, lifecycle
from tms.alerts.maintenance import services
from tms.alerts.maintenance.services import WindowScope
from tms.alerts.models import Alert, Contract, Incident, Rule, Window
from tms.alerts.suppression.reasons import suppressions, suppressions_by_context
from tms.fleet.models import Terminal
from tms.lib.calendar.recurrence import Recurrence
from tms.notifications.dispatch import leases, outbox, results
from tms.notifications.models.delivery import ALARMS, Delivery, DeliveryState
from tms.notifications.models.destination import Destination
from tms.notifications.models.policy import Policy, Step
from tms.notifications.transports.result import SendResult

pytestmark = [pytest.mark.both, pytest.mark.django_db]

SHOP = 6
WHICH = st.sets(st.integers(0, SHOP - 1), min_size=1)


class Life(RuleBasedStateMachine):
    """Six terminals at one site, a policy of one step, a person, maintenance, and a clock that advances."""

    def __init__(self, fleet: Fleet) -> None:
        super().__init__()
        for model in (Policy, Destination, Window, Incident, Alert, Terminal, Rule):
            model.objects.all().delete()
        self.storm = Storm(fleet, FakeScheduler())
        self.terminals = self.storm.shop("SJK", SHOP)
        self.person = fleet.person()
        self.destination = webhook_destination("https://hook.invalid", "Hook")
        Step.objects.create(policy=Policy.objects.create(name="All", group_wait_s=0), position=0).destinations.add(
            self.destination
        )

    @property
    def at(self):
        return self.storm.scheduler.at

    def passes(self, seconds: float, step_s: float) -> None:
        end = self.at + timedelta(seconds=seconds)
        while self.at < end:
            self.storm.scheduler.advance(seconds=step_s, step_s=step_s)
            outbox.advance(self.at)
            self.send()

    def send(self) -> None:
        while (delivery := leases.acquire(self.destination.pk, at=self.at)) is not None:
            if delivery.kind in ALARMS:
                self.may_be_sent(delivery)
            results.record_result(delivery, SendResult.delivered("204"), at=self.at)

    def may_be_sent(self, delivery: Delivery) -> None:
        for item in delivery.items.all():
            subject = item.subject
            assert subject.state == "open"
            if isinstance(subject, Alert):
                assert suppressions([subject], at=self.at) == {}
            else:
                members = list(subject.alerts.unacknowledged())
                assert len(suppressions_by_context(members, at=self.at)) < len(members)

    # Events

    @rule(which=WHICH)
    def some_are_lost(self, which: set[int]) -> None:
        self.storm.lose([self.terminals[n] for n in sorted(which)], seconds=0)

    @rule(which=WHICH)
    def some_come_back(self, which: set[int]) -> None:
        self.storm.bring_back([self.terminals[n] for n in sorted(which)], seconds=0)

    @rule(seconds=st.sampled_from([1, 4, 30, 120, 900]))
    def time_passes(self, seconds: int) -> None:
        self.passes(seconds, max(1, seconds / 5))

    @rule(contract=st.sampled_from(Contract), seconds=st.integers(1, 300))
    def acknowledge_the_incident(self, contract: Contract, seconds: int) -> None:
        until = self.at + timedelta(seconds=seconds)
        for incident in Incident.objects.unresolved():
            with suppress(lifecycle.AlreadyResolved):
                correlation.acknowledge(
                    incident, by=self.person, comment="", at=self.at, contract=contract, until=until
                )

    @rule()
    def reopen_the_incident(self) -> None:
        for incident in Incident.objects.unresolved():
            correlation.reopen(incident, by=self.person, comment="", at=self.at)

    @rule(which=WHICH, gives=st.booleans())
    def acknowledge_or_reopen_some(self, which: set[int], *, gives: bool) -> None:
        chosen = Alert.objects.filter(terminal__in=[self.terminals[n].pk for n in which])
        act = lifecycle.reopen if gives else lifecycle.acknowledge
        act(chosen, by=self.person, comment="", at=self.at)

    @rule(minutes=st.integers(1, 20))
    def it_is_maintained(self, minutes: int) -> None:
        local = self.at.astimezone(TOKYO).replace(tzinfo=None)
        recurrence = Recurrence(TOKYO, local, timedelta(minutes=minutes))
        scope = WindowScope(sites=[self.terminals[0].site])
        services.plan(recurrence, scope, note="", by=self.person, at=self.at)

    # Invariants

    @invariant()
    def an_incident_stands_as_long_as_an_alert_of_it(self) -> None:
        correlation.correlate(self.at)
        for incident in Incident.objects.all():
            open_members = Alert.objects.unresolved().filter(incident=incident).count()
            assert (incident.state == "resolved") == (open_members == 0)
            if incident.state != "resolved":
                assert incident.open_count == open_members
            kinds = list(incident.transitions.values_list("kind", flat=True))
            assert kinds[0] == "opened"
            assert not {"resolved", "dissolved"} & set(kinds[:-1])

    @invariant()
    def at_most_one_stands_for_a_site(self) -> None:
        assert Incident.objects.unresolved().count() <= 1

    def teardown(self) -> None:
        """When everything has settled, every open alert was notified, and so was each recovery after a notification."""
        self.passes(1_500, 30)
        returned = {
            one.subject for delivery in Delivery.objects.filter(kind__in=ALARMS) for one in delivery.items.all()
        }
        for alert in Alert.objects.unacknowledged().uncorrelated():
            assert alert in returned
        for incident in Incident.objects.filter(state="open"):
            assert incident in returned or not incident.alerts.unacknowledged().exists()
        over = {one.subject for delivery in Delivery.objects.filter(kind="resolved") for one in delivery.items.all()}
        for subject in returned:
            assert (subject.state == "resolved") <= (subject in over)
        assert not Delivery.objects.filter(state=DeliveryState.WAITING).exists()


def test_in_any_order_of_events_exactly_the_right_notifications_are_sent(fleet):
    run_state_machine_as_test(lambda: Life(fleet), settings=SEARCH)


SEARCH = settings(
    max_examples=8, stateful_step_count=12, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)

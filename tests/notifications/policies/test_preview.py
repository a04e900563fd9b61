"""Who would be notified, and when: what the dispatcher then does."""

from collections.abc import Callable
from datetime import date, time, timedelta

import pytest

from tests.support.alerts.maintenance import plan_maintenance, set_opening_hours
from tests.support.builders import AT
from tests.support.factories import incident
from tests.support.notifications.alerts import open_alert
from tests.support.notifications.destinations import service_destination, webhook_destination
from tests.support.rest import ApiClient, invalid_fields, problem_of, superuser_client
from tms.alerts.models import Alert
from tms.notifications.models.delivery import ALARMS, Delivery
from tms.notifications.models.destination import Destination
from tms.notifications.models.policy import Escalation, Policy, Step
from tms.notifications.models.rotation import Member, Rotation
from tms.notifications.policies.preview import case
from tms.notifications.policies.preview.timeline import PreviewItem, timeline
from tms.notifications.transports.pagerduty import PagerDuty

pytestmark = [pytest.mark.both, pytest.mark.django_db]

MINUTE = 60
UNTIL = timedelta(minutes=45)
STEP_S = 60
TOKYO = "Asia/Tokyo"
# AT is a Wednesday, 18:00 in Tokyo.
QUIET = {"hours_from": time(17), "hours_until": time(18, 20), "hours_zone": TOKYO}


class World:
    """A fleet with an alert, and destinations by name."""

    def __init__(self, fleet, receiver, policy) -> None:
        self.fleet, self.policy, self._receiver = fleet, policy, receiver
        self.site = fleet.site("SJK")
        self.alert: Alert | None = None

    def to(self, name: str, **fields: object) -> Destination:
        return webhook_destination(self._receiver.url, name, **fields)

    def rotation(self, *people: str) -> Rotation:
        """Each for a day; handover is ten minutes after AT."""
        made = Rotation.objects.create(
            name="Night", starts_on=date(2026, 11, 24), handover_at=time(18, 10), every_days=1, time_zone=TOKYO
        )
        for position, name in enumerate(people):
            person = self.fleet.person(name)
            Member.objects.create(rotation=made, position=position, person=person)
            self.to(name, person=person)
        return made


def escalating(world: World) -> None:
    world.policy((0, [world.to("NOC")]), (300, [world.to("Lead")]), (600, [world.to("Area")]), group_wait_s=60)


def repeating(world: World) -> None:
    noc, lead = world.to("NOC"), world.to("Lead", enabled=False)
    world.policy((0, [noc]), (300, [lead]), repeat_s=600)


def delayed(world: World) -> None:
    world.policy((0, [world.to("NOC")]), delay_s=120, group_wait_s=60)
    world.policy((0, [world.to("Other")]), severities=["info"])


def quiet(world: World) -> None:
    asleep = world.to("Asleep", critical_anyway=False, **QUIET)
    world.policy((0, [asleep]), (300, [world.to("Lead")]), (300, [world.to("Awake"), asleep]))
    world.policy((0, [world.to("Critical anyway", **QUIET)]))


def on_call(world: World) -> None:
    rotation = world.rotation("aiko", "ren", "mei")
    made = world.policy((0, []), (900, []), (300, [world.to("Lead")]))
    for step in Step.objects.filter(policy=made, position__lt=2):
        step.rotations.set([rotation])


def without_person(world: World) -> None:
    made = world.policy((0, []), (300, [world.to("Lead")]))
    Step.objects.get(policy=made, position=0).rotations.set([world.rotation()])


def in_maintenance(world: World) -> None:
    world.policy((0, [world.to("NOC")]), (300, [world.to("Lead")]))
    plan_maintenance(world.fleet, world.alert, hours=0.5)


def in_hours(world: World) -> None:
    hours = {"hours_from": time(18, 30), "hours_until": time(7), "hours_zone": TOKYO}
    world.policy((0, [world.to("NOC")]), when="within", **hours)
    world.policy((0, [world.to("Day")]), when="outside", **hours)
    set_opening_hours(world.fleet, 9, 18)
    world.policy((0, [world.to("Open")]), when="open")


def of_owners(world: World) -> None:
    other = world.fleet.site("OSK")
    world.policy((0, [world.to("Ours", owner_site=world.site), world.to("Theirs", owner_site=other), world.to("All")]))
    world.policy((0, [world.to("Osaka")]), owner_site=other)


def paging(world: World) -> None:
    world.policy((0, [service_destination("pagerduty", name="Pager"), world.to("NOC")]), group_wait_s=60)


def of_presence(world: World) -> None:
    """An alert that may become part of an incident waits."""
    world.policy((0, [world.to("NOC")]))
    world.alert = open_alert(
        world.fleet, rule=world.fleet.presence_rule(severity="critical"), terminal=world.fleet.online(site=world.site)
    )


CASES: list[Callable[[World], None]] = [
    *(escalating, repeating, delayed, quiet, on_call, without_person, in_maintenance, in_hours, of_owners, paging),
    of_presence,
]


@pytest.fixture
def world(fleet, receiver, policy, settings, monkeypatch) -> World:
    settings.CORRELATION_WAIT_S = STEP_S
    monkeypatch.setattr(PagerDuty, "hosts", {"us": f"http://127.0.0.1:{receiver.port}"})
    return World(fleet, receiver, policy)


@pytest.mark.parametrize("arrange", CASES)
def test_the_dispatcher_does_what_the_preview_shows(world, delivery_clock, arrange):
    world.alert = open_alert(world.fleet, terminal=world.fleet.online(site=world.site))
    arrange(world)
    alert = Alert.objects.select_related("rule", "terminal__site").get(pk=world.alert.pk)
    expected = list(timeline(case.of_alert(alert, at=AT), Policy.objects.enabled(), at=AT))

    while delivery_clock.at < AT + UNTIL:
        for _again in range(3):  # a step that does not wait is taken in the next pass
            delivery_clock.work()
        delivery_clock.step(delivery_clock.at + timedelta(seconds=STEP_S))

    assert notified(alert) == planned(expected)
    assert not any(str(item.reason) == "" and item.sent_at is None for item in expected)


def planned(items: list[PreviewItem]) -> set[tuple[str, float]]:
    """Destination, and seconds after AT; a repeat goes on."""
    found = set()
    for item in items:
        if item.sent_at is None or item.destination is None:
            continue
        at = item.sent_at
        while at < AT + UNTIL:
            found.add((item.destination.name, (at - AT).total_seconds()))
            if not item.is_repeat:
                break
            at += timedelta(seconds=item.policy.repeat_s)
    return found


def notified(alert: Alert) -> set[tuple[str, float]]:
    rows = Delivery.objects.filter(alerts=alert, kind__in=ALARMS, due_at__lt=AT + UNTIL)
    return {(row.destination.name, (row.due_at - AT).total_seconds()) for row in rows.select_related("destination")}


REASONS = [
    (repeating, {("Lead", "disabled")}),
    (quiet, {("Asleep", "quiet_hours")}),
    (without_person, {("", "no_person_on_call")}),
    (in_maintenance, {("", "maintenance")}),
    (in_hours, {("", "hours")}),
    (of_owners, {("Theirs", "other_scope")}),
    (of_presence, {("", "folding")}),
]


@pytest.mark.parametrize(("arrange", "reasons"), REASONS)
def test_it_names_who_is_not_notified_and_why(world, arrange, reasons):
    world.alert = open_alert(world.fleet, terminal=world.fleet.online(site=world.site))
    arrange(world)

    items = list(timeline(case.of_alert(world.alert, at=AT), Policy.objects.enabled(), at=AT))

    found = {(item.destination.name if item.destination else "", str(item.reason)) for item in items if item.reason}
    assert reasons <= found
    assert not Escalation.objects.exists()
    assert not Delivery.objects.exists()


def test_a_person_on_call_without_a_destination_is_named_by_the_rotation(world):
    rotation = world.rotation("aiko")
    Destination.objects.all().delete()
    made = world.policy((0, []))
    made.steps.get().rotations.set([rotation])
    alert = open_alert(world.fleet)

    [item] = timeline(case.of_alert(alert, at=AT), Policy.objects.enabled(), at=AT)

    assert (item.reason, item.named.rotation) == ("no_destination", rotation)


# REST


@pytest.fixture
def editor(db) -> ApiClient:
    return superuser_client()


def test_rest_returns_the_same_for_an_alert_an_incident_and_a_made_up_one(world, editor):
    escalating(world)
    alert, lost = open_alert(world.fleet), incident(world.fleet)
    queries = ({"alert": alert.pk}, {"incident": lost.pk}, {"severity": "critical", "site": "SJK"})

    answers = [editor.get("/policies/preview", {"at": AT.isoformat(), **query}).json() for query in queries]

    for answer in answers:
        assert [(one["destination_name"], one["step"], one["offset_s"]) for one in answer["items"]] == [
            ("NOC", 1, 60),
            ("Lead", 2, 360),
            ("Area", 3, 960),
        ]


def test_rest_names_the_condition_that_is_not_met(world, editor):
    made = world.policy((0, [world.to("NOC")]), severities=["warning"])
    query = {"severity": "critical", "site": "SJK", "policy": made.pk}

    answer = editor.get("/policies/preview", query).json()

    assert (answer["mismatch"], answer["items"]) == ("severities", [])


BAD = [
    ({}, "$"),
    ({"alert": 1, "severity": "info"}, "$"),
    ({"severity": "critical", "site": "NOWHERE"}, "$.site"),
    ({"severity": "critical", "site": "SJK", "rule": 2**62}, "$.rule"),
    ({"severity": "critical", "site": "SJK", "policy": 2**62}, "$.policy"),
]


@pytest.mark.parametrize(("query", "where"), BAD)
def test_rest_refuses_what_it_cannot_preview(world, editor, query, where):
    assert invalid_fields(editor.get("/policies/preview", query)) == [where]


def test_rest_does_not_know_an_alert_that_does_not_exist(world, editor):
    assert problem_of(editor.get("/policies/preview", {"alert": 2**62})) == (404, "tms:not-found")

"""Correlated alerts cause one notification."""

from datetime import time

import pytest

from tests.support.alerts.incidents import Storm, only_incident
from tests.support.alerts.maintenance import plan_maintenance
from tests.support.notifications.delivery_clock import DeliveryClock
from tests.support.notifications.destinations import webhook_destination
from tests.support.people import person
from tms.alerts import correlation, lifecycle
from tms.alerts.correlation.regrouping.merge import merge
from tms.alerts.models import Alert, Incident, Rule
from tms.fleet.models import Site
from tms.notifications.messages.content import compose
from tms.notifications.models import Delivery, Destination

pytestmark = [pytest.mark.both, pytest.mark.django_db]


class Both:
    """The jobs of the clock and of the outbox, at one time."""

    def __init__(self, scheduler, delivery_clock: DeliveryClock) -> None:
        self.scheduler, self.delivery_clock = scheduler, delivery_clock

    def advance(self, seconds: float, *, step_s: float = 1) -> None:
        end = self.scheduler.at.timestamp() + seconds
        while self.scheduler.at.timestamp() < end:
            self.delivery_clock.at = self.scheduler.advance(seconds=step_s, step_s=step_s)
            self.delivery_clock.work()


@pytest.fixture
def both(scheduler, delivery_clock) -> Both:
    return Both(scheduler, delivery_clock)


@pytest.fixture
def storm(fleet, scheduler) -> Storm:
    return Storm(fleet, scheduler)


def titles(receiver) -> list[str]:
    return [event["data"]["title"] for event in receiver.events]


def types(receiver) -> list[str]:
    return [event["type"] for event in receiver.events]


def test_a_lost_site_is_notified_once(storm, both, policy, hook, receiver):
    policy((0, [hook]))
    storm.lose(storm.shop("SJK", 10), seconds=0)

    both.advance(120, step_s=5)

    [event] = receiver.events
    [facts] = event["data"]["incidents"]
    assert (event["type"], event["subject"]) == ("tms.incidents.opened.v1", "SJK")
    assert event["data"]["title"] == "Critical: Site SJK: 10 of 10 terminals offline"
    assert (facts["lost"], facts["size"], facts["alerts"], facts["state"]) == (10, 10, 10, "open")
    assert facts["in_common"] == {"factor": "site", "name": "Site SJK"}


def test_terminals_lost_one_after_the_other_are_notified_as_one(storm, both, policy, hook, receiver):
    policy((0, [hook]), group_wait_s=5)

    for terminal in storm.shop("SJK", 10):
        storm.lose([terminal], seconds=0)
        both.advance(0.5, step_s=0.5)
    both.advance(60, step_s=5)

    assert titles(receiver) == ["Critical: Site SJK: 10 of 10 terminals offline"]


def test_each_incident_and_destination_has_one_message(storm, both, policy, hook, receiver):
    policy((0, [hook, webhook_destination(receiver.url, "Other")]))
    storm.lose([terminal for code in ("SJK", "OSK", "NGY") for terminal in storm.shop(code, 5)], seconds=0)

    both.advance(60, step_s=5)

    assert len(receiver.events) == 6
    assert len(set(titles(receiver))) == 3


def test_a_single_loss_is_notified_separately_a_little_later(storm, both, policy, hook, receiver):
    policy((0, [hook]))
    storm.lose(storm.shop("SJK", 10)[:1], seconds=0)

    both.advance(4)
    before = len(receiver.events)
    both.advance(4)

    assert before == 0
    assert types(receiver) == ["tms.alerts.opened.v1"]


def test_later_members_cause_no_notification_and_the_recovery_is_notified_once(storm, both, policy, hook, receiver):
    policy((0, [hook]))
    shop = storm.shop("SJK", 10)
    storm.lose(shop[:6], seconds=0)
    both.advance(30, step_s=5)

    storm.lose(shop[6:], seconds=0)
    both.advance(60, step_s=5)
    storm.bring_back(shop[:3], seconds=0)
    both.advance(60, step_s=5)
    before = types(receiver)
    storm.bring_back(shop[3:], seconds=0)
    both.advance(60, step_s=5)

    assert before == ["tms.incidents.opened.v1"]
    assert types(receiver) == [*before, "tms.incidents.resolved.v1"]
    assert titles(receiver)[-1] == "Resolved: Site SJK: 10 of 10 terminals offline"


def test_an_alert_notified_before_its_correlation_gets_its_recovery_notified(storm, both, policy, hook, receiver):
    policy((0, [hook]))
    shop = storm.shop("SJK", 10)
    storm.lose(shop[:1], seconds=0)
    both.advance(10)

    storm.lose(shop[1:], seconds=0)
    both.advance(30, step_s=5)
    storm.bring_back(shop, seconds=0)
    both.advance(30, step_s=5)

    assert Alert.objects.filter(incident=only_incident()).count() == 10
    assert sorted(types(receiver)) == [
        "tms.alerts.opened.v1",
        "tms.alerts.resolved.v1",
        "tms.incidents.opened.v1",
        "tms.incidents.resolved.v1",
    ]


def test_an_acknowledgement_of_the_incident_ends_the_escalation(storm, fleet, both, policy, receiver):
    policy((0, [webhook_destination(receiver.url, "First")]), (60, [webhook_destination(receiver.url, "Second")]))
    storm.lose(storm.shop("SJK", 10), seconds=0)
    both.advance(20, step_s=5)

    correlation.acknowledge(only_incident(), by=fleet.person(), comment="", at=both.scheduler.at)
    both.advance(120, step_s=10)

    assert len(receiver.events) == 1


def test_it_continues_when_the_incident_is_reopened(storm, fleet, both, policy, receiver):
    policy((0, [webhook_destination(receiver.url, "First")]), (60, [webhook_destination(receiver.url, "Second")]))
    storm.lose(storm.shop("SJK", 10), seconds=0)
    both.advance(20, step_s=5)
    correlation.acknowledge(only_incident(), by=fleet.person(), comment="", at=both.scheduler.at)
    both.advance(120, step_s=10)

    correlation.reopen(only_incident(), by=fleet.person(), comment="", at=both.scheduler.at)
    both.advance(10, step_s=5)

    assert titles(receiver)[1:] == ["Critical, still unacknowledged: Site SJK: 10 of 10 terminals offline"]


def test_if_every_alert_is_acknowledged_no_one_else_is_notified(storm, fleet, both, policy, receiver):
    policy((0, [webhook_destination(receiver.url, "First")]), (60, [webhook_destination(receiver.url, "Second")]))
    storm.lose(storm.shop("SJK", 5), seconds=0)
    both.advance(20, step_s=5)

    lifecycle.acknowledge(Alert.objects.all(), by=fleet.person(), comment="", at=both.scheduler.at)
    both.advance(120, step_s=10)

    assert len(receiver.events) == 1


@pytest.mark.parametrize("how", ["given back", "joins"])
def test_if_one_of_them_is_reopened_the_next_step_is_notified(storm, fleet, both, policy, receiver, how):
    policy((0, [webhook_destination(receiver.url, "First")]), (60, [webhook_destination(receiver.url, "Second")]))
    shop = storm.shop("SJK", 6)
    storm.lose(shop[:5], seconds=0)
    both.advance(20, step_s=5)
    lifecycle.acknowledge(Alert.objects.all(), by=fleet.person(), comment="", at=both.scheduler.at)
    both.advance(120, step_s=10)

    if how == "joins":
        storm.lose(shop[5:], seconds=0)
    else:
        lifecycle.reopen(Alert.objects.filter(terminal=shop[0]), by=fleet.person(), comment="", at=both.scheduler.at)
    both.advance(70, step_s=5)

    assert len(receiver.events) == 2
    assert "still unacknowledged" in titles(receiver)[-1]


def test_remaining_alerts_of_a_resolved_incident_are_notified_separately(storm, both, policy, hook, receiver):
    policy((0, [hook]))
    shop = storm.shop("SJK", 20)
    storm.lose(shop, seconds=0)
    both.advance(30, step_s=5)
    storm.bring_back(shop[1:], seconds=0)

    both.advance(700, step_s=20)

    assert types(receiver) == ["tms.incidents.opened.v1", "tms.incidents.resolved.v1", "tms.alerts.opened.v1"]


def test_an_incident_is_suppressed_while_all_of_its_alerts_are(storm, both, fleet, policy, hook, receiver):
    policy((0, [hook]))
    shop = storm.shop("SJK", 5)
    storm.lose(shop, seconds=0)
    for alert in Alert.objects.all():
        plan_maintenance(fleet, alert, starts=0, hours=0.05)

    both.advance(170, step_s=10)
    before = len(receiver.events)
    both.advance(60, step_s=10)

    assert before == 0
    assert types(receiver) == ["tms.incidents.opened.v1"]


@pytest.mark.parametrize(("what", "fits"), [("sites", True), ("rules", True), ("groups", False)])
def test_a_policy_applies_to_an_incident_if_it_applies_to_any_of_its_alerts(
    storm, fleet, both, policy, hook, receiver, what, fits
):
    shop = storm.shop("SJK", 5)
    chosen = {"sites": [fleet.site("SJK")], "rules": [storm.rule], "groups": [fleet.group("Elsewhere")]}[what]
    policy((0, [hook]), **{what: chosen})
    storm.lose(shop, seconds=0)

    both.advance(30, step_s=5)

    assert len(receiver.events) == fits


def test_it_supports_japanese(storm, fleet, both, policy, hook, receiver):
    policy((0, [hook]), language="ja")
    fleet.site("SJK", name="Shinjuku", name_ja="新宿")
    storm.lose(storm.shop("SJK", 5, firmware="2.4"), seconds=0)
    storm.shop("OSK", 20, firmware="2.3")

    both.advance(30, step_s=5)

    assert "新宿" in titles(receiver)[0]
    assert Incident.objects.get().site.name_ja == "新宿"


def test_a_destination_of_one_site_is_notified_of_its_part_of_an_incident(storm, fleet, both, policy, receiver):
    mine, other = (storm.shop(code, 6, model="PX-7") for code in ("SJK", "OSK"))
    for code in ("SJK", "OSK"):
        storm.shop(code, 7, model="KS-2")
    policy((0, [webhook_destination(receiver.url, owner_site=fleet.site("SJK"))]))
    storm.lose([*mine, *other], seconds=0)

    both.advance(120, step_s=5)

    [event] = receiver.events
    [facts] = event["data"]["incidents"]
    assert only_incident().title == "Model PX-7: 12 of 12 terminals offline"
    assert event["data"]["title"] == "Critical: Model PX-7: 6 terminals offline"
    assert (facts["lost"], facts["size"], facts["alerts"], facts["open_count"]) == (6, None, 6, 6)
    assert (facts["also_in_common"], facts["url"]) == (None, "/alerts/")


@pytest.fixture
def milder_here(storm, fleet) -> Site:
    """An incident of two sites: critical, but at this site only a warning."""
    storm.rule.delete()
    mine, other = (storm.shop(code, 6, model="PX-7") for code in ("SJK", "OSK"))
    for code, severity in (("SJK", "warning"), ("OSK", "critical")):
        fleet.presence_rule(severity=severity, site=fleet.site(code))
        storm.shop(code, 7, model="KS-2")
    storm.lose([*mine, *other], seconds=0)
    return fleet.site("SJK")


def test_the_severity_of_other_sites_is_not_in_the_notification_of_one(both, policy, hook, receiver, milder_here):
    policy((0, [webhook_destination(receiver.url, "Site", owner_site=milder_here)]))
    policy((0, [hook]), owner_site=milder_here, severities=["critical"])

    both.advance(120, step_s=5)

    [event] = receiver.events
    assert only_incident().severity == "critical"
    assert event["data"]["title"] == "Warning: Model PX-7: 6 terminals offline"
    assert event["data"]["incidents"][0]["severity"] == "warning"


def test_quiet_hours_end_for_critical_alerts_of_the_own_scope_only(both, policy, receiver, milder_here):
    night = {"hours_from": time(0), "hours_until": time(23, 59), "hours_zone": "UTC"}
    policy((0, [webhook_destination(receiver.url, "Site", owner_site=milder_here, **night)]))
    policy((0, [webhook_destination(receiver.url, "All", **night)]))

    both.advance(120, step_s=5)

    assert titles(receiver) == ["Critical: Model PX-7: 12 of 12 terminals offline"]


def test_an_incident_that_worsens_elsewhere_is_not_notified_again(both, policy, receiver, storm, fleet):
    mine, other = (storm.shop(code, 6, model="PX-7") for code in ("SJK", "OSK"))
    for code in ("SJK", "OSK"):
        storm.shop(code, 7, model="KS-2")
    Rule.objects.filter(pk=storm.rule.pk).update(severity="warning")
    site = fleet.site("SJK")
    policy((0, [webhook_destination(receiver.url, "Site", owner_site=site)]), owner_site=site)
    storm.lose([*mine, *other], seconds=0)
    both.advance(60, step_s=5)
    before = titles(receiver)

    Alert.objects.filter(terminal__in=other).update(severity="critical")
    both.advance(60, step_s=5)

    assert only_incident().severity == "critical"
    assert titles(receiver) == before == ["Warning: Model PX-7: 6 terminals offline"]


def test_a_site_that_was_notified_before_it_was_merged_is_notified_as_resolved(storm, both, policy, hook, receiver):
    policy((0, [hook]))
    shops = []
    for code in ("W1", "W2", "W3", "W4"):
        storm.fleet.site(code, region="Kansai")
        shops.append(storm.shop(code, 3))
    storm.lose(shops[0], seconds=0)
    both.advance(20, step_s=5)
    before = types(receiver)

    storm.lose([terminal for shop in shops[1:] for terminal in shop], seconds=0)
    both.advance(60, step_s=5)

    by_type = {kind: [] for kind in types(receiver)}
    for event in receiver.events:
        by_type[event["type"]] += [facts["id"] for facts in event["data"]["incidents"]]
    wide = Incident.objects.unresolved().get()
    [merged] = [event for event in receiver.events if event["type"] == "tms.incidents.resolved.v1"]
    assert before == ["tms.incidents.opened.v1"]
    assert set(by_type["tms.incidents.opened.v1"]) - set(by_type["tms.incidents.resolved.v1"]) == {wide.pk}
    assert merged["data"]["incidents"][0]["merged_into"] == wide.pk
    assert "goes on as Region Kansai: 4 sites" in merged["data"]["text"]


def test_a_destination_of_one_site_does_not_receive_the_name_of_another_that_its_incident_was_merged_into(
    storm, fleet, both, policy, receiver
):
    mine, other = storm.shop("SJK", 4), storm.shop("OSK", 5)
    storm.shop("UMD", 40)
    policy((0, [webhook_destination(receiver.url, owner_site=fleet.site("SJK"))]))
    for shop in (mine, other):
        storm.lose(shop, seconds=0)
        both.advance(60, step_s=5)
    incidents = list(Incident.objects.unresolved().order_by("pk"))
    before = titles(receiver)

    merge(incidents, incidents[-1], by=person("tanaka"), comment="", at=both.scheduler.at)
    both.advance(60, step_s=5)

    assert [incident.name for incident in incidents] == ["Site SJK", "Site OSK"]
    assert before == ["Critical: Site SJK: 4 of 4 terminals offline"]
    assert titles(receiver)[1:] == ["Resolved: Site SJK: 4 of 4 terminals offline"]
    assert "goes on as 4 terminals offline" in receiver.events[-1]["data"]["text"]
    opened = Delivery(destination=Destination.objects.get(), kind="opened", language="en", is_of_incidents=True)
    assert compose(opened, incidents[-1:], at=both.scheduler.at)["title"] == "Critical: 4 terminals offline"
    assert "OSK" not in str(receiver.events)

"""Sound alarms, as passed from the page to the browser."""

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.support import factories
from tests.support.factories import now
from tms.alerts import correlation, lifecycle
from tms.alerts.models import Alert, RuleHours
from tms.fleet.models.opening_hours import SpecialDay

pytestmark = pytest.mark.both


def calls(page, severity="critical"):
    return (page("/terminals/").attribute(f"sound-alarms-{severity}", "data-marks") or "").split()


def one(alert):
    return Alert.objects.filter(pk=alert.pk)


def test_each_unacknowledged_alert_sounds_by_its_severity(page, fleet, tanaka):
    critical, warning = factories.alert(fleet), factories.alert(fleet, severity="warning")
    factories.acknowledged(factories.alert(fleet), by=tanaka)
    factories.resolved(factories.alert(fleet))

    assert [mark.split(".")[0] for mark in calls(page)] == [f"a{critical.pk}"]
    assert [mark.split(".")[0] for mark in calls(page, "warning")] == [f"a{warning.pk}"]
    assert calls(page, "info") == []


def test_of_alerts_that_are_not_critical_only_the_newest_is_listed(page, fleet):
    """Otherwise a frame would contain a hundred marks for each warning."""
    critical = [factories.alert(fleet) for _ in range(2)]
    *_, newest = (factories.alert(fleet, severity="warning") for _ in range(3))

    assert [mark.split(".")[0] for mark in calls(page)] == [f"a{alert.pk}" for alert in critical]
    assert [mark.split(".")[0] for mark in calls(page, "warning")] == [f"a{newest.pk}"]


def test_a_reopened_alert_sounds_again(page, fleet, tanaka):
    alert = factories.alert(fleet)
    (first,) = calls(page)

    factories.acknowledged(alert, by=tanaka)
    lifecycle.reopen(one(alert), by=tanaka, comment="", at=now())
    (again,) = calls(page)

    assert first != again


def test_a_claim_or_a_comment_causes_no_new_sound(page, fleet, tanaka):
    alert = factories.alert(fleet)
    before = calls(page)

    lifecycle.claim(one(alert), by=tanaka, at=now())
    lifecycle.comment(one(alert), by=tanaka, comment="hm", at=now())

    assert calls(page) == before


def snoozed(alert, by):
    lifecycle.snooze(one(alert), until=now(600), by=by, comment="", at=now())


def closed(alert, by):
    today, day = timezone.localdate(), timedelta(days=1)
    SpecialDay.objects.create(site=alert.terminal.site, first_on=today - day, last_on=today + day)


@pytest.mark.parametrize("wait", [snoozed, closed])
def test_a_suppressed_alert_makes_no_sound(page, fleet, tanaka, wait):
    alert = factories.alert(fleet, rule=fleet.metric_rule(severity="critical", hours=RuleHours.OPEN))
    loud = calls(page)

    wait(alert, tanaka)

    assert (len(loud), calls(page)) == (1, [])


def test_an_incident_sounds_for_all_of_its_alerts_and_again_when_it_is_reopened(page, fleet, tanaka):
    incident = factories.incident(fleet)
    (first,) = calls(page)

    correlation.acknowledge(incident, by=tanaka, comment="", at=now())
    taken = calls(page)
    correlation.reopen(incident, by=tanaka, comment="", at=now())
    (again,) = calls(page)

    oldest = incident.alerts.earliest("pk")
    assert (first.split(".")[0], again.split(".")[0]) == (f"a{oldest.pk}", f"i{incident.pk}")
    assert taken == []


def test_an_incident_makes_no_sound_if_all_of_its_alerts_are_suppressed(page, fleet, tanaka):
    incident = factories.incident(fleet, hours=RuleHours.OPEN)
    loud = calls(page)

    closed(incident.alerts.first(), tanaka)

    assert (len(loud), calls(page)) == (1, [])


def test_an_incident_makes_no_sound_if_all_of_its_alerts_are_acknowledged(page, fleet, tanaka):
    incident = factories.incident(fleet)

    lifecycle.acknowledge(incident.alerts.all(), by=tanaka, comment="", at=now())

    assert calls(page) == []


def test_without_an_alert_there_is_no_sound(page, fleet):
    assert calls(page) == []

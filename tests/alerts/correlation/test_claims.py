"""Claims of incidents: without responsibility, and with an expiry."""

from datetime import timedelta

import pytest

from tests.support import factories
from tests.support.factories import now
from tms.alerts import correlation
from tms.alerts.lifecycle import AlreadyResolved
from tms.alerts.lifecycle.claims import LASTS
from tms.alerts.models import Alert, Incident, IncidentState

pytestmark = [pytest.mark.both, pytest.mark.django_db]


@pytest.fixture
def incident(fleet) -> Incident:
    return factories.incident(fleet)


@pytest.fixture
def tanaka(fleet):
    return fleet.person("tanaka")


def steps(incident: Incident) -> list[tuple[str, str]]:
    rows = incident.transitions.values_list("kind", "by__username")
    return [(kind, by or "TMS") for kind, by in rows]


def test_a_claim_is_published_and_leaves_the_incident_open(incident, tanaka):
    at = now()

    correlation.claim(incident, by=tanaka, at=at)

    after = Incident.objects.get()
    assert (after.claimed_by, after.claimed_until, after.state) == (tanaka, at + LASTS, IncidentState.OPEN)
    assert after.version == incident.version, "a person who is deciding need not read it again"
    assert steps(incident) == [("opened", "TMS"), ("claimed", "tanaka")]
    assert not Alert.objects.claimed().exists()


def test_a_repeated_claim_restarts_its_time_and_a_colleague_may_replace_it(incident, tanaka, fleet):
    at = now()
    correlation.claim(incident, by=tanaka, at=at)

    correlation.claim(incident, by=tanaka, at=at + timedelta(minutes=5))
    assert Incident.objects.get().claimed_until == at + timedelta(minutes=5) + LASTS
    correlation.claim(incident, by=fleet.person("mori"), at=at + timedelta(minutes=6))

    assert steps(incident) == [("opened", "TMS"), ("claimed", "tanaka"), ("claimed", "mori")]
    assert Incident.objects.get().claimed_by.username == "mori"


def test_it_expires(incident, tanaka):
    at = now()
    correlation.claim(incident, by=tanaka, at=at)

    correlation.correlate(at + LASTS - timedelta(seconds=1))
    assert Incident.objects.get().claimed_by == tanaka
    correlation.correlate(at + LASTS)

    assert Incident.objects.get().claimed_by is None
    assert steps(incident)[-1] == ("released", "TMS")


def test_everyone_may_end_it_once(incident, tanaka, fleet):
    correlation.claim(incident, by=tanaka, at=now())

    for _ in range(2):
        correlation.unclaim(incident, by=fleet.person("mori"), at=now())

    assert Incident.objects.get().claimed_until is None
    assert steps(incident) == [("opened", "TMS"), ("claimed", "tanaka"), ("released", "mori")]


@pytest.mark.parametrize("and_back", [False, True])
def test_every_decision_ends_it(incident, tanaka, fleet, and_back):
    mori = fleet.person("mori")
    correlation.claim(incident, by=tanaka, at=now())

    correlation.acknowledge(incident, by=mori, comment="", at=now())
    if and_back:
        correlation.reopen(incident, by=mori, comment="", at=now())

    assert Incident.objects.get().claimed_by is None
    assert "released" not in dict(steps(incident))


def test_an_acknowledged_incident_cannot_be_claimed(incident, tanaka, fleet):
    correlation.acknowledge(incident, by=fleet.person("mori"), comment="", at=now())

    correlation.claim(incident, by=tanaka, at=now())

    assert Incident.objects.get().claimed_by is None


def test_recovery_ends_it_and_a_resolved_incident_cannot_be_claimed(incident, tanaka):
    correlation.claim(incident, by=tanaka, at=now())
    for alert in Alert.objects.all():
        factories.resolved(alert)
    correlation.correlate(now())

    after = Incident.objects.get()
    assert (after.state, after.claimed_by, after.claimed_until) == (IncidentState.RESOLVED, None, None)
    with pytest.raises(AlreadyResolved):
        correlation.claim(incident, by=tanaka, at=now())

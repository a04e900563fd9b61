"""What an action on terminals or alerts means for their sites."""

from datetime import time, timedelta

import pytest

from tests.support import factories
from tests.support.factories import now
from tests.support.people import person
from tms.accounts.access import visible
from tms.alerts.consequences import Few, SiteTimes, of_alerts, of_terminals
from tms.alerts.models import Alert
from tms.feed.hub import hub
from tms.feed.viewers import Viewing
from tms.fleet.models import Terminal
from tms.fleet.models.opening_hours import OpeningHours

pytestmark = pytest.mark.both


@pytest.fixture
def me(db):
    return person("me", of="Operator")


def closed(site) -> None:
    """Opens on another day of the week, 09:00 to 10:00."""
    OpeningHours.objects.create(site=site, weekday=(now().weekday() + 3) % 7, opens_at=time(9), closes_at=time(10))


def all_of(*terminals):
    return Terminal.objects.filter(pk__in=[terminal.pk for terminal in terminals])


def test_the_last_working_terminal_of_a_kind_is_a_last_lane(fleet, me):
    gate = fleet.online(kind="gate")
    fleet.with_presence("offline", kind="gate")
    factories.alert(fleet, kind="gate", severity="critical")
    fleet.online(kind="kiosk")

    impact = of_terminals(all_of(gate), to=me, at=now())

    assert impact.last_lanes == Few(1, (("Site SJK", ""),))
    assert impact.lanes == ("gate", 3, 1, 0)


def test_several_terminals_take_the_last_lane_together(fleet, me):
    gates = [fleet.online(kind="gate") for _ in range(2)]

    assert not of_terminals(all_of(gates[0]), to=me, at=now()).takes_last_lane
    assert of_terminals(all_of(*gates), to=me, at=now()).takes_last_lane


def test_a_closed_site_has_no_last_lane(fleet, me):
    gate = fleet.online(kind="gate")
    closed(gate.site)

    impact = of_terminals(all_of(gate), to=me, at=now())

    assert not impact.takes_last_lane
    assert (impact.sites.open, impact.sites.closed) == (0, 1)
    assert now() < impact.sites.opens_at < now() + timedelta(days=8)


def test_only_the_first_sites_are_named(fleet, me):
    gates = [fleet.online(site=fleet.site(f"S{number}")) for number in range(5)]

    impact = of_terminals(all_of(*gates), to=me, at=now())

    assert (impact.last_lanes.number, impact.last_lanes.others) == (5, 2)
    assert [str(name) for name in impact.last_lanes.names] == ["Site S0", "Site S1", "Site S2"]
    assert impact.sites == SiteTimes(5, None, 0, None)
    assert (impact.terminals, impact.all_terminals) == (5, 5)


def test_alerts_of_a_site_without_a_working_lane(fleet, me):
    alert = factories.alert(fleet, kind="gate", severity="critical")
    factories.alert(fleet, kind="gate", severity="warning", site=fleet.site("UMD"))

    impact = of_alerts(Alert.objects.unresolved(), to=me, at=now())

    assert impact.without_lane == Few(1, ((alert.terminal.site.name, ""),))
    assert (impact.critical, impact.terminals, impact.sites.total) == (1, 2, 2)


def test_people_who_view_or_claim_the_alerts_are_named(fleet, me):
    claimed, viewed, other = (factories.alert(fleet) for _ in range(3))
    sato, kato, hayashi = (person(name, of="Operator") for name in ("sato", "kato", "hayashi"))
    Alert.objects.filter(pk=claimed.pk).update(claimed_by=sato, claimed_until=now(600))
    viewings = {Viewing(kato.pk, viewed.pk), Viewing(hayashi.pk, other.pk), Viewing(me.pk, viewed.pk)}
    hub().viewers.update("here", frozenset(viewings), now=0.0)

    impact = of_alerts(Alert.objects.filter(pk__in=[claimed.pk, viewed.pk]), to=me, at=now())

    assert impact.people == Few(2, ("kato", "sato"))


def test_the_number_of_queries_does_not_grow(fleet, me, django_assert_max_num_queries):
    terminals = [fleet.online(site=fleet.site(f"S{number}")) for number in range(20)]
    for terminal in terminals:
        factories.alert(fleet, terminal=terminal)

    with django_assert_max_num_queries(14):
        of_terminals(visible(all_of(*terminals), to=me), to=me, at=now())

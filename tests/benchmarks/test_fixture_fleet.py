"""The large fleet with which boards are measured."""

import pytest

from benchmarks.fixture_fleet.build import build
from benchmarks.fixture_fleet.site_names import shops
from tms.alerts.models import Alert
from tms.boards.caches import census
from tms.fleet.models import Presence, PresenceChange, Site, Terminal

pytestmark = pytest.mark.both


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("default_rules")
def test_a_fixture_fleet_is_a_fleet_after_a_day_of_work():
    cookie = build(400, sites=8, alerts=30)

    counted = census.take()
    assert cookie.startswith("tms_session=")
    assert (Terminal.objects.count(), Site.objects.count(), counted.total) == (400, 8, 400)
    assert counted.unresolved == Alert.objects.unresolved().count() == 30
    assert counted.presences[Presence.OFFLINE] > 0
    assert PresenceChange.objects.count() > 200


def test_no_two_sites_share_a_code():
    many = [site.code for site, _ in zip(shops(), range(2_000), strict=False)]

    assert len(set(many)) == 2_000
    assert max(map(len, many)) <= 8

"""How much happened when."""

from datetime import timedelta

import pytest

from tests.support import factories
from tests.support.builders import AT, later
from tms.accounts.scope import EVERYTHING, Scope
from tms.alerts.models import Incident
from tms.fleet.models import Cause, Outage
from tms.replay.density import Bucket, density, event_after, event_before

pytestmark = [pytest.mark.both, pytest.mark.django_db]


@pytest.fixture
def busy(fleet):
    """Alerts, an outage and an incident of two sites. Returns the scope of the first."""
    one, other = (fleet.online(site=fleet.site(code)) for code in ("AAA", "BBB"))
    for terminal, seconds, severity in ((one, 0, "critical"), (other, 59.9, "warning"), (one, 60, "info")):
        factories.alert(fleet, terminal=terminal, opened_at=later(seconds), severity=severity)
    Outage.objects.create(terminal=one, began_at=later(125), lost_by=Cause.CONNECTION_LOST)
    columns = {"opened_at": later(61), "changed_at": later(61), "unchanged_since": later(61), "size": 1, "lost": 1}
    Incident.objects.create(factor="site", key=str(other.site_id), site=other.site, severity="critical", **columns)
    return Scope(sites=frozenset({one.site_id}))


def test_each_bucket_counts_what_began_within_it(busy, django_assert_num_queries):
    with django_assert_num_queries(1):
        found = density(AT, later(180), buckets=3, scope=EVERYTHING)

    assert found == [Bucket(AT, 2, critical=1), Bucket(later(60), 1, 1), Bucket(later(120), 0, 0, 1)]


def test_buckets_count_what_the_scope_covers(busy):
    found = density(AT, later(180), buckets=3, scope=busy)

    assert found == [Bucket(AT, 1, critical=1), Bucket(later(60), 1), Bucket(later(120), 0, 0, 1)]
    assert density(AT, later(180), buckets=1, scope=Scope()) == [Bucket(AT)]


def test_buckets_may_be_of_any_length(busy):
    found = density(AT - timedelta(days=365), AT + timedelta(days=365), buckets=7, scope=EVERYTHING)

    assert [bucket.alerts + bucket.incidents + bucket.outages for bucket in found] == [0, 0, 0, 5, 0, 0, 0]


@pytest.mark.parametrize(("seconds", "buckets"), [(0, 1), (60, 0), (60, 2_001)])
def test_an_impossible_division_is_an_error(seconds, buckets):
    with pytest.raises(ValueError, match="expected 1 to"):
        density(AT, later(seconds), buckets=buckets, scope=EVERYTHING)


def test_the_nearest_events(busy):
    assert event_before(later(60), AT, EVERYTHING) == later(59.9)
    assert event_before(later(60), AT, busy) == AT
    assert event_before(AT, later(-60), EVERYTHING) is None
    assert event_after(later(60), later(180), EVERYTHING) == later(61)
    assert event_after(later(60), later(180), busy) is None

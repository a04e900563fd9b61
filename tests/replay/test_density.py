"""How much happened when."""

from datetime import timedelta
from random import Random

import pytest

from tests.support import factories
from tests.support.builders import AT, later
from tms.accounts.scope import EVERYTHING, Scope
from tms.alerts.models import Alert, Incident
from tms.fleet.models import Cause, Group, Outage, Terminal
from tms.replay.density import Bucket, counting, density, event_after, event_before
from tms.replay.models import CountedDay, FleetCount, SiteCount

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


DAYS = 9
NOW, MIDNIGHT = AT + timedelta(days=DAYS), AT - timedelta(hours=9)


@pytest.fixture
def history(fleet):
    """Nine days of alerts, outages and incidents at three sites, some at the borders of counted parts."""
    chance, alerts = Random(16), []
    terminals = [fleet.online(site=fleet.site(code)) for code in ("AAA", "BBB", "CCC") for _ in range(2)]
    Terminal.objects.update(created_at=AT)
    rule = fleet.metric_rule()
    for number in range(240):
        at = AT + timedelta(seconds=chance.randrange(DAYS * 96) * 900 + chance.choice((0, 0.5, 450, 899.999)))
        terminal, ended = chance.choice(terminals), at + timedelta(seconds=60)
        over = {"state": "resolved", "resolved_at": ended}
        if number % 3:
            severity = chance.choice(("critical", "warning"))
            alerts.append(Alert(terminal=terminal, rule=rule, severity=severity, **over, opened_at=at))
        else:
            Outage.objects.create(terminal=terminal, began_at=at, ended_at=ended, lost_by=Cause.CONNECTION_LOST)
        if number % 12 == 0:
            columns = {"opened_at": at, "changed_at": at, "unchanged_since": at, "size": 1, "lost": 1, **over}
            Incident.objects.create(factor="site", key=str(at), site=terminal.site, severity="critical", **columns)
    Alert.objects.bulk_create(alerts)
    return terminals


def scopes(terminals) -> dict[str, Scope]:
    site, group = terminals[0].site_id, Group.objects.create(name="Kitanet")
    group.terminals.set(terminals[1:4])
    return {
        "everything": EVERYTHING,
        "site": Scope(sites=frozenset({site})),
        "group": Scope(groups=frozenset({group.pk})),
    }


def count_all(at=NOW) -> None:
    while counting.advance(at) == counting.PER_PASS:
        pass


@pytest.mark.parametrize("counted", ["all", "some", "part of a day"])
@pytest.mark.parametrize(("since", "until", "buckets"), [(0, 9, 9), (0.37, 8.61, 1), (1, 8, 7 * 24), (2, 3, 1)])
def test_stored_counts_change_nothing(history, since, until, buckets, counted):
    """Buckets that begin with a stored part are exact."""
    begin, end = MIDNIGHT + timedelta(days=since), MIDNIGHT + timedelta(days=until)
    chosen = scopes(history)
    before = {name: density(begin, end, buckets=buckets, scope=scope) for name, scope in chosen.items()}

    count_all(NOW if counted == "all" else NOW - timedelta(hours=3, minutes=50))
    if counted == "some":
        CountedDay.objects.filter(pk__in=CountedDay.objects.order_by("day")[2:4].values("pk")).delete()

    after = {name: density(begin, end, buckets=buckets, scope=scope) for name, scope in chosen.items()}
    assert sum(bucket.alerts for bucket in before["everything"]) > 10
    assert after == before


def test_a_year_is_read_from_stored_counts(history, django_assert_num_queries):
    count_all()
    Outage.objects.filter(began_at__lt=NOW - timedelta(days=2)).delete()

    with django_assert_num_queries(3):
        found = density(NOW - timedelta(days=365), NOW, buckets=73, scope=EVERYTHING)

    assert sum(bucket.outages for bucket in found) == 80


def test_a_day_is_counted_again_when_its_rows_may_have_changed(history):
    count_all()
    Outage.objects.all().delete()
    count_all(NOW + timedelta(minutes=30))
    unchanged = sum(FleetCount.objects.values_list("outages", flat=True))

    for minutes in range(DAYS + 1):
        counting.advance(NOW + timedelta(days=1, minutes=minutes))

    assert unchanged > 70
    assert not FleetCount.objects.exclude(outages=0).exists()
    assert not SiteCount.objects.exclude(outages=0).exists()


def test_counts_end_with_the_history(history, settings):
    count_all()
    settings.HISTORY_DAYS = 3

    counting.advance(NOW)

    assert CountedDay.objects.count() == 4
    assert FleetCount.objects.earliest("begins_at").begins_at >= NOW - timedelta(days=4)

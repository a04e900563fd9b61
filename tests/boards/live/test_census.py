"""The census cache of a process, updated from the feed."""

from functools import reduce
from operator import or_

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from tests.boards.live.changes import change
from tests.support import factories
from tests.support.factories import now
from tests.support.threads import in_thread
from tms.accounts.scope import EVERYTHING, NOTHING, Scope
from tms.alerts import lifecycle
from tms.alerts.lifecycle import RuleCleared, RuleTriggered
from tms.alerts.models import Alert
from tms.boards.caches import census
from tms.boards.caches import census_cache as module
from tms.boards.caches.census_cache import CensusCache
from tms.feed.change import MAX_IDS, Change
from tms.feed.hub import hub
from tms.fleet.models import Group, Presence, Terminal, TerminalState

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def census_cache(fleet, monkeypatch):
    """Listens to a hub that is live."""
    census_cache = CensusCache()
    monkeypatch.setattr(type(hub()), "is_live", True)
    monkeypatch.setattr(hub(), "listeners", {census_cache})
    return census_cache


def updates(*terminals, **fields):
    change(*terminals, **fields)
    return Change(presence=frozenset(terminal.pk for terminal in terminals))


def test_it_equals_a_full_count_after_every_change(census_cache, fleet, tanaka):
    terminals = [fleet.online(site=fleet.site(f"S{n % 2}")) for n in range(6)]
    alert = factories.alert(fleet, terminal=terminals[0])
    assert census_cache.read() == census.take()

    census_cache.changed(updates(*terminals[:3], presence="silent"))
    assert census_cache.read() == census.take()

    census_cache.changed(updates(terminals[0], presence="offline"))
    factories.acknowledged(alert, by=tanaka)
    census_cache.changed(Change(alerts=frozenset({alert.pk})))
    assert census_cache.read() == census.take()


def test_without_a_reader_changes_do_not_accumulate(census_cache):
    census_cache.read()

    for first in range(0, 3 * MAX_IDS, 1_000):
        census_cache.changed(Change(sessions=frozenset((pk, 1) for pk in range(first, first + 1_000))))

    assert census_cache._pending == Change(everything=True)


def test_unchanged_rows_are_not_counted_again(census_cache, fleet, django_assert_num_queries):
    terminals = fleet.terminals(5, presence="online")
    census_cache.read()
    result = updates(terminals[0], presence="offline")

    with django_assert_num_queries(0):
        assert census_cache.read() is census_cache.read()
    census_cache.changed(result)
    with django_assert_num_queries(1):
        assert census_cache.read().presences == {"online": 4, "offline": 1}


def test_a_changed_alert_costs_one_query(census_cache, fleet, django_assert_num_queries):
    alerts = [factories.alert(fleet) for _ in range(3)]
    census_cache.read()
    factories.resolved(alerts[0])

    census_cache.changed(Change(alerts=frozenset({alerts[0].pk})))

    with django_assert_num_queries(1):
        assert census_cache.read().severities == {"critical": 2}


def test_common_factors_of_alerts_follow_a_boot_with_another_firmware(census_cache, fleet):
    alerts = [factories.alert(fleet, firmware="4.8.1") for _ in range(2)]
    census_cache.read()
    Terminal.objects.filter(pk=alerts[0].terminal_id).update(firmware="4.8.2")

    census_cache.changed(Change(sessions=frozenset({(alerts[0].terminal_id, 2)})))

    assert census_cache.read().factors["firmware"] == {"4.8.1": 1, "4.8.2": 1}
    assert census_cache.read() == census.take()
    assert census_cache.mismatches() == 0


def test_the_person_of_an_acknowledgement_is_verified_like_every_number(census_cache, fleet, tanaka):
    alert = factories.acknowledged(factories.alert(fleet), by=tanaka)
    census_cache.read()

    Alert.objects.filter(pk=alert.pk).update(acknowledged_by=None)

    assert census_cache.mismatches() == 1


def test_the_history_of_the_hour_is_read_once_for_all_and_again_after_a_gap(
    census_cache, fleet, django_assert_num_queries
):
    fleet.terminals(1, presence="online")
    read = census_cache.read()
    census_cache.hour(read, at=now())

    with django_assert_num_queries(0):
        census_cache.hour(read, at=now())
    census_cache.changed(Change(everything=True))
    read = census_cache.read()
    with django_assert_num_queries(2):
        census_cache.hour(read, at=now())


# Parts of it, by scope


def test_the_part_of_a_site_costs_no_query_of_rows(census_cache, fleet, django_assert_num_queries):
    here, there = (fleet.online(site=fleet.site(code)) for code in ("SJK", "UMD"))
    factories.alert(fleet, terminal=there)
    scope = Scope.of(site=here.site_id)
    assert census_cache.read(scope) == census.take(scope)

    census_cache.changed(updates(here, presence="offline"))

    with django_assert_num_queries(1):  # that of the whole census
        assert census_cache.read(scope).presences == {"offline": 1}
        assert census_cache.read(scope) is census_cache.read(scope)


def test_the_part_of_a_group_counts_its_terminals_only(census_cache, fleet, django_assert_num_queries):
    one, two = (fleet.online() for _ in range(2))
    scope = Scope.of(group=fleet.group("few", one).pk)
    assert census_cache.read(scope).peers == {(one.site_id, one.kind): 1}

    alert = factories.alert(fleet, terminal=one)
    census_cache.changed(Change(alerts=frozenset({alert.pk})))
    with django_assert_num_queries(2):  # that of the whole census, and which of the alerts it covers
        assert census_cache.read(scope).unacknowledged == {"critical": 1}
    census_cache.changed(updates(one, two, presence="silent"))

    with django_assert_num_queries(1):
        assert census_cache.read(scope).presences == {"silent": 1}


def test_the_whole_census_is_the_same_object_for_everyone_who_sees_everything(census_cache, fleet):
    fleet.online()

    assert census_cache.read() is census_cache.read(EVERYTHING)


def test_a_change_is_narrowed_to_the_terminals_and_alerts_of_each_scope(census_cache, fleet):
    here, there = (fleet.online(site=fleet.site(code)) for code in ("SJK", "UMD"))
    alert = factories.alert(fleet, terminal=here)
    scopes = one, two, group = (
        Scope.of(site=here.site_id),
        Scope.of(site=there.site_id),
        Scope.of(group=fleet.group("few", there).pk),
    )
    census_cache.read()
    whole = Change(
        terminals=frozenset({here.pk, there.pk}),
        presence=frozenset({here.pk}),
        alerts=frozenset({alert.pk}),
        sessions=frozenset({(here.pk, 2)}),
        people=frozenset({1}),
    )

    narrowed = census_cache.narrowed(whole, (*scopes, EVERYTHING))

    assert narrowed[EVERYTHING] is whole
    assert narrowed[one] == structs.replace(whole, terminals=frozenset({here.pk}))
    rest = Change(terminals=frozenset({there.pk}), people=frozenset({1}))
    assert (narrowed[two], narrowed[group]) == (rest, rest)


def test_a_resolved_alert_still_concerns_its_site(census_cache, fleet):
    here, there = (factories.alert(fleet, site=fleet.site(code)) for code in ("SJK", "UMD"))
    scopes = one, two = tuple(Scope.of(site=alert.terminal.site_id) for alert in (here, there))
    census_cache.read()
    factories.resolved(here)
    result = Change(alerts=frozenset({here.pk}))

    census_cache.changed(result)
    narrowed = census_cache.narrowed(result, scopes)

    assert (narrowed[one], narrowed[two]) == (result, Change())


def test_a_row_that_is_not_known_may_be_of_any_scope(census_cache, fleet):
    scope = Scope.of(site=fleet.site("UMD").pk)
    census_cache.read()
    result = Change(terminals=frozenset({12345}), alerts=frozenset({12345}))

    assert census_cache.narrowed(result, [scope]) == {scope: result}


def test_a_report_changes_no_count(census_cache, fleet, django_assert_num_queries):
    (terminal,) = fleet.terminals(1)
    census_cache.read()

    census_cache.changed(Change(terminals=frozenset({terminal.pk})))

    with django_assert_num_queries(0):
        census_cache.read()


def test_too_many_changes_cause_a_full_count(census_cache, fleet):
    (terminal,) = fleet.terminals(1, presence="online")
    census_cache.read()
    change(terminal, presence="offline")

    census_cache.changed(Change(terminals=frozenset(range(MAX_IDS + 1))) | Change(alerts=frozenset({1})))

    assert census_cache.read().presences == {"offline": 1}


async def test_without_a_feed_everything_is_counted_every_time(fleet):
    census_cache = CensusCache()
    (terminal,) = await in_thread(lambda: fleet.terminals(1, presence="online"))
    await in_thread(census_cache.read)
    await in_thread(lambda: type(terminal).objects.all().delete())

    assert (await in_thread(census_cache.read)).total == 0


def test_while_the_feed_is_unavailable_a_fleet_is_not_counted_for_each_page(
    census_cache, fleet, monkeypatch, django_assert_num_queries
):
    monkeypatch.setattr(type(hub()), "is_live", False)
    monkeypatch.setattr(type(hub()), "is_started", True)
    (terminal,) = fleet.terminals(1, presence="online")

    with django_assert_num_queries(2):
        assert census_cache.read() is census_cache.read()
    monkeypatch.setattr(module, "RECOUNT_S", 0)
    change(terminal, presence="offline")
    assert census_cache.read().presences == {"offline": 1}
    monkeypatch.setattr(type(hub()), "is_live", True)
    assert census_cache.read() == census.take()


# Verification


def test_an_unpublished_change_is_a_mismatch_until_everything_is_read_again(census_cache, fleet):
    terminals = fleet.terminals(3, presence="online")
    factories.alert(fleet, terminal=terminals[2])
    census_cache.read()
    assert census_cache.mismatches() == 0

    TerminalState.objects.filter(pk=terminals[0].pk).update(presence="offline")
    Terminal.objects.filter(pk=terminals[1].pk).delete()
    Alert.objects.update(severity="info")

    assert [census_cache.mismatches(), census_cache.mismatches()] == [3, 3]
    census_cache.changed(Change(everything=True))
    assert census_cache.mismatches() == 0
    assert census_cache.read() == census.take()


def test_equal_numbers_do_not_hide_different_rows(census_cache, fleet):
    one, two = fleet.terminals(1, presence="online") + fleet.terminals(1, presence="offline")
    census_cache.read()

    TerminalState.objects.filter(pk=one.pk).update(presence="offline")
    TerminalState.objects.filter(pk=two.pk).update(presence="online")

    assert census_cache.mismatches() == 2


def test_a_row_whose_message_arrives_late_is_no_longer_a_mismatch(census_cache, fleet):
    (terminal,) = fleet.terminals(1, presence="online")
    census_cache.read()
    late = updates(terminal, presence="offline")
    assert census_cache.mismatches() == 1

    census_cache.changed(late)

    assert census_cache.mismatches() == 0


def test_rows_on_their_way_at_each_comparison_are_no_mismatch(census_cache, fleet):
    for terminal in fleet.terminals(3, presence="online"):
        census_cache.read()
        late = updates(terminal, presence="offline")
        assert census_cache.mismatches() == 1
        census_cache.changed(late)
        census_cache.read()
        another = updates(*fleet.terminals(1), presence="offline")

        assert census_cache.mismatches() == 0
        census_cache.changed(another)


def test_without_a_feed_there_are_no_mismatches(census_cache, monkeypatch):
    monkeypatch.setattr(hub(), "listeners", set())

    assert census_cache.mismatches() is None


# Random orders of changes, lost and merged messages, and reads

ROWS = 5
MOVES = ("presence", "site", "delete", "open", "acknowledge", "resolve", "tell", "read", "lose", "merge", "doubt")


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(MOVES), st.integers(0, ROWS - 1), st.sampled_from(Presence.values))))
def test_after_any_sequence_of_events_it_equals_the_database(census_cache, fleet, tanaka, moves):
    Alert.objects.all().delete()
    Terminal.objects.all().delete()
    rule, other = fleet.metric_rule(), fleet.site("UMD")
    terminals = fleet.terminals(ROWS, presence="online")
    scopes = _scopes(fleet, terminals)
    census_cache.changed(Change(everything=True))
    census_cache.read()
    untold: list[Change] = []

    for move, row, presence in moves:
        terminal = terminals[row]
        if move == "lose":  # a gap in the numbers: all listeners read everything
            untold = [Change(everything=True)] if untold else []
        elif move == "merge":
            untold = [reduce(or_, untold)] if untold else []
        elif move == "read":
            census_cache.read()
        elif move == "doubt":
            census_cache.mismatches()
        elif move != "tell":
            with transaction.atomic():
                untold += _happens(move, terminal, presence, rule=rule, site=other, by=tanaka)
        if move == "tell" and untold:
            _notify(census_cache, untold.pop(0), scopes)
    for result in untold:
        _notify(census_cache, result, scopes)

    assert census_cache.read() == census.take()
    assert census_cache.mismatches() == 0
    assert [census_cache.read(scope) for scope in scopes] == [census.take(scope) for scope in scopes]


def _scopes(fleet, terminals):
    """Limited ones: two sites, a group, both, and nothing."""
    Group.objects.all().delete()
    group = Scope.of(group=fleet.group("some", *terminals[:2]).pk)
    one, two = (Scope.of(site=fleet.site(code).pk) for code in ("SJK", "UMD"))
    return one, two, group, two | group, NOTHING


def _notify(census_cache, result, scopes):
    """A change that alters the numbers of a scope concerns its pages."""
    before = [census_cache.read(scope) for scope in scopes]
    census_cache.changed(result)
    narrowed = census_cache.narrowed(result, scopes)
    for scope, numbers in zip(scopes, before, strict=True):
        if census_cache.read(scope) != numbers:
            rest = narrowed[scope]
            assert rest.everything or rest.presence or rest.alerts or rest.sessions


def _happens(move, terminal, presence, *, rule, site, by):
    """The change of the rows by a service, and its message."""
    alerts = Alert.objects.unresolved().filter(terminal=terminal)
    pks = frozenset(alerts.values_list("pk", flat=True))
    if not Terminal.objects.filter(pk=terminal.pk).exists():
        return []
    if move == "presence":
        return [updates(terminal, presence=presence)]
    if move in {"site", "delete"}:  # services publish `everything`
        found = Terminal.objects.filter(pk=terminal.pk)
        _ = found.update(site=site) if move == "site" else found.delete()
        return [Change(everything=True)]
    if move == "open":
        lifecycle.apply_events([RuleTriggered(rule.pk, terminal.pk, now())])
        return [Change(alerts=frozenset(alerts.values_list("pk", flat=True)))]
    if move == "resolve":
        lifecycle.apply_events([RuleCleared(rule.pk, terminal.pk, now())])
        return [Change(alerts=pks)]
    for alert in alerts:
        factories.acknowledged(alert, by=by)
    return [Change(alerts=pks)]

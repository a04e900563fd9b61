"""The counts that a process keeps, renewed by what the feed tells."""

from functools import reduce
from operator import or_

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.boards.live.changes import change
from tests.support import factories
from tests.support.factories import now
from tests.support.threads import in_thread
from tms.alerts import lifecycle
from tms.alerts.lifecycle import RuleCleared, RuleTriggered
from tms.alerts.models import Alert
from tms.boards.caches import census
from tms.boards.caches import census_cache as module
from tms.boards.caches.census_cache import CensusCache
from tms.feed.change import MAX_IDS, Change
from tms.feed.hub import hub
from tms.fleet.models import Presence, Terminal, TerminalState

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def kept(fleet, monkeypatch):
    """Listens to a hub that is live."""
    kept = CensusCache()
    monkeypatch.setattr(type(hub()), "is_live", True)
    monkeypatch.setattr(hub(), "listeners", {kept})
    return kept


def news(*terminals, **fields):
    change(*terminals, **fields)
    return Change(presence=frozenset(terminal.pk for terminal in terminals))


def test_it_agrees_with_a_count_of_everything_after_every_change(kept, fleet, tanaka):
    terminals = [fleet.online(site=fleet.site(f"S{n % 2}")) for n in range(6)]
    alert = factories.alert(fleet, terminal=terminals[0])
    assert kept.read() == census.take()

    kept.changed(news(*terminals[:3], presence="silent"))
    assert kept.read() == census.take()

    kept.changed(news(terminals[0], presence="offline"))
    factories.acknowledged(alert, by=tanaka)
    kept.changed(Change(alerts=frozenset({alert.pk})))
    assert kept.read() == census.take()


def test_where_nobody_reads_news_are_not_gathered_for_ever(kept):
    kept.read()

    for first in range(0, 3 * MAX_IDS, 1_000):
        kept.changed(Change(sessions=frozenset((pk, 1) for pk in range(first, first + 1_000))))

    assert kept._news == Change(everything=True)


def test_what_did_not_change_is_not_counted_again(kept, fleet, django_assert_num_queries):
    terminals = fleet.terminals(5, presence="online")
    kept.read()
    told = news(terminals[0], presence="offline")

    with django_assert_num_queries(0):
        assert kept.read() is kept.read()
    kept.changed(told)
    with django_assert_num_queries(1):
        assert kept.read().presences == {"online": 4, "offline": 1}


def test_an_alert_that_changed_costs_one_look_at_it(kept, fleet, django_assert_num_queries):
    alerts = [factories.alert(fleet) for _ in range(3)]
    kept.read()
    factories.resolved(alerts[0])

    kept.changed(Change(alerts=frozenset({alerts[0].pk})))

    with django_assert_num_queries(1):
        assert kept.read().severities == {"critical": 2}


def test_what_the_alerts_share_follows_a_boot_with_another_firmware(kept, fleet):
    alerts = [factories.alert(fleet, firmware="4.8.1") for _ in range(2)]
    kept.read()
    Terminal.objects.filter(pk=alerts[0].terminal_id).update(firmware="4.8.2")

    kept.changed(Change(sessions=frozenset({(alerts[0].terminal_id, 2)})))

    assert kept.read().factors["firmware"] == {"4.8.1": 1, "4.8.2": 1}
    assert kept.read() == census.take()
    assert kept.mismatches() == 0


def test_who_holds_an_alert_is_doubted_like_every_number(kept, fleet, tanaka):
    alert = factories.acknowledged(factories.alert(fleet), by=tanaka)
    kept.read()

    Alert.objects.filter(pk=alert.pk).update(acknowledged_by=None)

    assert kept.mismatches() == 1


def test_the_hour_is_read_once_for_all_and_anew_after_a_gap(kept, fleet, django_assert_num_queries):
    fleet.terminals(1, presence="online")
    read = kept.read()
    kept.hour(read, at=now())

    with django_assert_num_queries(0):
        kept.hour(read, at=now())
    kept.changed(Change(everything=True))
    read = kept.read()
    with django_assert_num_queries(2):
        kept.hour(read, at=now())


def test_a_report_moves_no_count(kept, fleet, django_assert_num_queries):
    (terminal,) = fleet.terminals(1)
    kept.read()

    kept.changed(Change(terminals=frozenset({terminal.pk})))

    with django_assert_num_queries(0):
        kept.read()


def test_more_news_than_can_be_named_is_a_count_of_everything(kept, fleet):
    (terminal,) = fleet.terminals(1, presence="online")
    kept.read()
    change(terminal, presence="offline")

    kept.changed(Change(terminals=frozenset(range(MAX_IDS + 1))) | Change(alerts=frozenset({1})))

    assert kept.read().presences == {"offline": 1}


async def test_without_a_feed_everything_is_counted_every_time(fleet):
    kept = CensusCache()
    (terminal,) = await in_thread(lambda: fleet.terminals(1, presence="online"))
    await in_thread(kept.read)
    await in_thread(lambda: type(terminal).objects.all().delete())

    assert (await in_thread(kept.read)).total == 0


def test_while_the_feed_is_away_a_fleet_is_not_counted_for_each_page(
    kept, fleet, monkeypatch, django_assert_num_queries
):
    monkeypatch.setattr(type(hub()), "is_live", False)
    monkeypatch.setattr(type(hub()), "is_started", True)
    (terminal,) = fleet.terminals(1, presence="online")

    with django_assert_num_queries(2):
        assert kept.read() is kept.read()
    monkeypatch.setattr(module, "RECOUNT_S", 0)
    change(terminal, presence="offline")
    assert kept.read().presences == {"offline": 1}
    monkeypatch.setattr(type(hub()), "is_live", True)
    assert kept.read() == census.take()


# Whether it can be believed


def test_a_row_that_nothing_was_said_of_is_doubted_until_all_is_read_again(kept, fleet):
    terminals = fleet.terminals(3, presence="online")
    factories.alert(fleet, terminal=terminals[2])
    kept.read()
    assert kept.mismatches() == 0

    TerminalState.objects.filter(pk=terminals[0].pk).update(presence="offline")
    Terminal.objects.filter(pk=terminals[1].pk).delete()
    Alert.objects.update(severity="info")

    assert [kept.mismatches(), kept.mismatches()] == [3, 3]
    kept.changed(Change(everything=True))
    assert kept.mismatches() == 0
    assert kept.read() == census.take()


def test_numbers_that_agree_hide_no_rows_that_do_not(kept, fleet):
    one, two = fleet.terminals(1, presence="online") + fleet.terminals(1, presence="offline")
    kept.read()

    TerminalState.objects.filter(pk=one.pk).update(presence="offline")
    TerminalState.objects.filter(pk=two.pk).update(presence="online")

    assert kept.mismatches() == 2


def test_a_row_whose_message_was_on_its_way_is_doubted_no_more(kept, fleet):
    (terminal,) = fleet.terminals(1, presence="online")
    kept.read()
    late = news(terminal, presence="offline")
    assert kept.mismatches() == 1

    kept.changed(late)

    assert kept.mismatches() == 0


def test_who_is_told_of_no_changes_doubts_nothing(kept, monkeypatch):
    monkeypatch.setattr(hub(), "listeners", set())

    assert kept.mismatches() is None


# Any order of changes, of messages that are lost and merged, of readings

ROWS = 5
MOVES = ("presence", "site", "delete", "open", "acknowledge", "resolve", "tell", "read", "lose", "merge", "doubt")


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(MOVES), st.integers(0, ROWS - 1), st.sampled_from(Presence.values))))
def test_whatever_happens_in_whatever_order_it_ends_equal_to_the_database(kept, fleet, tanaka, moves):
    Alert.objects.all().delete()
    Terminal.objects.all().delete()
    rule, other = fleet.metric_rule(), fleet.site("UMD")
    terminals = fleet.terminals(ROWS, presence="online")
    kept.changed(Change(everything=True))
    kept.read()
    untold: list[Change] = []

    for move, row, presence in moves:
        terminal = terminals[row]
        if move == "lose":  # a gap in the numbers: whoever listens reads everything
            untold = [Change(everything=True)] if untold else []
        elif move == "merge":
            untold = [reduce(or_, untold)] if untold else []
        elif move == "read":
            kept.read()
        elif move == "doubt":
            kept.mismatches()
        elif move != "tell":
            with transaction.atomic():
                untold += _happens(move, terminal, presence, rule=rule, site=other, by=tanaka)
        if move == "tell" and untold:
            kept.changed(untold.pop(0))
    for told in untold:
        kept.changed(told)

    assert kept.read() == census.take()
    assert kept.mismatches() == 0


def _happens(move, terminal, presence, *, rule, site, by):
    """What a service does to the rows, and what it says of it."""
    alerts = Alert.objects.unresolved().filter(terminal=terminal)
    pks = frozenset(alerts.values_list("pk", flat=True))
    if not Terminal.objects.filter(pk=terminal.pk).exists():
        return []
    if move == "presence":
        return [news(terminal, presence=presence)]
    if move in {"site", "delete"}:  # by the admin, which says `everything`
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

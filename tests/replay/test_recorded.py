"""What boards had been sent is recorded, and compared with its replay."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from tests.support import factories, people
from tests.support.builders import later
from tms.alerts import correlation, lifecycle
from tms.alerts.models import Alert, Transition
from tms.boards.caches.census_cache import CensusCache
from tms.boards.live import verification
from tms.boards.live.verification import BoardRecorder
from tms.feed.change import Change
from tms.feed.hub import hub
from tms.fleet.models import Presence, PresenceChange, Terminal, TerminalState
from tms.replay.models import RecordedMoment
from tms.replay.recorded import comparison, newest_comparison
from tms.replay.visibility import Visibility, VisibleRows

pytestmark = [pytest.mark.both, pytest.mark.django_db]

SOON = timedelta(minutes=1)


@pytest.fixture
def recorded(fleet):
    """A moment with an open alert, that a board was sent."""
    factories.alert(fleet)
    assert BoardRecorder().record()
    return RecordedMoment.objects.get()


def compare(moment: RecordedMoment) -> RecordedMoment:
    comparison.compare(moment, at=moment.at + SOON)
    moment.refresh_from_db()
    return moment


def test_the_replay_of_a_recorded_moment_is_equal(recorded):
    factories.acknowledged(Alert.objects.get(), by=people.person("aiko"))
    terminal = Terminal.objects.get()
    PresenceChange.objects.create(
        terminal=terminal, at=factories.now(1), presence=Presence.OFFLINE, before=Presence.ONLINE
    )
    terminal.state.presence = Presence.OFFLINE
    terminal.state.save()

    assert compare(recorded).result == "equal"
    assert newest_comparison()[1:] == (1, 0)


def test_a_change_without_its_history_is_a_difference(recorded):
    Transition.objects.update(severity="info")
    Alert.objects.update(severity="info")

    assert compare(recorded).result == "differs"
    assert recorded.difference.startswith("critical open: 1 on boards, 0 in the replay; info open: 0 on boards, 1 in")


def test_deleted_terminals_are_not_a_difference(recorded):
    Terminal.objects.get().delete()

    assert compare(recorded).result == "deleted"


def test_deleted_people_are_not_a_difference(fleet):
    aiko = people.person("aiko")
    factories.acknowledged(factories.alert(fleet), by=aiko)
    BoardRecorder().record()
    aiko.delete()

    assert compare(RecordedMoment.objects.get()).result == "deleted"


def test_what_was_committed_later_does_not_count(recorded):
    """A change is recorded with the instant at which it was decided."""
    terminal = Terminal.objects.get()
    PresenceChange.objects.create(
        terminal=terminal, at=recorded.at - timedelta(seconds=1), presence=Presence.OFFLINE, before=Presence.ONLINE
    )
    terminal.state.presence = Presence.OFFLINE
    terminal.state.save()
    factories.resolved(Alert.objects.get(), at=recorded.at - timedelta(milliseconds=1))

    assert compare(recorded).result == "equal"


def test_an_incident_acknowledged_by_a_clock_that_is_ahead_is_no_difference(fleet):
    incident, aiko = factories.incident(fleet), people.person("aiko")
    lifecycle.acknowledge(Alert.objects.all(), by=aiko, comment="", at=factories.now())
    correlation.acknowledge(incident, by=aiko, comment="", at=factories.now(5))

    assert BoardRecorder().record()

    assert compare(RecordedMoment.objects.get()).result == "equal"


@pytest.fixture
def fed(monkeypatch) -> CensusCache:
    """The census of the boards, with a feed that is live."""
    cache = CensusCache()
    monkeypatch.setattr(type(hub()), "is_live", True)
    monkeypatch.setattr(hub(), "listeners", {cache})
    monkeypatch.setattr(verification, "census_cache", lambda: cache)
    return cache


def test_changes_on_their_way_to_the_boards_are_no_difference(fed, fleet):
    boards, terminals = BoardRecorder(), fleet.terminals(2 * verification.RECORD_TRIES, presence="online")
    fed.read()

    for terminal in terminals:
        TerminalState.objects.filter(terminal=terminal).update(presence="silent")
        assert not boards.record()
        fed.changed(Change(presence=frozenset({terminal.pk})))

    assert not RecordedMoment.objects.exists()
    assert boards.record()


def test_boards_that_stay_wrong_are_recorded(fed, fleet):
    boards, (terminal,) = BoardRecorder(), fleet.terminals(1, presence="online")
    fed.read()
    TerminalState.objects.filter(terminal=terminal).update(presence="silent")

    assert [boards.record() for _ in range(verification.RECORD_TRIES)] == [False] * (verification.RECORD_TRIES - 1) + [
        True
    ]
    assert "online: 1 on boards, 0 in the replay" in compare(RecordedMoment.objects.get()).difference


def test_gaps_are_rows_that_were_not_committed(fleet):
    terminal = fleet.online()
    rows = PresenceChange.objects.bulk_create(
        PresenceChange(terminal=terminal, at=later(number), presence="online", before="silent") for number in range(6)
    )
    first = rows[0].pk
    PresenceChange.objects.filter(pk__in=(first + 1, first + 2, first + 4)).delete()

    visible = Visibility.read().of(PresenceChange)

    assert visible == VisibleRows(first + 5, ((first + 1, first + 2), (first + 4, first + 4)))
    assert [first + number in visible for number in range(7)] == [True, False, False, True, False, True, False]


def test_the_clock_compares_each_moment_once_and_deletes_old_ones(recorded, settings):
    assert comparison.compare_new(recorded.at + timedelta(seconds=1)) == 0, "not settled"
    assert comparison.compare_new(recorded.at + SOON) == 1
    assert comparison.compare_new(recorded.at + SOON) == 0

    comparison.compare_new(recorded.at + timedelta(days=settings.REPLAY_RECORD_DAYS, seconds=1))

    assert not RecordedMoment.objects.exists()


def test_the_command_compares_all_moments_again(recorded, capsys, monkeypatch):
    monkeypatch.setattr(comparison, "SETTLED", timedelta(0))
    call_command("replay", "compare")
    assert "1 recorded moments: 1 equal, 0 different" in capsys.readouterr().out

    Transition.objects.update(severity="info")
    Alert.objects.update(severity="info")

    with pytest.raises(CommandError, match="1 of 1 recorded moments differ"):
        call_command("replay", "compare")

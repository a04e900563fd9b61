"""A recorded moment equals its replay, and anything that the history does not explain is a difference."""

from datetime import timedelta

import pytest

from tests.faults.moments.comparisons import Comparisons
from tests.faults.moments.recorder import RecordedMoment, record
from tests.faults.moments.visibility import CommittedRows, VisibleRows
from tests.faults.scenario.environment import SingleProcess
from tests.support import factories, people
from tests.support.builders import later
from tests.support.polling import wait_for
from tms.alerts import correlation, lifecycle
from tms.alerts.models import Alert, Transition
from tms.fleet.models import Presence, PresenceChange, Terminal

pytestmark = [pytest.mark.both, pytest.mark.django_db]

SOON = timedelta(minutes=1)


@pytest.fixture
def moment(fleet) -> RecordedMoment:
    """With an open alert."""
    factories.alert(fleet)
    return record()


def differences(moment: RecordedMoment) -> list[str]:
    return moment.differences(now=moment.at + SOON)


def test_the_replay_of_a_moment_is_equal(moment):
    factories.acknowledged(Alert.objects.get(), by=people.person("aiko"))
    terminal = Terminal.objects.get()
    PresenceChange.objects.create(
        terminal=terminal, at=factories.now(1), presence=Presence.OFFLINE, before=Presence.ONLINE
    )
    terminal.state.presence = Presence.OFFLINE
    terminal.state.save()

    assert differences(moment) == []


def test_a_change_without_its_history_is_a_difference(moment):
    Transition.objects.update(severity="info")
    Alert.objects.update(severity="info")

    assert differences(moment)[:2] == [
        "critical open: 1 in the database, 0 in the replay",
        "info open: 0 in the database, 1 in the replay",
    ]


def test_what_was_committed_later_does_not_count(moment):
    """A change is recorded with the instant at which it was decided."""
    terminal = Terminal.objects.get()
    PresenceChange.objects.create(
        terminal=terminal, at=moment.at - timedelta(seconds=1), presence=Presence.OFFLINE, before=Presence.ONLINE
    )
    terminal.state.presence = Presence.OFFLINE
    terminal.state.save()
    factories.resolved(Alert.objects.get(), at=moment.at - timedelta(milliseconds=1))

    assert differences(moment) == []


def test_an_incident_acknowledged_by_a_clock_that_is_ahead_is_no_difference(fleet):
    incident, aiko = factories.incident(fleet), people.person("aiko")
    lifecycle.acknowledge(Alert.objects.all(), by=aiko, comment="", at=factories.now())
    correlation.acknowledge(incident, by=aiko, comment="", at=factories.now(5))

    assert differences(record()) == []


def test_gaps_are_rows_that_were_not_committed(fleet):
    terminal = fleet.online()
    rows = PresenceChange.objects.bulk_create(
        PresenceChange(terminal=terminal, at=later(number), presence="online", before="silent") for number in range(6)
    )
    first = rows[0].pk
    PresenceChange.objects.filter(pk__in=(first + 1, first + 2, first + 4)).delete()

    visible = CommittedRows.read().of(PresenceChange)

    assert visible == VisibleRows(first + 5, ((first + 1, first + 2), (first + 4, first + 4)))
    assert [first + number in visible for number in range(7)] == [True, False, False, True, False, True, False]


def test_a_process_beside_a_tms_compares_its_moments(tmp_path):
    with SingleProcess(tmp_path) as tms, Comparisons.running(tms) as comparisons:
        compared = wait_for(comparisons.new)

    assert [each.differences for each in compared] == [[]] * len(compared)

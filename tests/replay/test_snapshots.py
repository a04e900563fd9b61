"""Snapshots: as many as replays need, in both directions, until the start of the history."""

from datetime import timedelta

import pytest

from tests.support.builders import AT
from tms.fleet.models import Presence, PresenceChange, Terminal
from tms.replay import snapshots
from tms.replay.models import Snapshot
from tms.replay.state import Moment

pytestmark = [pytest.mark.both, pytest.mark.django_db]

HOUR = timedelta(hours=1)


def test_snapshots_reach_back_to_the_start_and_forward_to_what_is_settled(fleet):
    fleet.online()
    Terminal.objects.update(created_at=AT - 20 * HOUR)

    assert snapshots.advance(AT) == 4, "one, and three before it"
    assert snapshots.advance(AT) == 0
    assert snapshots.advance(AT + 7 * HOUR) == 1

    settled = AT - snapshots.SETTLED
    assert list(Snapshot.objects.order_by("at").values_list("at", flat=True)) == [
        settled + hours * HOUR for hours in (-18, -12, -6, 0, 6)
    ]


def test_many_changes_get_a_snapshot_earlier(fleet, monkeypatch):
    monkeypatch.setattr(snapshots, "MAX_CHANGES", 10)
    terminal = fleet.online()
    Terminal.objects.update(created_at=AT - 3 * HOUR)
    presences = [Presence.OFFLINE, Presence.ONLINE] * 15
    for number, presence in enumerate(presences):
        before = Presence.ONLINE if presence == Presence.OFFLINE else Presence.OFFLINE
        at = AT - HOUR - number * timedelta(minutes=1)
        PresenceChange.objects.create(terminal=terminal, at=at, presence=before, before=presence)

    snapshots.advance(AT)

    assert Snapshot.objects.count() == 4
    for minutes in (-50, -62, -63, -75, -100):
        at = AT + timedelta(minutes=minutes)
        change = PresenceChange.objects.filter(at__lte=at).order_by("-at").first()
        expected = change.presence if change else Presence.ONLINE
        assert list(Moment(at, now=AT).presence_counts) == [(terminal.site_id, expected, "kiosk")], minutes


def test_snapshots_expire_with_the_history(fleet, settings):
    fleet.online()
    Terminal.objects.update(created_at=AT)
    snapshots.advance(AT + HOUR)

    snapshots.advance(AT + timedelta(days=settings.HISTORY_DAYS + 2))

    assert Snapshot.objects.earliest("at").at > AT + timedelta(days=1)

"""The time from the last frame of a terminal until it is offline."""

from datetime import timedelta

import pytest

from tests.support.builders import AT, later
from tests.support.slo_counters import counted
from tms.clock import presence_sweep
from tms.fleet.models import Cause, Presence

pytestmark = pytest.mark.both


@pytest.fixture
def observed():
    """Samples during the test: met, and missed."""
    before = counted()
    return lambda: tuple((counted() - before)["offline", outcome] for outcome in ("kept", "missed"))


def silent(fleet, cause=Cause.LEASE_RAN_OUT, presence=Presence.SILENT):
    return fleet.with_presence(presence, cause=cause, last_seen_at=AT, due_at=later(75), session=1)


@pytest.mark.parametrize(
    ("cause", "after_s", "outcome"),
    [
        (Cause.LEASE_RAN_OUT, 76, (1, 0)),
        (Cause.LEASE_RAN_OUT, 81, (0, 1)),
        (Cause.NODE_STOPPED, 136, (1, 0)),
        (Cause.NODE_STOPPED, 141, (0, 1)),
    ],
)
def test_the_target_depends_on_the_settings(
    fleet, observed, django_capture_on_commit_callbacks, cause, after_s, outcome
):
    silent(fleet, cause)

    with django_capture_on_commit_callbacks(execute=True):
        presence_sweep.sweep(AT + timedelta(seconds=after_s))

    assert observed() == outcome


def test_a_terminal_with_an_announced_return_is_not_counted(fleet, observed, django_capture_on_commit_callbacks):
    silent(fleet, Cause.REBOOT, Presence.REBOOTING)

    with django_capture_on_commit_callbacks(execute=True):
        presence_sweep.sweep(later(500))

    assert observed() == (0, 0)


def test_a_silent_terminal_is_not_offline_yet(fleet, observed, django_capture_on_commit_callbacks):
    fleet.online(last_seen_at=AT)

    with django_capture_on_commit_callbacks(execute=True):
        presence_sweep.sweep(later(46))

    assert observed() == (0, 0)

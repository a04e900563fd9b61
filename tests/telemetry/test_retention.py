"""Expired data is deleted, and no other."""

from datetime import datetime, timedelta

import pytest
from django.db import connection

from tests.support import factories
from tests.support.builders import AT
from tests.support.ingest.commit import booted, stored_reports, write
from tms.fleet.models import Cause, IdentityChange, Presence, PresenceChange, Terminal
from tms.fleet.models.outage import Outage
from tms.telemetry.models import Boot, Event, LateHour, Report, Rollup
from tms.telemetry.storage import retention

pytestmark = [pytest.mark.both, pytest.mark.embedded]

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def days(settings) -> None:
    settings.READINGS_DAYS, settings.ROLLUPS_DAYS, settings.HISTORY_DAYS = 3, 10, 20


@pytest.fixture
def terminal(fleet) -> Terminal:
    return fleet.terminal()


def ago(number: float) -> datetime:
    return AT - number * DAY


def test_events_and_changes_of_presence_are_deleted_after_their_days(terminal):
    for age in (0, 19, 21, 300):
        factories.event(terminal, f"age_{age}", at=ago(age))
        factories.moved(terminal, Presence.OFFLINE, Presence.ONLINE, at=ago(age))

    retention.retire(AT)

    assert set(Event.objects.values_list("code", flat=True)) == {"age_0", "age_19"}
    assert set(PresenceChange.objects.values_list("at", flat=True)) == {ago(0), ago(19)}


def test_changes_of_identity_are_kept_while_a_terminal_may_be_brought_back(terminal):
    for age in (0, 21, 29, 31):
        IdentityChange.objects.create(
            terminal=terminal, at=ago(age), field="firmware", before="1", after="2", source="boot"
        )

    retention.retire(AT)

    assert set(IdentityChange.objects.values_list("at", flat=True)) == {ago(0), ago(21), ago(29)}


def test_outages_are_deleted_after_their_days_and_ongoing_ones_stay(terminal):
    for began, ended in ((300, 21), (21, 19), (30, None)):
        ended_at = None if ended is None else ago(ended)
        Outage.objects.create(terminal=terminal, began_at=ago(began), ended_at=ended_at, lost_by=Cause.CONNECTION_LOST)

    retention.retire(AT)

    assert set(Outage.objects.values_list("ended_at", flat=True)) == {ago(19), None}


def test_a_second_pass_finds_nothing(terminal):
    factories.event(terminal, "old", at=ago(30))

    assert [retention.retire(AT), retention.retire(AT)] == [1, 0]


def test_many_rows_of_many_terminals_are_deleted_in_small_transactions(fleet, monkeypatch):
    monkeypatch.setattr(retention, "TERMINALS", 2)
    monkeypatch.setattr(retention, "ROWS", 3)
    for terminal in fleet.terminals(5):
        Event.objects.bulk_create(Event(terminal=terminal, at=ago(30), code="old") for _ in range(4))

    assert retention.retire(AT) == 20


def test_a_boot_is_deleted_when_it_ended_long_ago_and_has_no_reports_left(terminal):
    for boot_id, age in (("first", 100), ("reporting", 60), ("second", 50), ("current", 40)):
        Boot.objects.create(terminal=terminal, boot_id=boot_id, first_seen_at=ago(age))
    reporting = Boot.objects.get(boot_id="reporting")
    Report.objects.create(boot=reporting, seq=1, terminal=terminal, at=ago(1), received_at=ago(1))

    retention.retire(AT)

    assert set(Boot.objects.values_list("boot_id", flat=True)) == {"reporting", "current"}


def test_a_recently_ended_boot_stays(terminal):
    Boot.objects.create(terminal=terminal, boot_id="long", first_seen_at=ago(100))
    Boot.objects.create(terminal=terminal, boot_id="new", first_seen_at=ago(2))

    retention.retire(AT)

    assert Boot.objects.count() == 2


def test_hours_that_are_no_longer_rolled_up_are_deleted(terminal):
    LateHour.objects.create(terminal=terminal, hour=ago(2))
    LateHour.objects.create(terminal=terminal, hour=ago(5))

    retention.retire(AT)

    assert LateHour.objects.get().hour == ago(2)


@pytest.mark.skipif(connection.vendor == "postgresql", reason="there partitions are dropped: test_partitions.py")
def test_without_partitions_reports_and_roll_ups_are_deleted_row_by_row(terminal):
    link = booted(terminal)
    write(
        link.report(1, at=ago(5), taken_at=ago(5)),
        link.report(2, at=ago(1), taken_at=ago(1)),
        link.report(3, at=ago(1), taken_at=ago(9000)),  # a wrong clock: kept from the time of arrival
        link.report(4, at=ago(5), taken_at=AT + 900 * DAY),
    )
    for age in (5, 11):
        Rollup.objects.create(
            terminal=terminal, hour=ago(age), metric="a", count=1, total=1, lowest=1, highest=1, last=1
        )

    retention.retire(AT)

    assert [seq for _, seq in stored_reports(terminal)] == [2, 3]
    assert Rollup.objects.get().hour == ago(5)

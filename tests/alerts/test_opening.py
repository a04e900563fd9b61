"""Rules that are active only while a site is open: a closed site is not reported as down."""

from datetime import time

import pytest

from tests.support.alerts.events import triggered
from tests.support.builders import AT, later
from tms.alerts import lifecycle
from tms.alerts.models import Alert, Condition
from tms.alerts.rule_editing import services
from tms.fleet.models import Presence
from tms.fleet.models.opening_hours import OpeningHours, SpecialDay

pytestmark = pytest.mark.both

# AT is 18:00 in Tokyo, on a Wednesday.
MINUTE, HOUR = 60, 3600
OPENING = 15 * HOUR
"""The seconds from AT until 09:00 of the next day."""


@pytest.fixture
def shop(fleet):
    """Open from 09:00 to 18:00 in Tokyo: it closes at AT."""
    site = fleet.site()
    OpeningHours.objects.bulk_create(
        OpeningHours(site=site, weekday=weekday, opens_at=time(9), closes_at=time(18)) for weekday in range(7)
    )
    return site


def unresolved() -> int:
    return Alert.objects.unresolved().count()


def test_a_terminal_lost_while_the_site_is_closed_alerts_when_it_opens(fleet, shop, scheduler):
    fleet.presence_rule(Presence.OFFLINE, hours="open")
    terminal = fleet.online(lease_s=HOUR, site=shop)
    scheduler.advance(seconds=3 * HOUR, step_s=MINUTE)
    night = unresolved()

    lifecycle.open_pending(later(OPENING - 1))
    before = unresolved()
    lifecycle.open_pending(later(OPENING))

    assert (night, before, unresolved()) == (0, 0, 1)
    assert Alert.objects.get().terminal == terminal
    assert Alert.objects.get().opened_at == later(OPENING)


def test_a_terminal_that_is_back_before_opening_never_alerts(fleet, shop):
    rule, terminal = fleet.presence_rule(Presence.OFFLINE, hours="open"), fleet.online(site=shop)
    lifecycle.apply_events([triggered(rule, terminal, HOUR)])

    lifecycle.clear([(rule.pk, terminal.pk)], at=later(2 * HOUR))
    lifecycle.open_pending(later(OPENING + HOUR))

    assert not Alert.objects.exists()


def test_the_duration_counts_only_while_the_site_is_open(fleet, shop):
    rule, terminal = fleet.presence_rule(Presence.OFFLINE, hours="open", duration_s=600), fleet.online(site=shop)
    lifecycle.apply_events([triggered(rule, terminal, -4 * MINUTE, duration_s=600)])

    opened = [lifecycle.open_pending(later(OPENING + seconds)) for seconds in (-1, 0, 6 * MINUTE - 1, 6 * MINUTE)]

    assert opened == [0, 0, 0, 1]


@pytest.mark.parametrize(("hours", "opened"), [("always", 1), ("open", 0)])
def test_a_rule_that_is_always_active_ignores_opening_hours(fleet, shop, hours, opened):
    fleet.with_presence(Presence.OFFLINE, at=later(-HOUR), site=shop)

    fleet.presence_rule(Presence.OFFLINE, hours=hours)

    assert unresolved() == opened


def test_a_site_without_opening_hours_is_always_open(fleet):
    fleet.with_presence(Presence.OFFLINE, at=later(-HOUR))

    fleet.presence_rule(Presence.OFFLINE, hours="open")

    assert unresolved() == 1


def test_metrics_and_events_can_wait_for_the_opening_as_well(fleet, shop):
    rule, terminal = fleet.metric_rule(hours="open"), fleet.online(site=shop)

    lifecycle.apply_events([triggered(rule, terminal, HOUR, value=80.0)])
    lifecycle.open_pending(later(OPENING))

    assert Alert.objects.get().value == 80.0


def test_a_site_that_closes_meanwhile_delays_it(fleet, shop):
    """A closing day is entered while the duration of a rule runs."""
    rule, terminal = fleet.presence_rule(Presence.OFFLINE, hours="open", duration_s=600), fleet.online(site=shop)
    lifecycle.apply_events([triggered(rule, terminal, OPENING, duration_s=600)])
    SpecialDay.objects.create(site=shop, first_on=later(OPENING).date(), note="stocktaking")

    lifecycle.open_pending(later(OPENING + 10 * MINUTE))

    assert unresolved() == 0
    assert Condition.objects.get().due_at == later(OPENING + 24 * HOUR)


def test_a_rule_that_becomes_limited_to_opening_hours_clears_at_night(fleet, shop):
    fleet.with_presence(Presence.OFFLINE, at=later(-HOUR), site=shop)
    rule = fleet.presence_rule(Presence.OFFLINE)

    rule.hours = "open"
    services.change_rule(rule, at=AT)

    assert unresolved() == 0
    assert Condition.objects.get().due_at == later(OPENING)

"""The reasons for suppression of an alert, and their end."""

from datetime import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.alerts.events import open_alert, triggered
from tests.support.alerts.maintenance import plan_maintenance, set_opening_hours
from tests.support.builders import AT, later
from tms.alerts import lifecycle
from tms.alerts.maintenance import services
from tms.alerts.models import Alert
from tms.alerts.models.maintenance import Window
from tms.alerts.suppression.reasons import CHECK_AGAIN, suppressions
from tms.fleet.models import Presence
from tms.fleet.models.opening_hours import OpeningHours

pytestmark = pytest.mark.both

HOUR = 3600


@pytest.fixture(autouse=True)
def _notify_at_once(settings):
    """Correlation has its own tests."""
    settings.CORRELATION_WAIT_S = 0


def why(alert: Alert, seconds: float = 0) -> tuple[str, datetime] | None:
    found = suppressions([alert], at=later(seconds)).get(alert.pk)
    return (found.reason, found.until) if found else None


def test_an_alert_without_a_reason_is_notified(rule, terminal):
    assert why(open_alert(rule, terminal)) is None


def test_in_maintenance_nothing_is_notified(fleet, rule, terminal):
    alert = open_alert(rule, terminal)
    plan_maintenance(fleet, alert)

    assert [why(alert, at) for at in (0, HOUR - 1, HOUR)] == [("maintenance", later(HOUR))] * 2 + [None]
    assert suppressions([alert], at=AT)[alert.pk].by == "mei"


@pytest.mark.parametrize(("hours", "says"), [("always", None), ("open", ("closed", later(15 * HOUR)))])
def test_for_a_closed_site_only_rules_that_are_always_active_notify(fleet, terminal, hours, says):
    set_opening_hours(fleet, 9, 19)
    alert = open_alert(fleet.presence_rule(hours=hours), terminal)

    assert why(alert, 0) is None
    assert why(alert, HOUR) == says
    assert why(alert, 15 * HOUR) is None


@pytest.mark.parametrize(
    ("presence", "says"),
    [
        (Presence.OFFLINE, "parent"),
        (Presence.SILENT, "parent"),
        (Presence.REBOOTING, "parent"),
        (Presence.NEVER, None),
        (Presence.ONLINE, None),
    ],
)
def test_terminals_behind_an_unavailable_parent_are_suppressed(fleet, rule, presence, says):
    router = fleet.with_presence(presence, uid="router", at=later(-600))
    alert, own = open_alert(rule, fleet.online(parent=router)), open_alert(rule, router)

    found = suppressions([alert, own], at=AT)

    assert found[alert.pk][0] == says if says else alert.pk not in found
    assert own.pk not in found


def test_terminals_behind_a_parent_that_returned_have_the_reconnect_grace(fleet, rule, settings):
    router = fleet.online(at=later(-5))
    alert = open_alert(rule, fleet.with_presence(Presence.OFFLINE, parent=router))

    grace = settings.RECONNECT_GRACE_S - 5

    assert why(alert) == ("parent", later(grace))
    assert why(alert, grace) is None


def test_a_terminal_that_announced_its_return_is_suppressed_until_then(fleet, rule):
    rebooting = fleet.with_presence(Presence.REBOOTING, back_at=later(90))
    alert = open_alert(rule, rebooting)

    assert [why(alert, at) for at in (0, 90)] == [("expected", later(90)), None]


def test_of_several_reasons_the_one_that_lasts_longest_is_returned(fleet, rule):
    alert = open_alert(rule, fleet.with_presence(Presence.REBOOTING, back_at=later(90)))
    plan_maintenance(fleet, alert)

    assert why(alert) == ("maintenance", later(HOUR))


def test_suppression_is_checked_again_soon_because_a_window_may_end_early(fleet, rule, terminal):
    alert = open_alert(rule, terminal)
    window = plan_maintenance(fleet, alert)
    before = suppressions([alert], at=AT)[alert.pk]

    services.end(window, by=fleet.person(), at=later(10))

    assert before.check_again_at(AT) == AT + CHECK_AGAIN
    assert why(alert, 10) is None


def test_many_alerts_cost_as_many_queries_as_one(fleet, rule, django_assert_max_num_queries):
    set_opening_hours(fleet, 9, 19)
    always, in_hours = rule, fleet.presence_rule(hours="open")
    terminals = fleet.terminals(200, presence="offline")
    lifecycle.trigger([triggered(each, terminal) for terminal in terminals for each in (always, in_hours)])
    plan_maintenance(fleet, Alert.objects.first())

    alerts = list(Alert.objects.all())

    with django_assert_max_num_queries(8):
        found = suppressions(alerts, at=later(60))

    assert len(found) == 2


class SlowNotifier:
    """A minimal notifier: check, wait until the next check, notify what is still unresolved."""

    def __init__(self, alert: Alert) -> None:
        self.alert = alert
        self.asks_at = AT
        self.notified_at: datetime | None = None

    def look(self, at: datetime) -> None:
        if self.notified_at is not None or at < self.asks_at:
            return
        if not Alert.objects.unresolved().filter(pk=self.alert.pk).exists():
            return
        found = suppressions([self.alert], at=at).get(self.alert.pk)
        if found is None:
            self.notified_at = at
        else:
            self.asks_at = found.until


WINDOWS = st.lists(st.tuples(st.integers(-30, 90), st.integers(1, 60)), max_size=3)
"""Minutes: from, and for how long."""


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(windows=WINDOWS, closed=st.booleans(), back=st.integers(0, 60), recovery=st.none() | st.integers(1, 120))
def test_nothing_is_notified_while_suppressed_and_always_if_unresolved_at_the_end(
    fleet, windows, closed, back, recovery
):
    OpeningHours.objects.all().delete()
    Window.objects.all().delete()
    if closed:
        set_opening_hours(fleet, 19, 18)  # closed for an hour from AT on
    rule = fleet.presence_rule(hours="open")
    terminal = fleet.with_presence(Presence.REBOOTING if back else Presence.OFFLINE, back_at=later(back * 60))
    lifecycle.trigger([triggered(rule, terminal, -1)])
    alert = Alert.objects.unresolved().get(terminal=terminal)
    for starts, minutes in windows:
        plan_maintenance(fleet, alert, starts=starts * 60, hours=minutes / 60)
    notifier = SlowNotifier(alert)

    for minute in range(121):
        if minute == recovery:
            lifecycle.clear([(rule.pk, terminal.pk)], at=later(minute * 60))
        notifier.look(later(minute * 60))

    def is_quiet(minute: int) -> bool:
        covered = any(starts <= minute < starts + length for starts, length in windows)
        return covered or (closed and minute < 60) or minute < back

    end = 121 if recovery is None else recovery
    first = next((minute for minute in range(end) if not is_quiet(minute)), None)
    assert notifier.notified_at == (None if first is None else later(first * 60))

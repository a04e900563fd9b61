"""What a moment says beside totals: scopes, one terminal, maintenance, limits."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.support import factories, people
from tests.support.alerts.events import open_alert
from tests.support.builders import AT, later
from tms.accounts.scope import Scope
from tms.alerts.maintenance import services
from tms.alerts.maintenance.services import WindowScope
from tms.alerts.models import Alert
from tms.fleet.models import Cause, Outage, Presence, PresenceChange, Terminal
from tms.fleet.models.outage import OutageCause
from tms.lib.calendar.recurrence import Recurrence
from tms.replay.state import Moment, earliest
from tms.telemetry.models import Boot, Report

pytestmark = [pytest.mark.both, pytest.mark.django_db]

DAY = timedelta(days=1)
TOKYO = ZoneInfo("Asia/Tokyo")


def moved(terminal, seconds, presence, before, **fields) -> PresenceChange:
    return PresenceChange.objects.create(
        terminal=terminal, at=later(seconds), presence=presence, before=before, **fields
    )


def created(*, at=AT - DAY) -> None:
    Terminal.objects.update(created_at=at)


@pytest.fixture
def shops(fleet):
    """One terminal in each of two sites, lost one after the other; with an alert each."""
    rule = fleet.presence_rule(severity="critical")
    terminals = [fleet.with_presence(Presence.OFFLINE, site=fleet.site(code)) for code in ("AAA", "BBB")]
    created()
    for index, terminal in enumerate(terminals):
        moved(terminal, 10 * index, Presence.OFFLINE, Presence.ONLINE, cause=Cause.CONNECTION_LOST)
        open_alert(rule, terminal)
    return terminals


def test_presences_of_every_instant(shops, based_on):
    a, b = (terminal.site_id for terminal in shops)
    based_on(now=later(60))

    counts = [Moment(later(seconds), now=later(60)).presence_counts for seconds in (-1, 5, 20)]

    assert counts == [
        {(a, "online", "kiosk"): 1, (b, "online", "kiosk"): 1},
        {(a, "offline", "kiosk"): 1, (b, "online", "kiosk"): 1},
        {(a, "offline", "kiosk"): 1, (b, "offline", "kiosk"): 1},
    ]


def test_a_moment_has_what_its_scope_covers(shops, fleet):
    one, other = shops
    scope = Scope(sites=frozenset({one.site_id}))

    moment = Moment(later(20), scope, now=later(60))

    assert moment.presence_counts == {(one.site_id, "offline", "kiosk"): 1}
    assert {row.terminal for row in moment.facts} == {one.pk}
    assert {key[0] for key in moment.alert_counts} == {one.site_id}
    assert moment.terminal(other) is None
    everything = Moment(later(20), now=later(60))
    (hidden,) = [row.pk for row in everything.facts if row.terminal == other.pk]
    assert moment.alert(hidden) is None
    assert moment.alerts([hidden]) == []


def test_a_terminal_that_did_not_exist_yet_is_not_there(fleet):
    terminal = fleet.terminal()
    created(at=later(10))

    assert Moment(later(5), now=later(60)).presence_counts == {}
    assert Moment(later(5), now=later(60)).terminal(terminal) is None
    assert Moment(later(15), now=later(60)).presence_counts == {(terminal.site_id, "never", "kiosk"): 1}


def test_a_terminal_at_an_instant(shops, fleet):
    terminal = shops[0]
    boot = Boot.objects.create(terminal=terminal, boot_id="b", first_seen_at=AT - DAY)
    for seq, (seconds, metrics) in enumerate(((-30, {"cpu_pct": 5}), (-20, {"paper_pct": 50}), (30, {"cpu_pct": 9}))):
        Report.objects.create(
            boot=boot, seq=seq, terminal=terminal, at=later(seconds), received_at=later(seconds), metrics=metrics
        )
    Outage.objects.create(
        terminal=terminal, began_at=AT, ended_at=later(40), cause=OutageCause.POWER, lost_by=Cause.CONNECTION_LOST
    )

    then = Moment(later(20), now=later(60)).terminal(terminal)

    assert (then.state.presence, then.state.presence_at, then.state.cause) == ("offline", AT, "connection_lost")
    assert then.state.metrics == {"cpu_pct": 5, "paper_pct": 50}
    assert then.state.last_seen_at == later(-20)
    assert (then.outage.ended_at, then.outage.cause) == (None, ""), "known only at its end"
    assert [alert.terminal.state.presence for alert in then.alerts] == ["offline"]
    assert Moment(later(50), now=later(60)).terminal(terminal).outage is None


@pytest.mark.parametrize("rule", ["", "FREQ=DAILY"])
def test_maintenance_that_was_active(shops, fleet, rule):
    """It was ended early."""
    one, other = shops
    recurrence = Recurrence(TOKYO, AT.astimezone(TOKYO).replace(tzinfo=None), timedelta(seconds=1800), rule)
    scope = WindowScope(sites=[one.site], terminals=[other])
    window = services.plan(recurrence, scope, note="", by=None, at=AT)
    services.end(window, by=fleet.person(), at=later(600))

    moment = Moment(later(20), now=later(3600))

    assert moment.maintenance_sites == {one.site_id: later(600)}
    assert moment.maintenance_count == 2
    assert [one.pk for one in moment.windows] == [window.pk]
    assert moment.terminal(other).maintenance == later(600)
    assert Moment(later(700), now=later(3600)).maintenance_count == 0


def test_what_is_not_known_is_said(shops, settings):
    settings.HISTORY_DAYS, settings.READINGS_DAYS = 30, 7

    def limits(days: int) -> list[str]:
        return [limit.code for limit in Moment(AT, now=AT + days * DAY).limits]

    assert limits(1) == ["fleet"]
    assert limits(8) == ["readings", "fleet"]
    assert limits(40) == ["history", "readings", "fleet"]
    assert Moment(AT, now=AT + 40 * DAY).presence_counts == {}
    assert earliest(AT) == AT - DAY


def test_an_alert_that_is_resolved_is_shown_as_it_was(shops, fleet):
    aiko = people.person("aiko")
    alert = Alert.objects.earliest("pk")
    factories.acknowledged(alert, by=aiko, comment="on it", at=later(30))
    factories.resolved(alert, at=later(40))

    then = [Moment(later(seconds), now=later(60)).alert(alert.pk) for seconds in (-5, 20, 35, 50)]

    assert then[0] is None
    assert [(one.state, one.comment) for one in then[1:]] == [
        ("open", ""), ("acknowledged", "on it"), ("resolved", "on it"),
    ]  # fmt: skip
    assert [one.acknowledged_by for one in then[1:]] == [None, aiko, aiko]

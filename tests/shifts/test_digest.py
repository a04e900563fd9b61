from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from tests.support import factories
from tests.support.builders import AT, later
from tms.accounts.access.owner_form import owner_of
from tms.alerts import lifecycle
from tms.alerts.maintenance import services
from tms.alerts.maintenance.services import WindowScope
from tms.alerts.models import Alert, Contract, Incident, Window
from tms.lib.calendar.recurrence import Recurrence
from tms.shifts import notes
from tms.shifts.digest import markdown
from tms.shifts.digest.digest import digest
from tms.shifts.models import SignOff
from tms.shifts.sign_offs import BadPeriod, sign_off

pytestmark = pytest.mark.both

HOUR = 3_600
TOKYO = ZoneInfo("Asia/Tokyo")


@pytest.fixture
def shift(mori):
    """The eight hours that begin at AT."""
    return lambda: digest(AT, later(8 * HOUR), to=mori)


def alert(fleet, seconds, **fields):
    return factories.alert(fleet, opened_at=later(seconds), **fields)


def acknowledge(alert, by, seconds, **terms):
    return factories.acknowledged(alert, by=by, comment=terms.pop("comment", ""), at=later(seconds), **terms)


def test_opened_and_resolved_alerts_are_one_line_per_rule_and_site(fleet, shift):
    rule = fleet.metric_rule(severity="warning", name="Hot")
    terminal = fleet.online(site=fleet.site("UMD", name="Umeda"))
    for n in range(3):
        factories.resolved(alert(fleet, n * HOUR, rule=rule, terminal=terminal), at=later(n * HOUR + 60))
    alert(fleet, 100, rule=rule, site=terminal.site)

    (change,) = shift().changes

    assert (change.site, change.rule) == ("Umeda", "Hot")
    assert (change.opened, change.closed, change.open, change.terminals) == (4, 3, 1, 2)


def test_alerts_outside_the_period_are_left_out(fleet, shift):
    factories.resolved(alert(fleet, -2 * HOUR), at=later(-HOUR))
    alert(fleet, 8 * HOUR)

    result = shift()

    assert (result.changes, result.open, result.totals.open) == ([], [], 0)


def test_alerts_resolved_within_but_opened_before_count_as_resolved(fleet, shift):
    factories.resolved(alert(fleet, -HOUR), at=later(HOUR))

    totals = shift().totals

    assert (totals.opened.total, totals.closed.total, totals.open) == (0, 1, 0)


def test_open_alerts_are_shown_as_at_the_end_of_the_shift(fleet, shift, sato):
    mine = alert(fleet, 10)
    acknowledge(mine, sato, 20, contract=Contract.TIME, until=later(9 * HOUR), comment="fan ordered")
    factories.resolved(mine, at=later(8.5 * HOUR))
    free = alert(fleet, 30)
    acknowledge(free, sato, 9 * HOUR)

    open_lines = {one.pk: one for one in shift().open}

    assert (open_lines[mine.pk].by.text, open_lines[mine.pk].until, open_lines[mine.pk].comment) == (
        "佐藤",
        later(9 * HOUR),
        "fan ordered",
    )
    assert open_lines[free.pk].by is None


def test_a_reopened_alert_is_unacknowledged(fleet, shift, sato):
    given = alert(fleet, 10)
    acknowledge(given, sato, 20)
    lifecycle.reopen(Alert.objects.filter(pk=given.pk), by=sato, comment="", at=later(30))

    result = shift()

    assert [one.by for one in result.open] == [None]
    assert result.totals.unacknowledged == 1


def test_the_worst_unacknowledged_alert_comes_first(fleet, shift, sato):
    warning = alert(fleet, 1, severity="warning")
    acknowledged_alert = alert(fleet, 2, severity="critical")
    acknowledge(acknowledged_alert, sato, 3)
    free = alert(fleet, 4, severity="critical")

    assert [one.pk for one in shift().open] == [free.pk, acknowledged_alert.pk, warning.pk]


def test_a_bulk_action_is_one_line(fleet, shift, sato):
    rule = fleet.metric_rule()
    terminal, *_ = [alert(fleet, n, rule=rule).terminal for n in range(3)]
    lifecycle.acknowledge(Alert.objects.all(), by=sato, comment="the switch", at=later(60))
    lifecycle.comment(Alert.objects.filter(terminal=terminal), by=sato, comment="it is replaced", at=later(90))

    actions = shift().actions

    assert [(action.kind, action.number, action.comment) for action in actions] == [
        ("acknowledged", 3, "the switch"),
        ("commented", 1, "it is replaced"),
    ]


def test_transitions_by_tms_itself_are_not_operator_actions(fleet, shift):
    factories.resolved(alert(fleet, 1), at=later(2))

    assert shift().actions == []


def plan(fleet, begins, *, hours=1, rule="", note="new fans"):
    starts_at = (AT + timedelta(hours=begins)).replace(tzinfo=None)
    recurrence = Recurrence(ZoneInfo("UTC"), starts_at, timedelta(hours=hours), rule)
    at = min(AT, AT + timedelta(hours=begins)) - timedelta(minutes=1)
    return services.plan(recurrence, WindowScope(sites=[fleet.site()]), note=note, by=fleet.person(), at=at)


def test_maintenance_of_the_shift_and_of_the_following_day_is_listed(fleet, shift):
    plan(fleet, -3)
    plan(fleet, -0.5, note="reaches in")
    plan(fleet, 2, rule="FREQ=DAILY", note="each day")
    plan(fleet, 8.5, note="soon")
    plan(fleet, 40)

    result = shift()

    assert [work.note for work in result.maintenance] == ["reaches in", "each day"]
    assert [work.note for work in result.upcoming_maintenance] == ["soon", "each day"]
    assert result.maintenance[0].covers == ("Site SJK",)


@pytest.mark.parametrize("rule", ["", "FREQ=DAILY"])
def test_maintenance_is_shown_for_as_long_as_it_lasted(fleet, shift, rule):
    extended, over = plan(fleet, -3, rule=rule, note="extended"), plan(fleet, -3, hours=6, rule=rule, note="over")
    early, cancelled = plan(fleet, 1, rule=rule, note="early"), plan(fleet, 5, rule=rule, note="cancelled")
    person = fleet.person()
    services.extend(extended, until=later(HOUR), by=person, at=later(-2.5 * HOUR))
    services.end(over, by=person, at=later(-2 * HOUR))
    services.cancel(cancelled, by=person, at=later(HOUR))
    services.end(early, by=person, at=later(HOUR + 600))

    assert [(work.note, work.until) for work in shift().maintenance] == [
        ("extended", later(HOUR)),
        ("early", later(HOUR + 600)),
    ]


def test_a_window_with_an_unreadable_rule_hides_no_other(fleet, shift):
    unreadable = plan(fleet, 1, rule="FREQ=DAILY", note="unreadable")
    Window.objects.filter(pk=unreadable.pk).update(rrule="FREQ=MONTHLY;BYDAY=22SU")
    plan(fleet, 2, note="other")

    assert "other" in [work.note for work in shift().maintenance]


def incident(fleet, begins_s, ends_s=None, **fields):
    site = fleet.site("UMD", name="Umeda")
    times = {"opened_at": later(begins_s), "unchanged_since": later(begins_s)}
    if ends_s is not None:
        times |= {"resolved_at": later(ends_s), "state": "resolved"}
    numbers = {"size": 8, "lost": 6, "joined_count": 6}
    return Incident.objects.create(
        factor="site", key=str(site.pk), site=site, severity="critical", **numbers, **times, **fields
    )


def test_unresolved_incidents_are_shown_as_at_the_end(fleet, shift, sato):
    incident(fleet, -9 * HOUR, -HOUR)
    incident(fleet, -HOUR, HOUR)
    incident(fleet, 2 * HOUR, 9 * HOUR, acknowledged_by=sato, acknowledged_at=later(3 * HOUR))

    result = shift()

    assert [(one.resolved_at, one.by and one.by.text) for one in result.incidents] == [
        (later(HOUR), None),
        (None, "佐藤"),
    ]
    assert "since 25 Nov 20:00, unresolved. Acknowledged by 佐藤." in markdown.markdown(result, TOKYO)


def test_an_unresolved_incident_is_one_line_without_its_alerts(fleet, shift):
    rule = fleet.metric_rule(name="Hot", severity="critical")
    unresolved = incident(fleet, HOUR)
    members = [alert(fleet, seconds, rule=rule) for seconds in (60, 61)]
    Alert.objects.filter(pk__in=[one.pk for one in members]).update(incident=unresolved)
    alert(fleet, 62, rule=rule)

    result = shift()

    assert (result.totals.open, result.totals.unacknowledged, len(result.open)) == (2, 2, 1)
    section = markdown.markdown(result, TOKYO).partition("## Unresolved\n\n")[2].partition("\n\n")[0]
    assert section.splitlines()[0].startswith(f"- Incident {unresolved.pk}: **Critical** Umeda")
    assert len(section.splitlines()) == 2


def test_notes_are_listed_in_their_order(shift, sato, mori):
    notes.write("router at Umeda", by=sato, at=later(60))
    notes.write("called the provider", by=mori, at=later(120))
    notes.write("of the next shift", by=mori, at=later(9 * HOUR))

    assert [(note.by.text, note.text) for note in shift().notes] == [
        ("佐藤", "router at Umeda"),
        ("R. Mori", "called the provider"),
    ]


def test_a_note_is_changed_and_deleted_only_by_its_author(sato, mori, shift):
    note = notes.write("first", by=sato, at=later(60))

    assert not notes.edit(note, "forged", by=mori, at=later(70))
    assert not notes.delete(note, by=mori)
    assert notes.edit(note, "second", by=sato, at=later(80))
    assert [(line.text, line.is_edited) for line in shift().notes] == [("second", True)]
    assert notes.delete(note, by=sato)
    assert shift().notes == []


def test_more_alerts_need_no_more_queries(fleet, shift, sato):
    def queries():
        with CaptureQueriesContext(connection) as asked:
            shift()
        return len(asked)

    acknowledge(alert(fleet, 1, site=fleet.site("A")), sato, 5)
    shift()  # reads the rights of the person
    few = queries()
    for code in "BCDE":
        acknowledge(alert(fleet, 1, site=fleet.site(code)), sato, 6)

    assert queries() == few


def test_markdown_uses_the_local_time_of_a_zone(fleet, shift, sato):
    terminal = fleet.online(uid="UMD-1", label="Kiosk *3*", site=fleet.site("UMD", name="Umeda"))
    acknowledged_alert = alert(fleet, 60, terminal=terminal, rule=fleet.metric_rule(name="Hot", severity="critical"))
    acknowledge(acknowledged_alert, sato, 120, comment="fan\nordered")
    notes.write("two\nlines", by=sato, at=later(60))

    text = markdown.markdown(shift(), TOKYO)

    assert "# Shift digest 25 Nov 18:00 – 26 Nov 02:00\n" in text
    assert "- Opened: 1 (Critical 1)\n" in text
    assert "- 25 Nov 18:01 佐藤: two\n  lines\n" in text
    assert (
        "- **Critical** Umeda: Hot, UMD-1 (Kiosk \\*3\\*), since 25 Nov 18:01. Acknowledged by 佐藤 until recovery."
        in text
    )
    assert "“fan ordered”\n" in text
    assert "## Maintenance\n\nNone.\n" in text


def test_a_japanese_digest_is_completely_japanese(fleet, shift):
    alert(fleet, 60, site=fleet.site("UMD", name="Umeda", name_ja="梅田"))

    with translation.override("ja"):
        text = markdown.markdown(shift(), TOKYO)

    assert "## 未解決" in text
    assert "梅田" in text


def test_alerts_during_maintenance_are_marked(fleet, shift):
    rule = fleet.metric_rule(name="Hot")
    quiet, loud = (alert(fleet, 10, rule=rule, site=fleet.site("UMD")) for _ in range(2))
    Alert.objects.filter(pk=quiet.pk).update(suppressed_at_open="maintenance")

    result = shift()

    assert {one.pk: one.is_suppressed for one in result.open} == {quiet.pk: True, loud.pk: False}
    assert [(one.opened, one.suppressed) for one in result.changes] == [(2, 1)]
    assert "Not notified: maintenance." in markdown.markdown(result, TOKYO)


def test_the_next_shift_signs_the_digest_off_once(shift, sato):
    for _ in range(2):
        sign_off(AT, later(8 * HOUR), by=sato, at=later(8 * HOUR + 60))

    (signed,) = shift().sign_offs

    assert (signed.by.text, signed.at) == ("佐藤", later(8 * HOUR + 60))
    assert "Signed off by 佐藤" in markdown.markdown(shift(), TOKYO)


def test_the_digest_is_signed_off_once_for_each_owner(fleet, sato):
    site = fleet.site("UMD", region="Kansai")
    owners = ("region:Kansai", f"site:{site.pk}", "everything")

    signed = [sign_off(AT, later(HOUR), by=sato, at=later(2 * HOUR), owner=owner) for owner in owners * 2]

    assert [owner_of(one).key for one in signed] == [*owners, *owners]
    assert SignOff.objects.count() == len(owners)


@pytest.mark.parametrize(("since", "until"), [(HOUR, 0), (0, 9 * HOUR), (-40 * 24 * HOUR, 0)])
def test_a_period_that_is_not_over_or_too_long_is_not_signed_off(sato, since, until):
    with pytest.raises(BadPeriod):
        sign_off(later(since), later(until), by=sato, at=later(8 * HOUR))

"""Undo of what a person did just now."""

import secrets
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.support import factories, people
from tests.support.factories import now
from tests.support.pages import HTMX_HEADERS, HtmlPage, undo_token
from tms.accounts import undo as undoing
from tms.accounts.models import AuditEntry
from tms.alerts import correlation, lifecycle
from tms.alerts.maintenance import services as windows
from tms.alerts.maintenance.services import WindowScope
from tms.alerts.models import Alert, Contract, Incident, Rule, Window
from tms.lib.calendar.recurrence import Recurrence
from tms.shifts.models import Note

pytestmark = pytest.mark.both


@pytest.fixture
def alert(fleet) -> Alert:
    return factories.alert(fleet)


@pytest.fixture
def incident(fleet) -> Incident:
    return factories.incident(fleet)


def done(browser, address: str, **fields) -> str:
    """Does it, and returns the token of its toast."""
    answer = browser.post(address, fields, headers=HTMX_HEADERS)
    assert answer.status_code == 200
    return undo_token(answer)


def undo(browser, token: str):
    return browser.post("/undo/", {"token": token}, headers=HTMX_HEADERS)


def test_a_quick_acknowledgement_lasts_until_recovery_and_is_undone(browser, alert, tanaka):
    token = done(browser, f"/alerts/{alert.pk}/acknowledge/")
    alert.refresh_from_db()
    assert (alert.acknowledged_by, alert.contract) == (tanaka, "recovery")

    answer = undo(browser, token)

    alert.refresh_from_db()
    assert alert.state == "open"
    assert "Acknowledgement undone" in HtmlPage(answer).text("toasts")


@pytest.mark.parametrize("address", ["/incidents/{pk}/acknowledge/", "/incidents/acknowledge/"])
def test_an_incident_is_unacknowledged_again_with_its_alerts(browser, incident, address):
    token = done(browser, address.format(pk=incident.pk), incident=incident.pk)

    undo(browser, token)

    incident.refresh_from_db()
    assert incident.state == "open"
    assert set(Alert.objects.values_list("state", flat=True)) == {"open"}


def test_many_alerts_are_as_before_snoozed_ones_too(browser, fleet, alert, tanaka):
    until = now(7_200)
    put_off = factories.alert(fleet, rule=alert.rule)
    lifecycle.snooze(Alert.objects.filter(pk=put_off.pk), until=until, by=tanaka, comment="", at=now())
    token = done(browser, "/alerts/acknowledge/", alert=[alert.pk, put_off.pk])

    undo(browser, token)

    alert.refresh_from_db()
    put_off.refresh_from_db()
    assert (alert.state, put_off.state, put_off.until) == ("open", "snoozed", until)


def test_a_snooze_is_undone(browser, alert):
    token = done(browser, f"/alerts/{alert.pk}/snooze/", lasts="3600")

    undo(browser, token)

    alert.refresh_from_db()
    assert alert.state == "open"


def test_what_another_person_had_acknowledged_is_acknowledged_again(browser, alert, sato):
    until = now(7_200)
    factories.acknowledged(alert, by=sato, comment="On my way", contract=Contract.TIME, until=until)
    token = done(browser, f"/alerts/{alert.pk}/snooze/", lasts="3600", comment="Later")

    undo(browser, token)

    alert.refresh_from_db()
    assert (alert.acknowledged_by, alert.contract, alert.until, alert.comment) == (sato, "time", until, "On my way")
    assert [(step.kind, step.by.username) for step in alert.transitions.all()[1:]] == [
        ("acknowledged", "sato"), ("snoozed", "tanaka"), ("withdrawn", "tanaka"), ("acknowledged", "sato"),
    ]  # fmt: skip
    restored = AuditEntry.objects.filter(action="acknowledged").latest("pk")
    assert (restored.actor.username, restored.changes["by"]) == ("tanaka", [None, "sato"])


@pytest.mark.parametrize("address", ["/incidents/{pk}/snooze/", "/incidents/snooze/"])
def test_an_incident_is_acknowledged_again_with_its_alerts(browser, incident, sato, address):
    correlation.acknowledge(incident, by=sato, comment="", at=now())
    token = done(browser, address.format(pk=incident.pk), incident=incident.pk, lasts="3600")

    undo(browser, token)

    incident.refresh_from_db()
    assert (incident.shown_state, incident.acknowledged_by) == ("acknowledged", sato)
    assert set(Alert.objects.values_list("state", "acknowledged_by")) == {("acknowledged", sato.pk)}


def test_what_changed_meanwhile_stays(browser, alert, sato):
    token = done(browser, f"/alerts/{alert.pk}/acknowledge/")
    lifecycle.assign(Alert.objects.filter(pk=alert.pk), to=sato, by=sato, comment="", at=now())

    answer = undo(browser, token)

    alert.refresh_from_db()
    assert alert.acknowledged_by == sato
    assert "Nothing to undo" in HtmlPage(answer).text("toasts")


def test_what_another_person_snoozed_meanwhile_stays(browser, alert, sato):
    token = done(browser, f"/alerts/{alert.pk}/snooze/", lasts="3600")
    lifecycle.snooze(Alert.objects.filter(pk=alert.pk), until=now(7_200), by=sato, comment="", at=now())

    answer = undo(browser, token)

    alert.refresh_from_db()
    assert alert.state == "snoozed"
    assert "Nothing to undo" in HtmlPage(answer).text("toasts")


def test_an_undo_belongs_to_the_person_who_acted_and_to_the_release(browser, client, alert, tanaka, sato):
    token = done(browser, f"/alerts/{alert.pk}/acknowledge/")
    other = undoing.offer("of-another-release", {"pks": [alert.pk]}, by=tanaka)
    client.force_login(sato)

    for holder, text in ((client, token), (browser, token + "x"), (browser, ""), (browser, other)):
        assert "Too late to undo this." in HtmlPage(undo(holder, text)).text("toasts")
    alert.refresh_from_db()
    assert alert.state == "acknowledged"


def test_a_token_that_no_form_has_room_for_is_not_offered(tanaka):
    assert undoing.offer("alerts-before", {"text": secrets.token_hex(undoing.MAX_TOKEN_CHARACTERS)}, by=tanaka) == ""


def test_an_undo_needs_the_permission(browser, alert, tanaka):
    token = done(browser, f"/alerts/{alert.pk}/acknowledge/")
    tanaka.grants.all().delete()
    people.grant(tanaka, "Viewer")

    undo(browser, token)

    alert.refresh_from_db()
    assert alert.state == "acknowledged"


@pytest.mark.parametrize("action", ["claim", "comment"])
def test_other_actions_offer_no_undo(browser, alert, action):
    assert done(browser, f"/alerts/{alert.pk}/{action}/", comment="x") == ""


# Plain forms: the toast is on the page that follows.


def token_after(browser, address: str, **fields) -> str:
    answer = browser.post(address, fields, follow=True)
    token = undo_token(answer)
    assert token, answer.content.decode()[:500]
    return token


@pytest.fixture
def window(fleet, tanaka) -> Window:
    recurrence = Recurrence(ZoneInfo("UTC"), now(-60).replace(tzinfo=None, microsecond=0), timedelta(hours=1))
    return windows.plan(recurrence, WindowScope(sites=[fleet.site()]), note="Switch", by=tanaka, at=now())


def test_a_cancelled_window_is_planned_again(browser, window):
    token = token_after(browser, f"/maintenance/{window.pk}/cancel/")
    window.refresh_from_db()
    assert window.ended_at is not None

    undo(browser, token)

    window.refresh_from_db()
    assert window.ended_at is None


def test_a_window_that_was_just_planned_is_cancelled(browser, fleet):
    fleet.terminal(uid="T-9")
    times = {"starts_at": f"{now(3_600):%Y-%m-%dT%H:%M}", "ends_at": f"{now(7_200):%Y-%m-%dT%H:%M}"}
    fields = {"note": "Switch", "time_zone": "UTC", "repeats": "once", "terminals": "T-9", **times}
    token = token_after(browser, "/maintenance/new/", **fields)
    assert Window.objects.current().count() == 1

    undo(browser, token)

    assert Window.objects.current().count() == 0


def test_a_deleted_rule_is_evaluated_again(browser, fleet, tanaka):
    people.make_superuser(tanaka)
    rule = fleet.metric_rule()
    token = token_after(browser, f"/rules/{rule.pk}/delete/")
    rule.refresh_from_db()
    assert rule.deleted_at is not None

    undo(browser, token)

    rule.refresh_from_db()
    assert (rule.deleted_at, rule.enabled) == (None, True)


def test_a_rule_whose_name_is_taken_stays_deleted(browser, fleet, tanaka):
    people.make_superuser(tanaka)
    rule = fleet.metric_rule()
    token = token_after(browser, f"/rules/{rule.pk}/delete/")
    Rule.objects.filter(pk=fleet.event_rule().pk).update(name=rule.name)

    answer = undo(browser, token)

    rule.refresh_from_db()
    assert rule.deleted_at is not None
    assert "Nothing to undo" in HtmlPage(answer).text("toasts")


def test_a_deleted_note_is_back_with_its_time(browser, tanaka):
    note = Note.objects.create(by=tanaka, at=now(-600), text="Quiet night")
    token = token_after(browser, f"/digest/notes/{note.pk}/delete/")
    assert not Note.objects.exists()

    undo(browser, token)
    undo(browser, token)

    assert [(row.text, row.at) for row in Note.objects.all()] == [("Quiet night", note.at)]

"""Incidents over the API: read, and acknowledged with all of its alerts."""

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.support.rest import invalid_fields, problem_of
from tms.alerts.models import Alert, Incident

pytestmark = pytest.mark.both


@pytest.fixture
def incident(storm) -> Incident:
    terminals = storm.shop("SJK", 5)
    storm.lose(terminals[:4], seconds=60)
    return Incident.objects.get()


def test_an_incident_is_returned_with_its_history_and_its_alerts(watcher, incident):
    result = watcher.get(f"/incidents/{incident.pk}").json()
    alerts = watcher.get("/alerts", {"incident": incident.pk}).json()["items"]

    assert (result["factor"], result["site"], result["lost"], result["size"]) == ("site", "SJK", 4, 5)
    assert (result["state"], result["severity"], result["open_count"]) == ("open", "critical", 4)
    assert result["history"][0]["kind"] == "opened"
    assert [alert["incident"] for alert in alerts] == [incident.pk] * 4


def test_incidents_are_filtered(watcher, incident):
    def number(**query):
        return len(watcher.get("/incidents", query).json()["items"])

    assert number() == number(state="open") == number(site="SJK") == number(factor="site", severity="critical") == 1
    assert number(state="resolved") == number(site="OSK") == number(factor="node") == 0


def test_an_incident_is_acknowledged_with_all_of_its_alerts_and_reopened(watcher, editor, incident):
    path = f"/incidents/{incident.pk}"

    taken = watcher.post(f"{path}/acknowledge", {"comment": "mine", "version": incident.version})
    second = editor.post(f"{path}/acknowledge", {})
    changed = watcher.post(f"{path}/change-acknowledgement", {"contract": "worse"})
    message = watcher.post(f"{path}/comment", {"comment": "hm"})
    stale = watcher.post(f"{path}/reopen", {"version": incident.version})
    states = set(Alert.objects.values_list("state", flat=True))
    given = watcher.post(f"{path}/reopen", {})

    assert (taken.json()["state"], taken.json()["acknowledged_by"]) == ("acknowledged", "aiko")
    assert problem_of(second) == (409, "tms:already-acknowledged")
    assert (changed.json()["contract"], message.json()["comment"]) == ("worse", "hm")
    assert problem_of(stale) == (409, "tms:changed-meanwhile")
    assert states == {"acknowledged"}
    assert given.json()["state"] == "open"
    assert set(Alert.objects.values_list("state", flat=True)) == {"open"}


def test_an_incident_is_claimed(watcher, incident):
    claimed = watcher.post(f"/incidents/{incident.pk}/claim", {"version": incident.version})
    released = watcher.post(f"/incidents/{incident.pk}/unclaim", {"version": incident.version})

    assert (claimed.json()["claimed_by"], claimed.json()["state"]) == ("aiko", "open")
    assert claimed.json()["claimed_until"]
    assert (released.json()["claimed_by"], released.json()["claimed_until"]) == (None, None)


def test_actions_that_do_not_apply_are_refused(watcher, incident):
    for action in ("change-acknowledgement", "reopen"):
        assert problem_of(watcher.post(f"/incidents/{incident.pk}/{action}", {})) == (409, "tms:not-applicable")
    assert invalid_fields(watcher.post(f"/incidents/{incident.pk}/acknowledge", {"contract": "time"})) == ["$.until"]
    assert problem_of(watcher.post("/incidents/999999/comment", {"comment": "x"})) == (404, "tms:not-found")


def test_a_resolved_incident_is_not_changed(watcher, incident):
    Incident.objects.update(state="resolved", resolved_at=incident.opened_at)

    for action, terms in (("acknowledge", {}), ("reopen", {}), ("comment", {"comment": "x"})):
        answer = watcher.post(f"/incidents/{incident.pk}/{action}", terms)
        assert problem_of(answer) == (409, "tms:already-resolved")


def test_an_incident_is_snoozed_assigned_and_reopened(watcher, incident):
    path, until = f"/incidents/{incident.pk}", (timezone.now() + timedelta(hours=1)).isoformat()

    asleep = watcher.post(f"{path}/snooze", {"until": until, "comment": "at night"}).json()
    listed = watcher.get("/incidents", {"state": "snoozed"}).json()["items"]
    awake = watcher.post(f"{path}/reopen", {}).json()
    assigned = watcher.post(f"{path}/assign", {"to": "aiko"}).json()
    resolved = watcher.post(f"{path}/resolve", {})

    assert (asleep["state"], asleep["comment"], [row["id"] for row in listed]) == ("snoozed", "at night", [incident.pk])
    assert (awake["state"], assigned["assigned_to"], assigned["state"]) == ("open", "aiko", "open")
    assert problem_of(resolved) == (409, "tms:not-applicable")


def test_incidents_are_merged_and_alerts_moved_out(watcher, storm, incident):
    storm.lose(storm.shop("UMD", 5), seconds=60)
    other = Incident.objects.unresolved().exclude(pk=incident.pk).get()
    alert = Alert.objects.filter(incident=incident).first()

    merged = watcher.post(f"/incidents/{incident.pk}/merge", {"incidents": [other.pk], "comment": "one switch"}).json()
    part = watcher.get(f"/incidents/{other.pk}").json()
    moved = watcher.post(f"/incidents/{incident.pk}/move-out", {"alerts": [alert.pk]}).json()
    unknown = watcher.post(f"/incidents/{incident.pk}/merge", {"incidents": [4711]})

    assert (merged["lost"], merged["comment"], part["merged_into"]) == (9, "one switch", incident.pk)
    assert (moved["lost"], moved["joined_count"]) == (8, 8)
    assert unknown.status_code == 404

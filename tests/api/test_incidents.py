"""Incidents over the API: one is read and taken for all of its alerts."""

import pytest

from tests.support.rest import invalid_fields, problem_of
from tms.alerts.models import Alert, Incident

pytestmark = pytest.mark.both


@pytest.fixture
def incident(storm) -> Incident:
    terminals = storm.shop("SJK", 5)
    storm.lose(terminals[:4], seconds=60)
    return Incident.objects.get()


def test_an_incident_is_told_with_its_history_and_its_alerts(watcher, incident):
    told = watcher.get(f"/incidents/{incident.pk}").json()
    alerts = watcher.get("/alerts", {"incident": incident.pk}).json()["items"]

    assert (told["factor"], told["site"], told["lost"], told["size"]) == ("site", "SJK", 4, 5)
    assert (told["state"], told["severity"], told["open_count"]) == ("open", "critical", 4)
    assert told["history"][0]["kind"] == "opened"
    assert [alert["incident"] for alert in alerts] == [incident.pk] * 4


def test_incidents_are_filtered(watcher, incident):
    def number(**query):
        return len(watcher.get("/incidents", query).json()["items"])

    assert number() == number(state="open") == number(site="SJK") == number(factor="site", severity="critical") == 1
    assert number(state="resolved") == number(site="OSK") == number(factor="node") == 0


def test_an_incident_is_taken_with_all_of_its_alerts_and_given_back(watcher, editor, incident):
    path = f"/incidents/{incident.pk}"

    taken = watcher.post(f"{path}/acknowledge", {"comment": "mine", "version": incident.version})
    second = editor.post(f"{path}/acknowledge", {})
    changed = watcher.post(f"{path}/change-acknowledgement", {"contract": "worse"})
    said = watcher.post(f"{path}/comment", {"comment": "hm"})
    stale = watcher.post(f"{path}/reopen", {"version": incident.version})
    held = set(Alert.objects.values_list("state", flat=True))
    given = watcher.post(f"{path}/reopen", {})

    assert (taken.json()["state"], taken.json()["acknowledged_by"]) == ("acknowledged", "aiko")
    assert problem_of(second) == (409, "tms:already-acknowledged")
    assert (changed.json()["contract"], said.json()["comment"]) == ("worse", "hm")
    assert problem_of(stale) == (409, "tms:changed-meanwhile")
    assert held == {"acknowledged"}
    assert given.json()["state"] == "open"
    assert set(Alert.objects.values_list("state", flat=True)) == {"open"}


def test_somebody_takes_a_look_and_says_so(watcher, incident):
    claimed = watcher.post(f"/incidents/{incident.pk}/claim", {"version": incident.version})
    released = watcher.post(f"/incidents/{incident.pk}/unclaim", {"version": incident.version})

    assert (claimed.json()["claimed_by"], claimed.json()["state"]) == ("aiko", "open")
    assert claimed.json()["claimed_until"]
    assert (released.json()["claimed_by"], released.json()["claimed_until"]) == (None, None)


def test_what_does_not_suit_is_refused(watcher, incident):
    for action in ("change-acknowledgement", "reopen"):
        assert problem_of(watcher.post(f"/incidents/{incident.pk}/{action}", {})) == (409, "tms:not-applicable")
    assert invalid_fields(watcher.post(f"/incidents/{incident.pk}/acknowledge", {"contract": "time"})) == ["$.until"]
    assert problem_of(watcher.post("/incidents/999999/comment", {"comment": "x"})) == (404, "tms:not-found")


def test_what_is_over_stays_over(watcher, incident):
    Incident.objects.update(state="resolved", resolved_at=incident.opened_at)

    for action, terms in (("acknowledge", {}), ("reopen", {}), ("comment", {"comment": "x"})):
        answer = watcher.post(f"/incidents/{incident.pk}/{action}", terms)
        assert problem_of(answer) == (409, "tms:already-resolved")

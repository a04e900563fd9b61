"""The shift digest, and notes for the next shift, over the API."""

from datetime import timedelta

import pytest

from tests.support import factories
from tests.support.builders import later, now
from tests.support.rest import invalid_fields, problem_of
from tms.shifts.models import Note

pytestmark = pytest.mark.both


@pytest.fixture
def busy(fleet) -> None:
    """An alert that opened an hour ago, and was acknowledged."""
    opened_at = now() - timedelta(hours=1)
    alert = factories.alert(fleet, opened_at=opened_at)
    factories.acknowledged(alert, by=fleet.person("ken"), comment="on it", at=opened_at + timedelta(minutes=1))


def test_the_digest_contains_past_and_open_alerts(watcher, busy):
    watcher.post("/notes", {"text": "mind the gate"})

    result = watcher.get("/digest").json()

    assert (result["totals"]["opened"]["total"], result["totals"]["open"], result["totals"]["unacknowledged"]) == (
        1,
        1,
        0,
    )
    assert [(one["by"], one["contract"]) for one in result["open"]] == [("ken", "recovery")]
    assert [(action["kind"], action["comment"]) for action in result["actions"]] == [("acknowledged", "on it")]
    assert [(note["by"], note["text"]) for note in result["notes"]] == [("aiko", "mind the gate")]
    assert (len(result["changes"]), result["incidents"]) == (1, [])


def test_the_digest_contains_incidents(watcher, storm):
    storm.lose(storm.shop("SJK", 5)[:4], seconds=60)

    result = watcher.get("/digest", {"until": later(3_600).isoformat()}).json()

    assert [(one["severity"], one["resolved_at"]) for one in result["incidents"]] == [("critical", None)]


def test_the_digest_covers_the_requested_period(watcher, busy):
    until = (now() - timedelta(hours=2)).isoformat()

    result = watcher.get("/digest", {"until": until}).json()

    assert result["totals"]["opened"]["total"] == 0


@pytest.mark.parametrize(
    "span",
    [
        {"since": "2026-11-25T09:00:00Z", "until": "2026-11-25T09:00:00Z"},
        {"since": "2026-01-01T00:00:00Z", "until": "2026-03-01T00:00:00Z"},
        {"since": "2026-11-25T09:00:00"},
    ],
)
def test_an_invalid_period_is_refused(watcher, span):
    assert invalid_fields(watcher.get("/digest", span)) == ["?since"]


def test_a_note_is_changed_and_deleted_by_its_author(watcher, editor):
    made = watcher.post("/notes", {"text": "one"})
    path = made["Location"]

    for method in ("PATCH", "DELETE"):
        assert problem_of(editor.send(method, path, {"text": "two"})) == (404, "tms:not-found")
    changed = watcher.send("PATCH", path, {"text": "two"}).json()

    assert (made.status_code, changed["text"], changed["is_edited"]) == (201, "two", True)
    assert watcher.send("DELETE", path).status_code == 204
    assert not Note.objects.exists()
    assert invalid_fields(watcher.post("/notes", {"text": " "})) == ["$.text"]

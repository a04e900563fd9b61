"""`/health/`: well, or in words what is not."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, InterfaceError, connections

from tests.builders import now
from tms.live.hub import hub
from tms.ops import beats
from tms.ops.models import Beat

pytestmark = pytest.mark.both


@pytest.fixture
def well(db):
    beats.beat(beats.CLOCK, at=now())


def checks_of(answer) -> dict[str, str]:
    assert answer["content-type"] == "application/json"
    assert "no-store" in answer["cache-control"]
    return answer.json()["checks"]


def test_a_tms_in_which_all_is_well_says_so(well, client, settings):
    answer = client.get("/health/")

    assert answer.status_code == 200
    assert answer.json() == {
        "well": True,
        "node": settings.NODE,
        "checks": {"database": "ok", "feed": "ok", "clock": "ok", "node": "ok"},
    }


def test_a_clock_that_stopped_is_unwell(well, client):
    Beat.objects.update(at=now() - timedelta(seconds=42))

    answer = client.get("/health/")

    assert answer.status_code == 503
    assert checks_of(answer)["clock"] == "last ran 42 s ago"


def test_a_clock_that_never_ran_is_unwell(db, client):
    answer = client.get("/health/")

    assert answer.status_code == 503
    assert checks_of(answer)["clock"].startswith("never ran")


@pytest.mark.parametrize("error", [DatabaseError("secret details"), InterfaceError("secret details")])
def test_a_database_that_does_not_answer_is_unwell_and_nothing_more_is_told(well, client, monkeypatch, error):
    def away(*args):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(connections["default"], "cursor", away)
        answer = client.get("/health/")

    assert answer.status_code == 503
    assert checks_of(answer)["database"] == f"no answer: {type(error).__name__}"
    assert checks_of(answer)["clock"] == f"unknown: {type(error).__name__}"
    assert b"secret" not in answer.content


@pytest.fixture
def listening(monkeypatch):
    """This process has sockets, so it listens."""
    monkeypatch.setattr(hub, "_task", object())


def test_a_feed_that_could_not_be_subscribed_to_is_unwell(well, client, listening, monkeypatch):
    monkeypatch.setattr(hub, "subscribed", False)

    answer = client.get("/health/")

    assert (answer.status_code, checks_of(answer)["feed"]) == (503, "not subscribed")


def test_a_feed_that_fell_silent_is_unwell(well, client, listening, monkeypatch):
    monkeypatch.setattr(hub, "subscribed", True)
    monkeypatch.setattr(hub, "heard_at", 1e-9)

    answer = client.get("/health/")

    assert answer.status_code == 503
    assert checks_of(answer)["feed"].startswith("nothing heard for ")


def test_a_feed_that_is_heard_is_well(well, client, listening, monkeypatch):
    monkeypatch.setattr(hub, "subscribed", True)
    monkeypatch.setattr(hub, "heard_at", 0.0)

    assert client.get("/health/").status_code == 200


def test_a_beat_is_kept_once_and_by_the_last_who_gave_it(db, settings):
    beats.beat(beats.CLOCK, at=now())
    settings.NODE = "other"
    at = now()
    beats.beat(beats.CLOCK, at=at)

    assert list(Beat.objects.values_list("name", "node", "at")) == [("clock", "other", at)]
    assert beats.late_by(beats.CLOCK, at=at + timedelta(seconds=3)) == timedelta(seconds=3)


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_it_can_only_be_read(well, client, method):
    assert getattr(client, method)("/health/").status_code == 405

"""`/health/`: well, or in words what is not."""

import re
from datetime import timedelta

import pytest
from django.db import DatabaseError, InterfaceError, OperationalError, connections

from tests.support.builders import now
from tms.feed.hub import hub
from tms.ops.health import heartbeats, report
from tms.ops.models import Heartbeat, LoopSuccess

pytestmark = [pytest.mark.both, pytest.mark.embedded]


@pytest.fixture
def well(db):
    heartbeats.record(heartbeats.CLOCK, at=now())


def checks_of(answer) -> dict[str, str]:
    assert answer["content-type"] == "application/json"
    assert "no-store" in answer["cache-control"]
    return answer.json()["checks"]


def test_a_tms_in_which_all_is_well_says_so(well, client, settings):
    answer = client.get("/health/?strict")

    assert answer.status_code == 200
    assert answer.json() == {
        "live": True,
        "well": True,
        "node": settings.NODE,
        "checks": {"database": "ok", "clock": "ok", "loops": "ok", "feed": "ok", "node": "ok"},
    }


def test_a_clock_that_stopped_is_unwell(well, client):
    Heartbeat.objects.update(at=now() - timedelta(seconds=42))

    answer = client.get("/health/?strict")

    assert answer.status_code == 503
    assert checks_of(answer)["clock"] == "last ran 42 s ago"


def test_a_clock_that_never_ran_is_unwell(db, client):
    answer = client.get("/health/?strict")

    assert answer.status_code == 503
    assert checks_of(answer)["clock"].startswith("never ran")


@pytest.mark.parametrize("error", [DatabaseError("secret details"), InterfaceError("secret details")])
def test_a_database_that_does_not_answer_is_unwell_and_nothing_more_is_told(well, client, monkeypatch, error):
    def away(*args):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(connections["default"], "cursor", away)
        answer = client.get("/health/?strict")

    assert answer.status_code == 503
    assert checks_of(answer)["database"] == f"no response: {type(error).__name__}"
    assert checks_of(answer)["clock"] == f"unknown: {type(error).__name__}"
    assert b"secret" not in answer.content


@pytest.fixture
def listening(monkeypatch):
    """This process has sockets, so it listens."""
    monkeypatch.setattr(hub(), "_task", object())


def test_a_feed_that_could_not_be_subscribed_to_is_unwell(well, client, listening, monkeypatch):
    monkeypatch.setattr(hub(), "subscribed", False)

    answer = client.get("/health/?strict")

    assert (answer.status_code, checks_of(answer)["feed"]) == (503, "not subscribed")


def test_a_feed_that_fell_silent_is_unwell(well, client, listening, monkeypatch):
    monkeypatch.setattr(hub(), "subscribed", True)
    monkeypatch.setattr(hub(), "heard_at", 1e-9)

    answer = client.get("/health/?strict")

    assert answer.status_code == 503
    assert checks_of(answer)["feed"].startswith("no message for ")


def test_a_feed_that_is_heard_is_well(well, client, listening, monkeypatch):
    monkeypatch.setattr(hub(), "subscribed", True)
    monkeypatch.setattr(hub(), "heard_at", 0.0)

    assert client.get("/health/?strict").status_code == 200


def test_a_beat_is_kept_once_and_by_the_last_who_gave_it(db, settings):
    heartbeats.record(heartbeats.CLOCK, at=now())
    settings.NODE = "other"
    at = now()
    heartbeats.record(heartbeats.CLOCK, at=at)

    assert list(Heartbeat.objects.values_list("name", "node", "at")) == [("clock", "other", at)]
    assert heartbeats.late_by(heartbeats.CLOCK, at=at + timedelta(seconds=3)) == timedelta(seconds=3)


# Liveness


@pytest.mark.parametrize("query", ["", "?strict", "?strict=1", "?other"])
def test_liveness_is_of_this_process_and_readiness_of_the_parts_too(well, client, monkeypatch, query):
    def away(*args):
        raise OperationalError("secret details")

    with monkeypatch.context() as patch:
        patch.setattr(connections["default"], "cursor", away)
        answer = client.get(f"/health/{query}")

    assert answer.status_code == (503 if "strict" in query else 200)
    assert (answer.json()["live"], answer.json()["well"]) == (True, False)
    assert checks_of(answer)["database"] == "no response: OperationalError"


class Serving:
    def __init__(self, *, draining: bool = False, is_ready: bool = True) -> None:
        self.draining, self.is_ready = draining, is_ready


@pytest.mark.parametrize(
    ("server", "status"), [(Serving(), 200), (Serving(draining=True), 503), (Serving(is_ready=False), 503)]
)
def test_a_process_that_drains_or_is_not_ready_yet_is_not_live(well, client, monkeypatch, server, status):
    monkeypatch.setattr(report, "_servers", [])
    report.watch_server(server)

    assert client.get("/health/").status_code == client.get("/health/?strict").status_code == status


def test_a_process_whose_event_loop_is_stuck_is_not_live(well, client, monkeypatch):
    seconds = Seconds()
    turns = report.LoopTurns(seconds)
    monkeypatch.setattr(report, "_turns", [turns])
    statuses = []

    for _ in range(2):
        seconds.at += report.LOOP_STUCK_AFTER_S
        statuses.append(client.get("/health/").status_code)
    turns.turned()
    statuses.append(client.get("/health/").status_code)

    assert statuses == [200, 503, 200]


# What is asked in the background


class Seconds:
    def __init__(self) -> None:
        self.at = 1_000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def watch(well, monkeypatch) -> report.DatabaseWatch:
    """One that asks when the test says so."""
    watch = report.DatabaseWatch(Seconds())
    monkeypatch.setattr(report, "_watches", [watch])
    monkeypatch.setattr(report.connection, "close", lambda: None)
    return watch


def test_a_request_asks_the_database_nothing(watch, client, django_assert_num_queries):
    watch.ask()

    with django_assert_num_queries(0):
        assert client.get("/health/?strict").status_code == 200


def test_a_database_that_hangs_shows_within_ten_seconds_and_no_request_waits_for_it(watch, client):
    watch.ask()
    watch._monotonic.at += report.NO_ANSWER_AFTER_S + 0.5

    answer = client.get("/health/?strict")

    assert report.NO_ANSWER_AFTER_S + report.CHECK_EVERY_S <= 10
    assert (answer.status_code, client.get("/health/").status_code) == (503, 200)
    assert checks_of(answer)["database"] == "no response for 8 s"
    assert checks_of(answer)["clock"] == "unknown"


def test_a_process_is_not_well_before_the_database_was_asked(watch, client):
    assert client.get("/health/?strict").status_code == 503
    assert client.get("/health/").status_code == 200


def test_the_thread_that_asks_outlives_whatever_it_meets(watch, monkeypatch, caplog):
    with monkeypatch.context() as patch:
        patch.setattr(report, "loops", lambda at: 1 / 0)
        watch.ask()
        found = watch.parts()["database"]
    watch.ask()

    assert (found, watch.parts()["database"]) == ("unknown: ZeroDivisionError", "ok")
    caplog.clear()


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_a_database_that_takes_no_writes_is_unwell():
    with connections["default"].cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
        try:
            found = report.database(now())
        finally:
            cursor.execute("SET default_transaction_read_only = off")

    assert found == "read-only: InternalError"


@pytest.mark.parametrize(("sqlstate", "said"), [("53100", "disk full"), ("25006", "read-only"), (None, "no response")])
def test_what_is_wrong_with_the_database_is_told_by_its_code(sqlstate, said):
    error = OperationalError()
    error.__cause__ = type("Cause", (Exception,), {"sqlstate": sqlstate})()

    assert report.trouble(error) == said


def test_a_loop_of_the_clock_that_does_not_succeed_any_more_is_named(well, client):
    at = now()
    rows = [("sweep", 19, 20), ("roll_up", 1_000, 900), ("outbox", 42, 20)]
    for name, age_s, limit_s in rows:
        LoopSuccess.objects.record({name: limit_s}, node="a", at=at - timedelta(seconds=age_s))

    answer = client.get("/health/?strict")

    assert answer.status_code == 503
    assert re.fullmatch(r"outbox: no success for 4\d s; roll_up: no success for 100\d s", checks_of(answer)["loops"])


def test_a_part_that_only_this_process_knows_of_is_told(well, client, monkeypatch):
    monkeypatch.setattr(report, "_added", {})
    report.add_check("ingest", lambda at: "no commit for 7 s while 3 items wait")

    answer = client.get("/health/?strict")

    assert (answer.status_code, checks_of(answer)["ingest"]) == (503, "no commit for 7 s while 3 items wait")


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_it_can_only_be_read(well, client, method):
    assert getattr(client, method)("/health/").status_code == 405

"""`/health/`: `ok`, or a description of the problem."""

import re
from datetime import timedelta

import pytest
from django.db import DatabaseError, InterfaceError, OperationalError, connections

from tests.support.builders import now
from tms.feed.hub import hub
from tms.ops.health import checks, heartbeats
from tms.ops.models import Heartbeat, LoopSuccess

pytestmark = [pytest.mark.both, pytest.mark.embedded]


@pytest.fixture
def healthy(db):
    heartbeats.record(heartbeats.CLOCK, at=now())


def checks_of(answer) -> dict[str, str]:
    assert answer["content-type"] == "application/json"
    assert "no-store" in answer["cache-control"]
    return answer.json()["checks"]


def test_a_healthy_tms_is_reported_as_such(healthy, client, settings):
    answer = client.get("/health/?strict")

    assert answer.status_code == 200
    assert answer.json() == {
        "live": True,
        "healthy": True,
        "node": settings.NODE,
        "checks": {"database": "ok", "clock": "ok", "loops": "ok", "feed": "ok", "node": "ok"},
    }


def test_a_stopped_clock_is_reported(healthy, client):
    Heartbeat.objects.update(at=now() - timedelta(seconds=42))

    answer = client.get("/health/?strict")

    assert answer.status_code == 503
    assert checks_of(answer)["clock"] == "last ran 42 s ago"


def test_a_clock_that_never_ran_is_reported(db, client):
    answer = client.get("/health/?strict")

    assert answer.status_code == 503
    assert checks_of(answer)["clock"].startswith("never ran")


@pytest.mark.parametrize("error", [DatabaseError("secret details"), InterfaceError("secret details")])
def test_an_unavailable_database_is_reported_without_details(healthy, client, monkeypatch, error):
    def unavailable(*args):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(connections["default"], "cursor", unavailable)
        answer = client.get("/health/?strict")

    assert answer.status_code == 503
    assert checks_of(answer)["database"] == f"no response: {type(error).__name__}"
    assert checks_of(answer)["clock"] == f"unknown: {type(error).__name__}"
    assert b"secret" not in answer.content


@pytest.fixture
def listening(monkeypatch):
    """This process has sockets, so it subscribes to the feed."""
    monkeypatch.setattr(hub(), "_task", object())


def test_a_failed_subscription_is_reported(healthy, client, listening, monkeypatch):
    monkeypatch.setattr(hub(), "subscribed", False)

    answer = client.get("/health/?strict")

    assert (answer.status_code, checks_of(answer)["feed"]) == (503, "not subscribed")


def test_a_silent_feed_is_reported(healthy, client, listening, monkeypatch):
    monkeypatch.setattr(hub(), "subscribed", True)
    monkeypatch.setattr(hub(), "received_at", 1e-9)

    answer = client.get("/health/?strict")

    assert answer.status_code == 503
    assert checks_of(answer)["feed"].startswith("no message for ")


def test_a_working_feed_is_ok(healthy, client, listening, monkeypatch):
    monkeypatch.setattr(hub(), "subscribed", True)
    monkeypatch.setattr(hub(), "received_at", 0.0)

    assert client.get("/health/?strict").status_code == 200


def test_a_heartbeat_is_stored_once_and_by_its_last_sender(db, settings):
    heartbeats.record(heartbeats.CLOCK, at=now())
    settings.NODE = "other"
    at = now()
    heartbeats.record(heartbeats.CLOCK, at=at)

    assert list(Heartbeat.objects.values_list("name", "node", "at")) == [("clock", "other", at)]
    assert heartbeats.late_by(heartbeats.CLOCK, at=at + timedelta(seconds=3)) == timedelta(seconds=3)


# Liveness


@pytest.mark.parametrize("query", ["", "?strict", "?strict=1", "?other"])
def test_liveness_is_about_this_process_and_readiness_includes_its_dependencies(healthy, client, monkeypatch, query):
    def unavailable(*args):
        raise OperationalError("secret details")

    with monkeypatch.context() as patch:
        patch.setattr(connections["default"], "cursor", unavailable)
        answer = client.get(f"/health/{query}")

    assert answer.status_code == (503 if "strict" in query else 200)
    assert (answer.json()["live"], answer.json()["healthy"]) == (True, False)
    assert checks_of(answer)["database"] == "no response: OperationalError"


class Serving:
    def __init__(self, *, draining: bool = False, is_ready: bool = True) -> None:
        self.draining, self.is_ready = draining, is_ready


@pytest.mark.parametrize(
    ("server", "status"), [(Serving(), 200), (Serving(draining=True), 503), (Serving(is_ready=False), 503)]
)
def test_a_draining_or_starting_process_is_not_live(healthy, client, monkeypatch, server, status):
    monkeypatch.setattr(checks, "_servers", [])
    checks.watch_server(server)

    assert client.get("/health/").status_code == client.get("/health/?strict").status_code == status


def test_a_process_with_a_blocked_event_loop_is_not_live(healthy, client, monkeypatch):
    seconds = Seconds()
    turns = checks.LoopTurns(seconds)
    monkeypatch.setattr(checks, "_turns", [turns])
    statuses = []

    for _ in range(2):
        seconds.at += checks.LOOP_STUCK_AFTER_S
        statuses.append(client.get("/health/").status_code)
    turns.note_turn()
    statuses.append(client.get("/health/").status_code)

    assert statuses == [200, 503, 200]


# Background checks


class Seconds:
    def __init__(self) -> None:
        self.at = 1_000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def watch(healthy, monkeypatch) -> checks.DatabaseWatch:
    """One that checks on demand."""
    watch = checks.DatabaseWatch(Seconds())
    monkeypatch.setattr(checks, "_watches", [watch])
    monkeypatch.setattr(checks.connection, "close", lambda: None)
    return watch


def test_a_request_does_not_query_the_database(watch, client, django_assert_num_queries):
    watch.ask()

    with django_assert_num_queries(0):
        assert client.get("/health/?strict").status_code == 200


def test_a_hanging_database_is_reported_within_ten_seconds_and_no_request_waits_for_it(watch, client):
    watch.ask()
    watch._monotonic.at += checks.NO_ANSWER_AFTER_S + 0.5

    answer = client.get("/health/?strict")

    assert checks.NO_ANSWER_AFTER_S + checks.CHECK_EVERY_S <= 10
    assert (answer.status_code, client.get("/health/").status_code) == (503, 200)
    assert checks_of(answer)["database"] == "no response for 8 s"
    assert checks_of(answer)["clock"] == "unknown"


def test_a_process_is_not_ready_before_the_first_check_of_the_database(watch, client):
    assert client.get("/health/?strict").status_code == 503
    assert client.get("/health/").status_code == 200


def test_the_checking_thread_survives_any_error(watch, monkeypatch, caplog):
    with monkeypatch.context() as patch:
        patch.setattr(checks, "loops", lambda at: 1 / 0)
        watch.ask()
        found = watch.parts()["database"]
    watch.ask()

    assert (found, watch.parts()["database"]) == ("unknown: ZeroDivisionError", "ok")
    caplog.clear()


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_a_read_only_database_is_reported():
    with connections["default"].cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
        try:
            found = checks.database(now())
        finally:
            cursor.execute("SET default_transaction_read_only = off")

    assert found == "read-only: InternalError"


@pytest.mark.parametrize(
    ("sqlstate", "message"), [("53100", "disk full"), ("25006", "read-only"), (None, "no response")]
)
def test_the_problem_of_the_database_is_named_by_its_code(sqlstate, message):
    error = OperationalError()
    error.__cause__ = type("Cause", (Exception,), {"sqlstate": sqlstate})()

    assert checks.problem(error) == message


def test_a_stalled_loop_of_the_clock_is_named(healthy, client):
    at = now()
    rows = [("sweep", 19, 20), ("roll_up", 1_000, 900), ("outbox", 42, 20)]
    for name, age_s, limit_s in rows:
        LoopSuccess.objects.record({name: limit_s}, node="a", at=at - timedelta(seconds=age_s))

    answer = client.get("/health/?strict")

    assert answer.status_code == 503
    assert re.fullmatch(r"outbox: no success for 4\d s; roll_up: no success for 100\d s", checks_of(answer)["loops"])


def test_a_part_that_only_this_process_has_is_reported(healthy, client, monkeypatch):
    monkeypatch.setattr(checks, "_added", {})
    checks.add_check("ingest", lambda at: "no commit for 7 s while 3 items wait")

    answer = client.get("/health/?strict")

    assert (answer.status_code, checks_of(answer)["ingest"]) == (503, "no commit for 7 s while 3 items wait")


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_only_get_and_head_are_allowed(healthy, client, method):
    assert getattr(client, method)("/health/").status_code == 405


@pytest.mark.django_db
def test_a_browser_gets_a_page_and_anything_else_json(client):
    page = client.get("/health/?strict", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})

    assert page["Content-Type"].startswith("text/html")
    assert "database" in page.content.decode()
    for accept in ("*/*", "application/json", ""):
        answer = client.get("/health/?strict", headers={"Accept": accept})
        assert answer["Content-Type"] == "application/json", accept

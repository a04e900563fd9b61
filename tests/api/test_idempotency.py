"""`Idempotency-Key`: a repeated request runs once."""

from datetime import timedelta

import pytest

from tests.support.builders import AT, now
from tests.support.rest import invalid_fields, problem_of
from tms.alerts import lifecycle
from tms.alerts.lifecycle import RuleTriggered
from tms.alerts.models import Alert, Transition
from tms.alerts.schemas import AlertSchema
from tms.ops import purge
from tms.rest_base.models import IdempotencyRecord

pytestmark = pytest.mark.both


@pytest.fixture
def path(fleet) -> str:
    """Comments on an open alert: each one that runs adds a transition."""
    lifecycle.trigger([RuleTriggered(fleet.metric_rule().pk, fleet.online().pk, AT)])
    return f"/alerts/{Alert.objects.get().pk}/comment"


def comments() -> int:
    return Transition.objects.filter(kind="commented").count()


def test_the_same_request_runs_once_and_gets_the_same_response(watcher, path):
    first = watcher.post(path, {"comment": "one"}, Idempotency_Key="k-1")
    watcher.post(path, {"comment": "two"})

    again = watcher.post(path, {"comment": "one"}, Idempotency_Key="k-1")

    assert (again.status_code, again.content, again["content-type"]) == (200, first.content, first["content-type"])
    assert again["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first
    assert comments() == 2


def test_an_error_gets_the_same_response_too(watcher, path):
    first = watcher.post("/alerts/999999/comment", {"comment": "x"}, Idempotency_Key="k")
    again = watcher.post("/alerts/999999/comment", {"comment": "x"}, Idempotency_Key="k")

    assert problem_of(first) == problem_of(again) == (404, "tms:not-found")
    assert again["Idempotency-Replayed"] == "true"


def test_the_same_key_for_another_request_is_refused(watcher, path):
    watcher.post(path, {"comment": "one"}, Idempotency_Key="k")

    other_body = watcher.post(path, {"comment": "two"}, Idempotency_Key="k")
    other_path = watcher.post("/alerts/comment", {"comment": "one"}, Idempotency_Key="k")

    assert problem_of(other_body) == problem_of(other_path) == (422, "tms:key-reused")
    assert comments() == 1


def test_two_people_may_have_the_same_key(watcher, editor, path):
    watcher.post(path, {"comment": "one"}, Idempotency_Key="k")

    assert "Idempotency-Replayed" not in editor.post(path, {"comment": "two"}, Idempotency_Key="k")


def test_a_second_request_gets_409_while_the_first_is_in_progress(watcher, path):
    watcher.post(path, {"comment": "one"}, Idempotency_Key="k")
    IdempotencyRecord.objects.update(status=None, begun_at=now())

    answer = watcher.post(path, {"comment": "one"}, Idempotency_Key="k")

    assert problem_of(answer) == (409, "tms:in-flight")
    assert answer["Retry-After"] == "1"


def test_a_request_of_a_dead_process_runs_again_after_a_minute(watcher, path):
    watcher.post(path, {"comment": "one"}, Idempotency_Key="k")
    IdempotencyRecord.objects.update(status=None, begun_at=now() - timedelta(minutes=2))
    Alert.objects.update(comment="")

    answer = watcher.post(path, {"comment": "one"}, Idempotency_Key="k")

    assert answer.status_code == 200
    assert IdempotencyRecord.objects.get().status == 200
    assert comments() == 2


def test_a_request_that_was_only_slow_changes_nothing_after_another_took_over(watcher, path, monkeypatch):
    def slowly(alert, **_):
        IdempotencyRecord.objects.update(begun_at=now() + timedelta(minutes=1))
        return real(alert)

    real = AlertSchema.of
    monkeypatch.setattr("tms.alerts.actions.api.AlertSchema.of", slowly)
    slow = watcher.post(path, {"comment": "one"}, Idempotency_Key="k")

    assert problem_of(slow) == (409, "tms:in-flight")
    assert comments() == 0


def test_a_repetition_at_the_moment_when_the_first_request_fails_is_asked_to_try_again(watcher, path, monkeypatch):
    watcher.post(path, {"comment": "one"}, Idempotency_Key="k")
    monkeypatch.setattr(IdempotencyRecord.objects, "filter", lambda **_: IdempotencyRecord.objects.none())

    assert problem_of(watcher.post(path, {"comment": "one"}, Idempotency_Key="k")) == (409, "tms:in-flight")


def test_a_failed_request_is_not_stored_and_changes_nothing(watcher, path, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError

    monkeypatch.setattr("tms.alerts.actions.api.AlertSchema.of", fail)
    failed = watcher.post(path, {"comment": "one"}, Idempotency_Key="k")
    monkeypatch.undo()

    assert problem_of(failed) == (500, "tms:failed")
    assert comments() == 0
    assert watcher.post(path, {"comment": "one"}, Idempotency_Key="k").status_code == 200


@pytest.mark.parametrize("key", ["", "a b", "ü", "x" * 201])
def test_an_invalid_key_is_refused(watcher, path, key):
    assert invalid_fields(watcher.post(path, {"comment": "one"}, Idempotency_Key=key)) == ["Idempotency-Key"]


def test_records_are_deleted_after_a_day(watcher, path):
    watcher.post(path, {"comment": "one"}, Idempotency_Key="k")

    purge.purge(now())
    before = IdempotencyRecord.objects.count()
    purge.purge(now() + timedelta(hours=25))

    assert (before, IdempotencyRecord.objects.count()) == (1, 0)

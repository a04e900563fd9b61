"""`Idempotency-Key`: what is sent twice is done once."""

from datetime import timedelta

import pytest

from tests.support.builders import AT, now
from tests.support.rest import invalid_fields, problem_of
from tms.alerts import lifecycle
from tms.alerts.lifecycle import RuleTriggered
from tms.alerts.models import Alert, Transition
from tms.ops import purge
from tms.rest.models import IdempotencyRecord

pytestmark = pytest.mark.both


@pytest.fixture
def path(fleet) -> str:
    """Of a comment on an open alert: each new one is a step of its history."""
    lifecycle.trigger([RuleTriggered(fleet.metric_rule().pk, fleet.online().pk, AT)])
    return f"/alerts/{Alert.objects.get().pk}/comment"


def comments() -> int:
    return Transition.objects.filter(kind="commented").count()


def test_the_same_request_is_done_once_and_answered_alike(watcher, path):
    first = watcher.post(path, {"comment": "one"}, Idempotency_Key="k-1")
    watcher.post(path, {"comment": "two"})

    again = watcher.post(path, {"comment": "one"}, Idempotency_Key="k-1")

    assert (again.status_code, again.content, again["content-type"]) == (200, first.content, first["content-type"])
    assert again["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first
    assert comments() == 2


def test_a_refusal_is_answered_alike_too(watcher, path):
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


def test_while_it_is_being_done_the_second_one_is_told_to_wait(watcher, path):
    watcher.post(path, {"comment": "one"}, Idempotency_Key="k")
    IdempotencyRecord.objects.update(status=None, begun_at=now())

    answer = watcher.post(path, {"comment": "one"}, Idempotency_Key="k")

    assert problem_of(answer) == (409, "tms:in-flight")
    assert answer["Retry-After"] == "1"


def test_what_a_process_left_behind_that_died_is_done_after_a_minute(watcher, path):
    watcher.post(path, {"comment": "one"}, Idempotency_Key="k")
    IdempotencyRecord.objects.update(status=None, begun_at=now() - timedelta(minutes=2))
    Alert.objects.update(comment="")

    answer = watcher.post(path, {"comment": "one"}, Idempotency_Key="k")

    assert answer.status_code == 200
    assert IdempotencyRecord.objects.get().status == 200
    assert comments() == 2


def test_what_failed_is_not_kept_and_changes_nothing(watcher, path, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError

    monkeypatch.setattr("tms.alerts.actions.api.AlertSchema.of", fail)
    failed = watcher.post(path, {"comment": "one"}, Idempotency_Key="k")
    monkeypatch.undo()

    assert problem_of(failed) == (500, "tms:failed")
    assert comments() == 0
    assert watcher.post(path, {"comment": "one"}, Idempotency_Key="k").status_code == 200


@pytest.mark.parametrize("key", ["", "a b", "ü", "x" * 201])
def test_a_key_that_is_none_is_refused(watcher, path, key):
    assert invalid_fields(watcher.post(path, {"comment": "one"}, Idempotency_Key=key)) == ["Idempotency-Key"]


def test_answers_are_forgotten_after_a_day(watcher, path):
    watcher.post(path, {"comment": "one"}, Idempotency_Key="k")

    purge.purge(now())
    kept = IdempotencyRecord.objects.count()
    purge.purge(now() + timedelta(hours=25))

    assert (kept, IdempotencyRecord.objects.count()) == (1, 0)

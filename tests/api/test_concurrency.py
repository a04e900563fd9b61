"""Concurrent requests on a real PostgreSQL."""

from collections import Counter

import pytest

from tests.api.rule_bodies import ABOVE_70
from tests.support.builders import AT
from tests.support.people import person
from tests.support.threads import run_concurrently
from tms.alerts import lifecycle
from tms.alerts.lifecycle import RuleTriggered
from tms.alerts.models import Alert, Rule, Transition
from tms.rest_base.models import IdempotencyRecord

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]
CALLERS = 8
BODY = ABOVE_70 | {"site": "", "group": ""}


def statuses(answers) -> Counter:
    return Counter(answer.status_code for answer in answers)


def test_concurrent_requests_with_one_key_run_once(editor, fleet):
    answers = run_concurrently(CALLERS, lambda _: editor.post("/rules", BODY, Idempotency_Key="k"))

    assert set(statuses(answers)) <= {201, 409}
    assert Rule.objects.count() == IdempotencyRecord.objects.count() == 1
    assert editor.post("/rules", BODY, Idempotency_Key="k")["Idempotency-Replayed"] == "true"


def test_concurrent_requests_with_one_name_create_one(editor, fleet):
    answers = run_concurrently(CALLERS, lambda _: editor.post("/rules", BODY))

    found = statuses(answers)
    assert found[201] == 1
    assert set(found) <= {201, 409, 422}


def test_of_concurrent_edits_of_one_version_one_succeeds(editor, fleet):
    made = editor.post("/rules", BODY)

    answers = run_concurrently(
        CALLERS,
        lambda n: editor.send("PATCH", made["Location"], {"duration_s": 100 + n}, If_Match=made["ETag"]),
    )

    assert statuses(answers) == {200: 1, 412: CALLERS - 1}
    assert Rule.objects.get().version == 2


def test_an_alert_is_acknowledged_by_one_of_many(caller_for, fleet):
    lifecycle.trigger([RuleTriggered(fleet.metric_rule().pk, fleet.online().pk, AT)])
    alert = Alert.objects.get()
    callers = [caller_for(person(f"p-{n}", of="Operator")) for n in range(CALLERS)]

    answers = run_concurrently(CALLERS, lambda n: callers[n].post(f"/alerts/{alert.pk}/acknowledge", {}))

    assert statuses(answers) == {200: 1, 409: CALLERS - 1}
    assert Transition.objects.filter(kind="acknowledged").count() == 1


def test_concurrent_actions_on_one_alert_run_one_after_the_other(watcher, fleet):
    lifecycle.trigger([RuleTriggered(fleet.metric_rule().pk, fleet.online().pk, AT)])
    alert = Alert.objects.get()

    answers = run_concurrently(CALLERS, lambda n: watcher.post(f"/alerts/{alert.pk}/comment", {"comment": f"c-{n}"}))

    assert statuses(answers) == {200: CALLERS}
    assert Transition.objects.filter(kind="commented").count() == CALLERS

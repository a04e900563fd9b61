"""Deliveries are sent at least once, marked if it may be twice, and never lost."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from prometheus_client import REGISTRY

from tests.support.builders import AT, later
from tests.support.notifications.alerts import event_kinds, open_alert, resolve_alert
from tests.support.notifications.destinations import webhook_destination
from tests.support.polling import DEADLINE_S
from tests.support.threads import run_concurrently
from tms.alerts.models import Transition
from tms.clock.jobs import LOOPS, Lane
from tms.notifications.deliveries import retention
from tms.notifications.dispatch import leases, outbox, results
from tms.notifications.dispatch.dispatcher import Dispatcher
from tms.notifications.dispatch.results import MAX_WAIT_S, wait_s
from tms.notifications.models.delivery import LEASE, Delivery, DeliveryItem
from tms.notifications.transports.result import SendResult

pytestmark = [pytest.mark.both, pytest.mark.django_db]


def marks(receiver) -> list[bool]:
    """Whether each event is marked as a possible duplicate."""
    return [event.get("possibleduplicate", False) for event in receiver.events]


def waiting(delivery_clock, fleet, policy, *destinations) -> Delivery:
    """A delivery that is due."""
    policy((0, list(destinations)))
    open_alert(fleet)
    outbox.advance(delivery_clock.at)
    return Delivery.objects.get()


def test_the_clock_returns_the_leases_of_a_lost_worker(fleet, delivery_clock, policy, hook):
    delivery = waiting(delivery_clock, fleet, policy, hook)
    leases.acquire(hook.pk, at=AT)
    later_on = AT + LEASE + timedelta(seconds=1)

    for loop in LOOPS:
        if loop.lane is Lane.NOTIFICATIONS and loop.name != "dispatch":  # which would send it at once
            loop.work(later_on)

    delivery.refresh_from_db()
    assert (delivery.state, delivery.possible_duplicate) == ("waiting", True)


# Retries


def test_a_destination_that_answers_503_is_retried_with_the_same_event(fleet, delivery_clock, policy, hook, receiver):
    receiver.script = [(503, {})] * 4
    policy((0, [hook]))
    open_alert(fleet)

    delivery_clock.advance(120)

    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.attempts, len(receiver.posted)) == ("sent", 5, 5)
    assert len({posted.body for posted in receiver.posted}) == 1
    assert len({posted.headers["webhook-id"] for posted in receiver.posted}) == 1
    assert not any(marks(receiver))


def test_the_pauses_grow_and_vary():
    shortest = [wait_s(failures, between=min) for failures in range(1, 15)]
    longest = [wait_s(failures, between=max) for failures in range(1, 15)]

    assert longest[:4] == [2, 4, 8, 16]
    assert longest[-1] == MAX_WAIT_S
    assert all(short == long / 2 for short, long in zip(shortest, longest, strict=True))
    assert len({wait_s(5) for _ in range(10)}) == 10
    assert wait_s(60, between=max) == MAX_WAIT_S


def test_retry_after_is_respected(fleet, delivery_clock, policy, hook, receiver):
    receiver.script = [(429, {"Retry-After": "300"})]
    policy((0, [hook]))
    open_alert(fleet)

    delivery_clock.advance(295, step_s=5)
    before = len(receiver.posted)
    delivery_clock.advance(10)

    assert (before, len(receiver.posted)) == (1, 2)


def test_later_deliveries_to_the_same_destination_wait_in_order(fleet, delivery_clock, policy, hook, receiver):
    receiver.script = [(503, {})] * 3
    policy((0, [hook]))
    alert = open_alert(fleet)
    delivery_clock.advance(1)
    resolve_alert(alert, 2)

    delivery_clock.advance(120)

    assert event_kinds(receiver) == ["opened"] * 4 + ["resolved"]


def test_a_failing_destination_does_not_delay_the_others(fleet, delivery_clock, policy, hook, receiver):
    receiver.script = [lambda posted: (503 if posted.path == "/bad" else 204, {})] * 50
    policy((0, [webhook_destination(receiver.url.replace("/hook/s3cret-path", "/bad"), "Bad")]))
    policy((0, [hook]))
    open_alert(fleet)

    delivery_clock.advance(5)

    assert [posted.path for posted in receiver.posted].count("/hook/s3cret-path") == 1


# Failures, and sending again


@pytest.mark.parametrize("status", [400, 410])
def test_a_rejected_delivery_fails_at_once_and_blocks_nothing(fleet, delivery_clock, policy, hook, receiver, status):
    receiver.script = [(status, {"body": "no such channel"})]
    policy((0, [hook]))
    open_alert(fleet)
    delivery_clock.advance(1)
    open_alert(fleet)

    delivery_clock.advance(5)

    assert sorted(Delivery.objects.values_list("state", "detail")) == [
        ("dead", Delivery.objects.get(state="dead").detail),
        ("sent", "204 No Content"),
    ]
    assert "no such channel" in Delivery.objects.get(state="dead").detail


def test_a_delivery_that_is_not_accepted_for_a_day_fails(fleet, delivery_clock, policy, hook, receiver):
    receiver.usual = (503, {})
    policy((0, [hook]))
    open_alert(fleet)

    delivery_clock.advance(25 * 3600, step_s=300)

    assert Delivery.objects.get().state == "dead"


def test_it_can_be_sent_again_and_pressing_twice_sends_it_once(fleet, delivery_clock, policy, hook, receiver):
    receiver.script = [(400, {})]
    policy((0, [hook]))
    open_alert(fleet)
    delivery_clock.advance(5)
    delivery = Delivery.objects.get()

    pressed = [leases.send_again(delivery, at=delivery_clock.at) for _ in range(2)]
    delivery_clock.advance(5)

    assert pressed == [True, False]
    assert Delivery.objects.get().state == "sent"
    assert len(receiver.posted) == 2


def test_without_a_delivered_notification_the_recovery_is_not_notified(fleet, delivery_clock, policy, hook, receiver):
    receiver.script = [(400, {})]
    policy((0, [hook]))
    alert = open_alert(fleet)
    delivery_clock.advance(5)
    resolve_alert(alert, 6)

    delivery_clock.advance(5)

    assert event_kinds(receiver) == ["opened"]


# Duplicates


def test_an_attempt_without_a_response_makes_the_next_a_possible_duplicate(
    fleet, delivery_clock, policy, hook, receiver
):
    receiver.script = [(0, {})]
    policy((0, [hook]))
    open_alert(fleet)

    delivery_clock.advance(30)

    first, second = receiver.posted
    assert marks(receiver) == [False, True]
    assert second.headers["TMS-Possible-Duplicate"] == "true"
    assert "TMS-Possible-Duplicate" not in first.headers
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert "receive this twice" in second.event["data"]["text"]


def test_the_lease_of_a_dead_worker_expires_and_its_delivery_is_marked(fleet, delivery_clock, policy, hook, receiver):
    waiting(delivery_clock, fleet, policy, hook)
    dead = leases.acquire(hook.pk, at=delivery_clock.at)

    delivery_clock.advance(LEASE.total_seconds() - 1)
    before = len(receiver.posted)
    delivery_clock.advance(5)

    assert dead is not None
    assert before == 0
    assert marks(receiver) == [True]
    assert Delivery.objects.get().state == "sent"


def test_a_worker_with_an_expired_lease_changes_nothing(fleet, delivery_clock, policy, hook, receiver):
    waiting(delivery_clock, fleet, policy, hook)
    late = leases.acquire(hook.pk, at=delivery_clock.at)
    delivery_clock.advance(LEASE.total_seconds() + 1)

    recorded = results.record_result(late, SendResult.retry("too late"), at=delivery_clock.at)

    assert not recorded
    assert Delivery.objects.get().state == "sent"


def test_a_transition_is_processed_once_with_any_leader(fleet, delivery_clock, policy, hook, receiver):
    policy((0, [hook]), (60, [hook]))
    open_alert(fleet)
    outbox.advance(AT)
    Transition.objects.update(dispatched_at=None)  # as if the first leader had not recorded the result

    delivery_clock.advance(5)

    assert event_kinds(receiver) == ["opened"] * DeliveryItem.objects.count()


@pytest.mark.django_db(transaction=True)
class TestSeveral:
    """Two processes that both consider themselves the leader."""

    def test_one_acquires_the_lease_and_the_others_get_none(self, fleet, delivery_clock, policy, hook):
        waiting(delivery_clock, fleet, policy, hook)

        acquired = run_concurrently(4, lambda n: leases.acquire(hook.pk, at=delivery_clock.at))

        assert len([one for one in acquired if isinstance(one, Delivery)]) == 1

    def test_two_outboxes_process_each_transition_once(self, fleet, delivery_clock, policy, hook, receiver):
        policy((0, [hook]), group_wait_s=0)
        for _ in range(5):
            open_alert(fleet)

        run_concurrently(3, lambda n: outbox.advance(AT))
        outbox.advance(AT)

        assert DeliveryItem.objects.count() == 5
        assert DeliveryItem.objects.values("alert").distinct().count() == 5

    def test_a_slow_destination_does_not_delay_the_others(self, fleet, delivery_clock, policy, hook, receiver):
        may_answer = threading.Event()

        def slow(posted):
            may_answer.wait(DEADLINE_S)
            return 204, {}

        receiver.usual = lambda posted: slow(posted) if posted.path == "/slow" else (204, {})
        policy((0, [webhook_destination(receiver.url.replace("/hook/s3cret-path", "/slow"), "Slow")]))
        policy((0, [hook]))
        open_alert(fleet)
        outbox.advance(AT)

        with ThreadPoolExecutor(4) as workers:
            rounds = Dispatcher(workers, now=lambda: AT)
            rounds.dispatch(AT)
            assert receiver.arrived.acquire(timeout=DEADLINE_S)
            assert receiver.arrived.acquire(timeout=DEADLINE_S)
            rounds.dispatch(AT)  # the slow one is not processed again
            may_answer.set()

        assert sorted(posted.path for posted in receiver.posted) == ["/hook/s3cret-path", "/slow"]
        assert set(Delivery.objects.values_list("state", flat=True)) == {"sent"}


# Metrics


def test_deliveries_are_counted_and_timed(fleet, delivery_clock, policy, hook, receiver):
    def sample(name: str, **labels: str) -> float:
        return REGISTRY.get_sample_value(name, labels) or 0.0

    def counts() -> list[float]:
        return [sample("tms_deliveries_total", kind="webhook", outcome=outcome) for outcome in ("sent", "retried")]

    before, timed = counts(), sample("tms_notification_seconds_count")
    receiver.script = [(503, {})]
    policy((0, [hook]))
    open_alert(fleet)

    delivery_clock.advance(30)

    assert [now - then for now, then in zip(counts(), before, strict=True)] == [1, 1]
    assert sample("tms_notification_seconds_count") == timed + 1


def test_the_age_of_the_oldest_waiting_delivery_is_reported(fleet, delivery_clock, policy, hook, receiver):
    assert REGISTRY.get_sample_value("tms_delivery_oldest_waiting_seconds") == 0

    waiting(delivery_clock, fleet, policy, hook)

    assert REGISTRY.get_sample_value("tms_delivery_oldest_waiting_seconds") != 0


def test_old_deliveries_are_deleted_like_all_history(fleet, delivery_clock, policy, hook, receiver, settings):
    policy((0, [hook]))
    open_alert(fleet)
    delivery_clock.advance(5)

    retention.delete_old_deliveries(later(0) + timedelta(days=settings.HISTORY_DAYS - 1))
    before_deletion = Delivery.objects.count()
    retention.delete_old_deliveries(later(60) + timedelta(days=settings.HISTORY_DAYS))

    assert (before_deletion, Delivery.objects.count()) == (1, 0)


def test_more_old_deliveries_than_one_transaction_deletes_are_deleted_in_one_pass(hook, settings, monkeypatch):
    monkeypatch.setattr(retention, "PURGED_AT_ONCE", 2)
    times = dict.fromkeys(("created_at", "due_at", "give_up_at", "ended_at"), AT)
    sent = {"destination": hook, "kind": "opened", "language": "en", "state": "sent", **times}
    Delivery.objects.bulk_create(Delivery(key=f"old {number}", **sent) for number in range(5))

    retention.delete_old_deliveries(later(60) + timedelta(days=settings.HISTORY_DAYS))

    assert not Delivery.objects.exists()

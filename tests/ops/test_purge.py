"""The clock deletes expired data."""

from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import DataError

from tests.support.builders import AT
from tms.accounts.models import User
from tms.clock.jobs import LOOPS
from tms.ops import purge
from tms.ops.health import heartbeats
from tms.ops.models import Heartbeat, LoopSuccess
from tms.rest_base.models import IdempotencyRecord

pytestmark = [pytest.mark.both, pytest.mark.embedded, pytest.mark.django_db]

DAY = timedelta(days=1)


def session(n, *, old):
    Session.objects.create(session_key=f"s{n}", session_data="", expire_date=AT - DAY if old else AT + DAY)


def browser(n, *, old):
    person, _ = User.objects.get_or_create(username="maria")
    seen = AT - (timedelta(seconds=settings.SESSION_COOKIE_AGE + 1) if old else timedelta(0))
    UserSession.objects.create(user=person, session_key=f"s{n}", ip="10.0.0.1", user_agent="", last_seen_at=seen)


def answer(n, *, old):
    person, _ = User.objects.get_or_create(username="maria")
    IdempotencyRecord.objects.create(person=person, key=f"k{n}", fingerprint="", begun_at=AT - 2 * DAY if old else AT)


def written(n, *, old):
    heartbeats.record(f"{heartbeats.WRITE}{n}", at=AT - 2 * DAY if old else AT)


KINDS = [
    (Session, session),
    (UserSession, browser),
    (IdempotencyRecord, answer),
    (Heartbeat, written),
]


@pytest.mark.parametrize(("model", "make"), KINDS, ids=lambda one: getattr(one, "__name__", ""))
def test_expired_rows_are_deleted_in_small_transactions_and_the_others_stay(
    model, make, monkeypatch, django_assert_max_num_queries
):
    monkeypatch.setattr(purge, "ROWS", 2)
    for n in range(8):
        make(n, old=n < 5)

    with django_assert_max_num_queries(60):
        purge.purge(AT)

    assert model.objects.count() == 3


def test_a_pass_is_bounded_and_the_next_one_continues(monkeypatch):
    monkeypatch.setattr(purge, "ROWS", 2)
    monkeypatch.setattr(purge, "BATCHES", 2)
    for n in range(7):
        session(n, old=True)
    left = []

    for _ in range(2):
        purge.purge(AT)
        left.append(Session.objects.count())

    assert left == [3, 0]


def test_a_failing_table_does_not_prevent_the_others(monkeypatch):
    def fail(at):
        raise DataError("out of range")

    monkeypatch.setattr(purge, "PURGED", (purge.Purged("bad", fail), *purge.PURGED))
    session(1, old=True)

    with pytest.raises(DataError):
        purge.purge(AT)
    assert not Session.objects.exists()


def test_the_heartbeat_of_the_clock_is_never_purged():
    heartbeats.record(heartbeats.CLOCK, at=AT - 100 * DAY)

    purge.purge(AT)

    assert Heartbeat.objects.count() == 1


def test_loops_of_other_releases_are_deleted():
    LoopSuccess.objects.begin({"sweep": 20, "gone": 20}, node="a", at=AT)

    next(loop for loop in LOOPS if loop.name == "purge_loops").work(AT)

    assert [loop.name for loop in LoopSuccess.objects.all()] == ["sweep"]

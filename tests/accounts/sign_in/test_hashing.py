"""Hashes run in a pool of bounded size, which refuses passwords when it is full."""

import threading

import pytest
from django.contrib.auth.hashers import check_password, make_password
from django.db import connection

from tms.accounts import api_tokens
from tms.accounts.models import User
from tms.accounts.sign_in import hashing
from tms.accounts.sign_in.hashing import BoundedPBKDF2, HashingBusyError, HashingPool
from tms.lib.db.clock import db_clock

OURS = "tms.accounts.sign_in.hashing.BoundedPBKDF2"
DJANGOS = "django.contrib.auth.hashers.PBKDF2PasswordHasher"


@pytest.fixture
def full():
    """A pool of one busy thread, with room for one waiting task; and a function that ends the busy task."""
    pool, go, begun = HashingPool(1, waiting=1, wait_s=0.01), threading.Event(), threading.Event()

    def hold():
        begun.set()
        go.wait()
        return ""

    thread = threading.Thread(target=run, args=(pool, hold))
    thread.start()
    begun.wait()
    yield pool, go
    go.set()
    thread.join()


def run(pool, work):
    pool.run(work)


def test_a_task_that_does_not_start_in_time_is_refused_and_frees_its_slot(full, monkeypatch):
    pool, go = full
    for _ in range(5):
        with pytest.raises(HashingBusyError):
            pool.run(lambda: "never")

    go.set()

    monkeypatch.setattr(pool, "_wait_s", 60)
    assert pool.run(lambda: "hashed") == "hashed"


def test_no_more_tasks_run_at_once_than_there_are_threads():
    pool, running, most = HashingPool(2, waiting=20), [], []
    lock = threading.Lock()
    meeting = threading.Barrier(2)

    def hash_it():
        with lock:
            running.append(1)
            most.append(len(running))
        meeting.wait()
        with lock:
            running.pop()
        return ""

    threads = [threading.Thread(target=run, args=(pool, hash_it)) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert max(most) == 2


def test_passwords_that_django_hashed_are_still_valid(settings):
    settings.PASSWORD_HASHERS = [DJANGOS]
    stored = make_password("a password for tests")
    settings.PASSWORD_HASHERS = [OURS]

    assert check_password("a password for tests", stored)
    assert not check_password("another", stored)


@pytest.mark.both
@pytest.mark.django_db(transaction=True)
def test_a_request_that_waits_for_a_thread_holds_no_database_connection(client, settings, monkeypatch):
    settings.PASSWORD_HASHERS = [OURS]
    connections = []

    class Pool:
        def run(self, work):
            connections.append(connection.connection)
            raise HashingBusyError

    monkeypatch.setattr(hashing, "pool", Pool)

    assert client.post("/sign-in/", {"username": "tanaka", "password": "x"}).status_code == 429
    assert connections == [None]


@pytest.mark.django_db
def test_a_full_pool_answers_429_and_the_attempt_is_not_counted(client, settings, monkeypatch, full):
    settings.PASSWORD_HASHERS = [OURS]
    monkeypatch.setattr(hashing, "pool", lambda: full[0])

    answers = [client.post("/sign-in/", {"username": "tanaka", "password": "x"}) for _ in range(8)]

    assert {(answer.status_code, answer["Retry-After"]) for answer in answers} == {(429, "5")}
    assert "Too many people are signing in right now." in answers[0].content.decode()


@pytest.mark.both
@pytest.mark.django_db
def test_only_signing_in_hashes_a_password(client, monkeypatch):
    """Pages and the API do not, and a token is looked up by its SHA-256."""
    person = User.objects.create_superuser("tanaka", password="a password for tests")
    _, token = api_tokens.issue(person, name="script", at=db_clock().now())
    client.force_login(person)
    monkeypatch.setattr(BoundedPBKDF2, "encode", None)
    monkeypatch.setattr(hashing, "pool", None)

    assert client.get("/").status_code == 200
    assert client.get("/api/v1/sites", headers={"Authorization": f"Bearer {token}"}).status_code == 200

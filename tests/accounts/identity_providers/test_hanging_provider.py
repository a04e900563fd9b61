"""A provider that does not answer: who else must wait, and for how long."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test import Client

from tests.support.accounts.provider_steps import leave
from tests.support.polling import wait_for, wait_for_value
from tests.support.threads import run_concurrently
from tms.accounts.identity_providers.oidc import metadata
from tms.accounts.models import AuditEntry

SIGN_IN, CALLBACK = "/sign-in/provider/company/", "/sign-in/provider/company/callback/"
DISCOVERY = "/.well-known/openid-configuration"


@pytest.mark.both
@pytest.mark.django_db
def test_people_read_that_the_provider_does_not_answer(hostile, monkeypatch):
    monkeypatch.setattr(metadata, "WITHIN_S", 0.1)
    hostile.held[DISCOVERY] = Event()

    answers = [Client().post(SIGN_IN), Client().post(SIGN_IN)]
    logout = Client().post("/providers/company/logout/", {"logout_token": hostile.logout_token()})

    assert [(answer.status_code, answer["Retry-After"]) for answer in answers] == [(503, "5"), (503, "5")]
    assert "Company account does not answer now" in answers[0].content.decode()
    assert logout.status_code == 503
    assert hostile.asked == [DISCOVERY]
    assert AuditEntry.objects.filter(action="sign-in-failed").count() == 2


@pytest.mark.both
@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/token", "/me", "/keys"])
def test_each_request_of_a_sign_in_has_a_deadline(hostile, monkeypatch, path):
    browser = Client()
    sent = parse_qs(urlsplit(leave(browser)).query)
    hostile.answers["/token"] = {"id_token": hostile.id_token(sent["nonce"][0]), "access_token": "x"}
    monkeypatch.setattr(metadata, "WITHIN_S", 0.1)
    hostile.held[path] = Event()

    answer = browser.get(CALLBACK, {"code": "c", "state": sent["state"][0]})

    assert answer.status_code == 503
    assert "_auth_user_id" not in browser.session


def checked_out() -> int:
    """Connections that threads hold, this one aside."""
    stats = connection.pool.get_stats()
    return stats["pool_size"] - stats["pool_available"] - (connection.connection is not None)


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_sign_ins_that_wait_hold_no_connection_and_ask_once(hostile, monkeypatch):
    monkeypatch.setattr(metadata, "WAIT_S", 60.0)
    hostile.held[DISCOVERY] = event = Event()
    number = 3 * connection.pool.max_size
    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(lambda: run_concurrently(number, lambda _: Client().post(SIGN_IN)))
        wait_for(lambda: DISCOVERY in hostile.asked)
        wait_for_value(checked_out, 0)
        assert Client().get("/sign-in/").status_code == 200
        event.set()
        answers: list[Any] = waiting.result()

    assert {answer.status_code for answer in answers} == {200}
    assert hostile.asked == [DISCOVERY]


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_few_threads_wait_for_one_provider(hostile, monkeypatch):
    monkeypatch.setattr(metadata, "WAIT_S", 0.0)
    hostile.held["/token"] = event = Event()

    def come_back(_: int) -> int:
        browser = Client()
        sent = parse_qs(urlsplit(leave(browser)).query)
        return browser.get(CALLBACK, {"code": "c", "state": sent["state"][0]}).status_code

    Client().post(SIGN_IN)
    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(lambda: run_concurrently(3 * metadata.AT_ONCE, come_back))
        wait_for_value(lambda: hostile.asked.count("/token"), metadata.AT_ONCE)
        wait_for(lambda: AuditEntry.objects.count() == 2 * metadata.AT_ONCE)
        event.set()
        statuses: list[Any] = waiting.result()

    assert sorted(statuses) == [400] * metadata.AT_ONCE + [503] * 2 * metadata.AT_ONCE

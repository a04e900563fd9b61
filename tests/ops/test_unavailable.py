"""Pages while PostgreSQL does not answer."""

import pytest
from django.db import OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

from tms.config import database_deadline
from tms.main import urls
from tms.ops.middleware import unavailable


def hang(request: HttpRequest) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(600)")
    return HttpResponse()


def fine(request: HttpRequest) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(0.1)")
        return HttpResponse(str(cursor.fetchone()))


def refuse(request: HttpRequest) -> HttpResponse:
    raise OperationalError("connection refused")


def fail(request: HttpRequest) -> HttpResponse:
    raise ValueError


handler500 = urls.handler500
urlpatterns = [
    *(path(f"{view.__name__}/", view) for view in (hang, fine, refuse, fail)),
    *urls.urlpatterns,
]
"""This module has the URLs of its tests."""


@pytest.fixture
def browser(settings) -> Client:
    settings.ROOT_URLCONF = __name__
    return Client(raise_request_exception=False, headers={"Accept-Language": "en"})


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_a_page_ends_as_503_while_the_database_hangs_and_the_next_one_gets_another_connection(browser, monkeypatch):
    monkeypatch.setattr(unavailable, "DEADLINE_S", 0.2)
    monkeypatch.setattr(database_deadline, "MIN_STATEMENT_S", 0.2)

    answer = browser.get("/hang/")
    connection.close()  # as at the end of each request, but for those of Django's test client

    assert (answer.status_code, answer["Retry-After"]) == (503, "10")
    assert "The database is not responding" in answer.content.decode()
    assert browser.get("/fine/").status_code == 200
    with connection.cursor() as cursor:  # it would keep the database of the tests in use
        cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(600)'")


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_a_page_that_is_slow_itself_still_gets_its_answers(browser, monkeypatch):
    monkeypatch.setattr(unavailable, "DEADLINE_S", 0)

    assert browser.get("/fine/").status_code == 200


@pytest.mark.parametrize(("path", "status"), [("/refuse/", 503), ("/fail/", 500)])
def test_only_a_database_that_is_away_is_unavailable(browser, path, status):
    assert browser.get(path).status_code == status

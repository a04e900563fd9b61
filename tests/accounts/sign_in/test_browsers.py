"""The browsers in which a person is signed in, as django-allauth records them."""

import pytest
from allauth.usersessions.models import UserSession
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import NoReverseMatch, reverse

from tms.accounts.models import User
from tms.accounts.sessions import browsers

PASSWORD = "a password for tests"
pytestmark = [pytest.mark.both, pytest.mark.django_db]


@pytest.fixture
def tanaka(db):
    return User.objects.create_user("tanaka", password=PASSWORD)


def sign_in(client, **headers):
    form = {"username": "tanaka", "password": PASSWORD}
    return client.post("/sign-in/", form, headers={"user-agent": "Firefox"}, REMOTE_ADDR="198.51.100.7", **headers)


def test_each_browser_is_recorded_with_its_address(tanaka):
    for client in (Client(), Client()):
        sign_in(client)

    rows = UserSession.objects.filter(user=tanaka)
    assert [(row.ip, row.user_agent) for row in rows] == [("198.51.100.7", "Firefox")] * 2


def test_an_ended_session_is_signed_out_and_no_longer_listed(tanaka):
    client, other = Client(), Client()
    sign_in(client)
    sign_in(other)
    mine, theirs = UserSession.objects.order_by("pk")

    browsers.end([theirs], person=tanaka)

    assert other.get("/")["Location"].startswith("/sign-in/")
    assert list(UserSession.objects.all()) == [mine]
    assert client.get("/").status_code == 200


@pytest.mark.parametrize("address", ["", "2001:db8::1", "fe80::1%eth0", "unix:"])
def test_every_kind_of_address_is_stored(tanaka, address):
    form = {"username": "tanaka", "password": PASSWORD}

    answer = Client().post("/sign-in/", form, REMOTE_ADDR=address)

    assert answer.status_code == 302
    assert UserSession.objects.filter(user=tanaka).count() == 1


def test_a_sign_in_costs_the_same_however_many_sessions_the_person_has(tanaka):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            sign_in(Client())
        return len(captured)

    first = [queries() for _ in range(2)][-1]
    for _ in range(5):
        sign_in(Client())

    assert queries() == first
    assert UserSession.objects.filter(user=tanaka).count() == 8


def test_a_page_reads_no_table_of_allauth(client, tanaka):
    sign_in(client)

    with CaptureQueriesContext(connection) as queries:
        assert client.get("/").status_code == 200

    tables = ("account_", "mfa_", "usersessions_")
    assert [query["sql"] for query in queries if any(table in query["sql"] for table in tables)] == []


@pytest.mark.parametrize("name", ["account_signup", "account_email", "mfa_index", "usersessions_list"])
def test_no_page_of_allauth_is_mounted(name):
    with pytest.raises(NoReverseMatch):
        reverse(name)

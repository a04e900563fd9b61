from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from tms.accounts.display_names import name_of
from tms.accounts.models import User
from tms.accounts.sessions.signed_in import signed_in


@pytest.fixture
def tanaka(db):
    return User.objects.create_user("tanaka")


@pytest.fixture
def key(tanaka):
    """The key of a session in which Tanaka is signed in."""
    client = Client()
    client.force_login(tanaka)
    return client.session.session_key


def expire(tanaka):
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))


def end(tanaka):
    Session.objects.all().delete()


def disable(tanaka):
    User.objects.update(is_active=False)


def delete(tanaka):
    tanaka.delete()


def change_password(tanaka):
    tanaka.set_password("another password")
    tanaka.save()


def garble(tanaka):
    Session.objects.update(session_data="garbled")


def test_a_session_remains_valid_without_changes(tanaka, key):
    assert signed_in([key], at=timezone.now()) == {key: tanaka}


@pytest.mark.parametrize("event", [expire, end, disable, delete, change_password, garble])
def test_a_session_ends(tanaka, key, event):
    event(tanaka)

    assert signed_in([key, "no-such-key"], at=timezone.now()) == {}


def test_many_sessions_are_checked_with_two_queries(tanaka, key, django_assert_num_queries):
    clients = [Client() for _ in range(5)]
    for client in clients:
        client.force_login(tanaka)

    with django_assert_num_queries(2):
        found = signed_in([client.session.session_key for client in clients], at=timezone.now())

    assert len(found) == 5


@pytest.mark.parametrize(
    ("first", "last", "name"),
    [
        ("Mei", "Tanaka", ("M. Tanaka", "MT")),
        ("健", "佐藤", ("佐藤", "佐")),
        ("", "Tanaka", ("Tanaka", "T")),
        ("Mei", "", ("Mei", "M")),
        ("", "", ("mtanaka", "MT")),
    ],
)
def test_a_person_is_shown_with_the_name_on_shift(first, last, name):
    assert name_of(User(username="mtanaka", first_name=first, last_name=last)) == name

"""Accounts that nobody uses are announced, and disabled."""

from datetime import datetime, timedelta

import pytest

from tests.support import people
from tests.support.factories import now
from tms.accounts import api_tokens
from tms.accounts.inactivity import review
from tms.accounts.models import ApiToken, AuditEntry, User
from tms.accounts.people import account

pytestmark = [pytest.mark.both, pytest.mark.django_db]


def days(number: float) -> datetime:
    return now() + timedelta(days=number)


@pytest.fixture(autouse=True)
def ninety_days(settings) -> None:
    settings.INACTIVE_DAYS = 90


@pytest.fixture(autouse=True)
def boss(db) -> User:
    """Manages people, and uses TMS."""
    made = people.person("boss", of=None)
    people.grant(made, "Administrator")
    return used(made, -1)


def used(person: User, number: float) -> User:
    """`person`, whose account is a year old and was last used on day `number`."""
    User.objects.filter(pk=person.pk).update(date_joined=days(-365), last_login=days(number))
    person.refresh_from_db()
    return person


def is_enabled(person: User) -> bool:
    return User.objects.get(pk=person.pk).is_active


def test_an_unused_account_is_announced_and_then_disabled(
    settings, mailoutbox, django_capture_on_commit_callbacks, monkeypatch
):
    settings.EMAIL_URL = "smtp://mail.example"
    monkeypatch.setattr("tms.accounts.mail.background.run", lambda work: work())
    keiko = used(people.person("keiko", email="keiko@noc.example"), -82)

    with django_capture_on_commit_callbacks(execute=True):
        before = [review(days(0.5)), review(days(1.5)), review(days(1.6))]
    early = [review(days(8)), is_enabled(keiko)]
    done = [review(days(9)), review(days(9)), is_enabled(keiko)]

    assert (before, early, done) == ([0, 1, 0], [0, True], [1, 0, False])
    [mail] = mailoutbox
    assert mail.to == ["keiko@noc.example"]
    assert "disabled after 90 days without use" in mail.body
    entry = AuditEntry.objects.get(action="disabled")
    assert (entry.subject_name, entry.comment) == ("keiko", "not used for 90 days")


def test_who_comes_back_after_the_mail_stays(boss):
    keiko = used(people.person("keiko"), -100)
    review(days(0))
    used(keiko, 3)

    review(days(8))

    assert is_enabled(keiko)


def by_token(person: User, settings) -> None:
    token, _secret = api_tokens.issue(person, name="script", at=now())
    ApiToken.objects.filter(pk=token.pk).update(used_at=days(-1))


def break_glass(person: User, settings) -> None:
    settings.BREAK_GLASS = frozenset({person.username})


def service(person: User, settings) -> None:
    User.objects.filter(pk=person.pk).update(is_service=True)


def enabled_again(person: User, settings) -> None:
    account.disable(person, at=now())
    account.enable(person)


@pytest.mark.parametrize("make", [by_token, break_glass, service, enabled_again])
def test_others_stay(settings, make):
    keiko = used(people.person("keiko"), -100)
    make(keiko, settings)

    review(days(0))
    review(days(8))

    assert is_enabled(keiko)


def test_the_last_administrator_stays(boss):
    used(boss, -100)
    review(days(0))

    review(days(8))

    assert is_enabled(boss)


def test_it_can_be_switched_off(settings):
    settings.INACTIVE_DAYS = 0
    keiko = used(people.person("keiko"), -1_000)

    assert [review(days(0)), review(days(30)), is_enabled(keiko)] == [0, 0, True]

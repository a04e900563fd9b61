"""API tokens: created by the command, and revoked."""

import io
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from tests.support.builders import AT, now
from tms.accounts import api_tokens
from tms.accounts.models import ApiToken, User

pytestmark = pytest.mark.both


@pytest.fixture
def person(db) -> User:
    return User.objects.create(username="ticketing")


def made(*arguments: str) -> str:
    out = io.StringIO()
    call_command("api_token", *arguments, stdout=out)
    return out.getvalue().strip()


def test_the_command_prints_a_token_that_works(person):
    secret = made("ticketing", "--name", "Ticket bridge")

    found = api_tokens.find(secret, at=now())

    assert found is not None
    assert (found.name, found.person) == ("Ticket bridge", person)
    assert found.expires_at is not None
    assert api_tokens.find(secret, at=now() + timedelta(days=366)) is None


@pytest.mark.parametrize(
    ("arguments", "message"), [(["ghost"], "no active person 'ghost'"), (["ticketing", "--days", "-1"], "-1")]
)
def test_the_command_reports_invalid_input(person, arguments, message):
    with pytest.raises(CommandError, match=message):
        made(*arguments, "--name", "x")


def test_revoking_twice_has_no_further_effect(person):
    api_tokens.issue(person, name="Bridge", at=AT)

    assert api_tokens.revoke(ApiToken.objects.all(), at=AT) == 1
    assert api_tokens.revoke(ApiToken.objects.all(), at=AT) == 0

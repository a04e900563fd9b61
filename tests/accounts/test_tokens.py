"""API tokens: created once, shown once, revoked."""

import io
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from tests.support import people
from tests.support.builders import AT, now
from tms.accounts import api_tokens
from tms.accounts.models import ApiToken, User

pytestmark = pytest.mark.both
FORM = {"name": "Bridge", "scope": "full", "days": "30"}


@pytest.fixture
def person(db) -> User:
    return User.objects.create(username="ticketing")


@pytest.fixture
def operator(db, client) -> User:
    made = User.objects.create(username="operator", is_staff=True, is_superuser=True)
    client.force_login(made)
    return made


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


def test_the_admin_shows_a_new_token_once(operator, person, client):
    people.sign_in_recently(client, operator)
    answer = client.post("/admin/accounts/apitoken/add/", FORM | {"person": person.pk})
    page = answer.content.decode()
    secret = page[page.index("tms_") :].split("<")[0]

    stored = ApiToken.objects.get()
    assert api_tokens.find(secret, at=now()) == stored
    assert secret not in client.get("/admin/accounts/apitoken/").content.decode()
    assert client.get(f"/admin/accounts/apitoken/{stored.pk}/change/").status_code == 200


def test_the_admin_revokes_what_is_selected(operator, person, client):
    token, secret = api_tokens.issue(person, name="Bridge", at=AT)

    client.post("/admin/accounts/apitoken/", {"action": "revoke_selected", "_selected_action": [token.pk]})

    assert api_tokens.find(secret, at=now()) is None


def test_staff_status_alone_does_not_permit_creating_tokens(operator, person, client):
    User.objects.update(is_superuser=False)

    assert client.get("/admin/accounts/apitoken/add/").status_code == 403


def test_creating_a_token_needs_a_recent_sign_in(operator, person, client):
    form = {"name": "Bridge", "person": person.pk, "days": "30"}

    answer = client.post("/admin/accounts/apitoken/add/", form)

    assert answer["Location"].startswith("/me/confirm/")
    assert not ApiToken.objects.exists()


@pytest.mark.parametrize(("rights", "number"), [({}, 1), ({"is_superuser": True}, 0)])
def test_a_manager_creates_tokens_only_for_people_with_no_more_permissions(person, client, rights, number):
    people.sign_in_recently(client, people.person("manager", of="Manager", is_staff=True))
    User.objects.filter(pk=person.pk).update(**rights)

    answer = client.post("/admin/accounts/apitoken/add/", FORM | {"person": person.pk})

    assert ApiToken.objects.count() == number
    assert ("whose permissions don&#x27;t exceed yours" in answer.content.decode()) is (number == 0)


def test_a_person_is_deleted_with_their_tokens(operator, person, client):
    api_tokens.issue(person, name="Bridge", at=AT)

    answer = client.post(f"/admin/accounts/user/{person.pk}/delete/", {"post": "yes"})

    assert answer.status_code == 302
    assert not ApiToken.objects.exists()


def test_revoking_twice_has_no_further_effect(person):
    api_tokens.issue(person, name="Bridge", at=AT)

    assert api_tokens.revoke(ApiToken.objects.all(), at=AT) == 1
    assert api_tokens.revoke(ApiToken.objects.all(), at=AT) == 0

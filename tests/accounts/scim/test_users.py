"""People by SCIM: the requests that Entra ID and Okta send, and what they must not reach."""

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.utils import timezone

from tests.support import people
from tests.support.accounts.directory import (
    ENTERPRISE,
    USER,
    Directory,
    id_of,
    made,
    ok,
    person,
    refused,
    service_account,
)
from tms.accounts import api_tokens
from tms.accounts.access.grant_scopes import GrantScope
from tms.accounts.models import AuditEntry, Grant, Team, User
from tms.accounts.people import account
from tms.accounts.roles import built_in

pytestmark = pytest.mark.both

OF_ENTRA: dict[str, Any] = {
    "schemas": [USER, ENTERPRISE],
    "externalId": "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef",
    "userName": "Keiko.Sato@noc.example",
    "active": True,
    "displayName": "佐藤 恵子",
    "emails": [{"primary": True, "type": "work", "value": "keiko.sato@noc.example"}],
    "meta": {"resourceType": "User"},
    "name": {"formatted": "Keiko Sato", "familyName": "Sato", "givenName": "Keiko"},
    "roles": [],
    ENTERPRISE: {"department": "NOC", "manager": {"value": "x"}},
}
OF_OKTA: dict[str, Any] = {
    "schemas": [USER],
    "userName": "keiko.sato@noc.example",
    "name": {"givenName": "Keiko", "familyName": "Sato"},
    "emails": [{"primary": True, "value": "keiko.sato@noc.example", "type": "work"}],
    "displayName": "Keiko Sato",
    "locale": "en-US",
    "externalId": "00ujl29u0le5T6Aj10h7",
    "groups": [],
    "password": "1mz050nq",
    "active": True,
}


@pytest.fixture
def keiko(directory) -> str:
    return directory.create("keiko@noc.example", externalId="k-1", name={"givenName": "Keiko", "familyName": "Sato"})


def actions() -> list[str]:
    return list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))


@pytest.mark.parametrize("body", [OF_ENTRA, OF_OKTA], ids=["entra", "okta"])
def test_a_person_is_created(directory, body):
    answer = directory.send("POST", "Users", body)

    keiko = person(made(answer))
    assert (keiko.username.lower(), keiko.email) == ("keiko.sato@noc.example", "keiko.sato@noc.example")
    assert (keiko.first_name, keiko.last_name, keiko.is_active) == ("Keiko", "Sato", True)
    assert not keiko.has_usable_password()
    assert not Grant.objects.filter(person=keiko).exists()
    shown = answer.json()
    assert shown["externalId"] == body["externalId"]
    assert shown["meta"] == {
        "resourceType": "User",
        "location": f"http://testserver/scim/v2/Users/person-{keiko.pk}",
        "version": answer["ETag"],
    }
    assert "password" not in shown
    entry = AuditEntry.objects.get(action="provisioned")
    assert (entry.actor_name, entry.token_name) == (directory.account.username, "sync")


DISABLING = {
    "Entra ID": {"op": "Replace", "path": "active", "value": "False"},
    "Entra ID with the compliance flag": {"op": "replace", "path": "active", "value": False},
    "Okta": {"op": "replace", "value": {"active": False}},
    "upper case": {"OP": "replace", "PATH": "ACTIVE", "VALUE": False},
    "add": {"op": "Add", "path": f"{USER}:active", "value": "false"},
}


@pytest.mark.parametrize("operation", DISABLING.values(), ids=DISABLING)
def test_a_person_is_disabled(directory, keiko, operation):
    ok(directory.patch(f"Users/{keiko}", operation))

    assert not person(keiko).is_active
    assert not ok(directory.get(f"Users/{keiko}"))["active"]
    assert actions()[-1] == "disabled"


CHANGES: dict[str, tuple[list[dict[str, Any]], dict[str, str]]] = {
    "a path of one attribute": (
        [{"op": "Replace", "path": "name.familyName", "value": "Mori"}],
        {"last_name": "Mori"},
    ),
    "several": (
        [
            {"op": "Replace", "path": "userName", "value": "mori@noc.example"},
            {"op": "Replace", "path": "name.givenName", "value": "恵子"},
        ],
        {"username": "mori@noc.example", "first_name": "恵子"},
    ),
    "an address that there was": (
        [{"op": "Replace", "path": 'emails[type eq "work"].value', "value": "new@noc.example"}],
        {"email": "new@noc.example"},
    ),
    "no path": (
        [{"op": "Add", "value": {"name.givenName": "Kay", f"{ENTERPRISE}:department": "NOC"}}],
        {"first_name": "Kay"},
    ),
    "what TMS does not have": (
        [
            {"op": "Add", "path": f"{ENTERPRISE}:department", "value": "NOC"},
            {"op": "Replace", "path": "displayName", "value": "K"},
            {"op": "Add", "path": 'phoneNumbers[type eq "work"].value', "value": "1"},
        ],
        {"first_name": "Keiko"},
    ),
    "an attribute removed": ([{"op": "Remove", "path": "name.familyName"}], {"last_name": ""}),
    "null": ([{"op": "replace", "path": "name.givenName", "value": None}], {"first_name": ""}),
    "its own id, as Okta sends it": (
        [{"op": "replace", "value": {"name": {"familyName": "Ito"}}}],
        {"last_name": "Ito"},
    ),
}


@pytest.mark.parametrize(("operations", "wanted"), CHANGES.values(), ids=CHANGES)
def test_attributes_are_changed(directory, keiko, operations, wanted):
    ok(directory.patch(f"Users/{keiko}", *operations))

    row = person(keiko)
    assert {name: getattr(row, name) for name in wanted} == wanted


def test_a_replacement_clears_what_it_does_not_name_and_repeating_it_changes_nothing(directory, keiko):
    body = {"schemas": [USER], "id": keiko, "userName": "keiko@noc.example", "name": {"familyName": "Mori"}}

    first = directory.send("PUT", f"Users/{keiko}", body)
    entries = len(actions())
    second = directory.send("PUT", f"Users/{keiko}", body)

    row = person(keiko)
    assert (row.first_name, row.last_name, row.is_active) == ("", "Mori", True)
    assert ok(first) == ok(second)
    assert len(actions()) == entries


INVALID = {
    "no userName": ({"userName": ""}, (400, "invalidValue")),
    "spaces": ({"userName": "keiko sato"}, (400, "invalidValue")),
    "too long": ({"userName": "k" * 151}, (400, "invalidValue")),
    "a name too long": ({"name": {"givenName": "k" * 151}}, (400, "invalidValue")),
    "an address that is none": ({"emails": [{"value": "nowhere"}]}, (400, "invalidValue")),
    "an id of the directory too long": ({"externalId": "x" * 256}, (400, "invalidValue")),
    "a username of another person": ({"userName": "MORI@noc.example"}, (409, "uniqueness")),
    "an address that is a username": ({"emails": [{"value": "mori@noc.example"}]}, (409, "uniqueness")),
    "an id of another person": ({"externalId": "m-1"}, (409, "uniqueness")),
    "the wrong type": ({"active": "perhaps"}, (400, "invalidValue")),
    "a list of names": ({"name": ["Keiko"]}, (400, "invalidValue")),
    "a NUL": ({"name": {"givenName": "\0"}}, (400, "invalidValue")),
}


@pytest.mark.parametrize(("changed", "error"), INVALID.values(), ids=INVALID)
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_what_does_not_fit_is_refused(directory, keiko, method, changed, error):
    directory.create("mori@noc.example", externalId="m-1")
    before = ok(directory.get(f"Users/{keiko}"))
    body = {"schemas": [USER], "userName": "new@noc.example", **changed}

    answer = directory.send(method, "Users" if method == "POST" else f"Users/{keiko}", body)

    assert refused(answer) == error
    assert ok(directory.get(f"Users/{keiko}")) == before
    assert not User.objects.filter(username="new@noc.example").exists()


def test_a_person_who_has_an_account_is_found_and_linked(directory):
    tanaka = people.person("tanaka@noc.example", of="Operator")

    [found] = ok(directory.get("Users", filter='userName eq "Tanaka@NOC.example"'))["Resources"]
    ok(directory.patch(f"Users/{found['id']}", {"op": "Add", "path": "externalId", "value": "t-1"}))

    assert found["id"] == id_of(tanaka)
    assert ok(directory.get("Users", filter='externalId eq "t-1"'))["totalResults"] == 1
    assert Grant.objects.filter(person=tanaka).exists()


# Leaving


def test_a_deleted_person_is_gone_and_their_account_gives_nothing_to_a_later_one(directory, keiko):
    row = person(keiko)
    people.grant(row, "Operator")
    row.set_password("watch-the-7-gates")
    row.save()
    team = Team.objects.create(name="Night shift")
    team.members.add(row)
    Authenticator.objects.create(user=row, type=Authenticator.Type.TOTP, data={})
    _, secret = api_tokens.issue(row, name="script", at=timezone.now())

    answer = directory.send("DELETE", f"Users/{keiko}")
    gone = [directory.get(f"Users/{keiko}"), directory.send("DELETE", f"Users/{keiko}")]
    again = directory.create("Keiko@noc.example", externalId="another")

    assert answer.status_code == 204
    assert [refused(each)[0] for each in gone] == [404, 404]
    row.refresh_from_db()
    assert again == keiko
    assert row.is_active
    assert not row.has_usable_password()
    assert not Grant.objects.filter(person=row).exists()
    assert not row.teams.exists()
    assert not Authenticator.objects.filter(user=row).exists()
    assert api_tokens.find(secret, at=timezone.now()) is None
    assert {"disabled", "withdrawn", "revoked", "member-removed", "deprovisioned", "enabled"} <= set(actions())


# What it must not reach


def superuser() -> User:
    return User.objects.create_superuser("root@noc.example")


def break_glass() -> User:
    return people.person("glass@noc.example", of=None)


ATTEMPTS = {
    "disable": ("PATCH", {"Operations": [{"op": "replace", "value": {"active": False}}]}),
    "rename": ("PATCH", {"Operations": [{"op": "replace", "path": "userName", "value": "x@noc.example"}]}),
    "link": ("PATCH", {"Operations": [{"op": "add", "path": "externalId", "value": "x"}]}),
    "replace": ("PUT", {"schemas": [USER], "userName": "x@noc.example"}),
    "delete": ("DELETE", None),
}


@pytest.mark.parametrize(("method", "body"), ATTEMPTS.values(), ids=ATTEMPTS)
@pytest.mark.parametrize("protected", [superuser, break_glass])
def test_superusers_and_break_glass_accounts_are_seen_but_not_changed(directory, settings, protected, method, body):
    settings.BREAK_GLASS = ["glass@noc.example"]
    row = protected()
    before = ok(directory.get(f"Users/{id_of(row)}"))

    assert refused(directory.send(method, f"Users/{id_of(row)}", body)) == (403, "")

    assert ok(directory.get(f"Users/{id_of(row)}")) == before


@pytest.mark.parametrize(("method", "body"), ATTEMPTS.values(), ids=ATTEMPTS)
def test_service_accounts_are_not_found(directory, method, body):
    row = directory.account

    assert refused(directory.get(f"Users/{id_of(row)}"))[0] == 404
    assert refused(directory.send(method, f"Users/{id_of(row)}", body))[0] == 404
    assert ok(directory.get("Users", filter=f'userName eq "{row.username}"'))["totalResults"] == 0


@pytest.mark.parametrize("attempt", ["disable", "delete"])
@pytest.mark.parametrize("through_team", [False, True])
def test_the_last_administrator_stays(directory, attempt, through_team):
    """A regional one, a disabled one and a break-glass account are no replacement."""
    last = people.person("last@noc.example", of=None)
    if through_team:
        team = Team.objects.create(name="Administrators")
        people.grant_team(team, "Administrator")
        team.members.add(last)
    else:
        people.grant(last, "Administrator")
    people.grant(people.person("regional", of=None), "Administrator", region="Kansai")
    disabled = people.person("disabled", of=None, is_active=False)
    people.grant(disabled, "Administrator")
    method, body = ATTEMPTS[attempt]

    answer = directory.send(method, f"Users/{id_of(last)}", body)

    assert refused(answer) == (403, "")
    assert "appoint another administrator" in answer.json()["detail"]
    last.refresh_from_db()
    assert last.is_active
    User.objects.filter(pk=disabled.pk).update(is_active=True)
    assert directory.send(method, f"Users/{id_of(last)}", body).status_code in {200, 204}


@pytest.fixture
def small(db) -> Directory:
    """A directory with a service account that may manage people, and grant no more than *Viewer*."""
    role = built_in("Viewer")
    role.pk, role.name, role.permissions, role.is_builtin = None, "Provisioning", ["manage_people"], False
    role.save()
    account = service_account("Viewer")
    Grant.objects.create(person=account, role=role)
    return Directory(account)


def enabled_again(key: str, *, of: str) -> User:
    """An administrator helps a person whom the directory had deleted."""
    row = person(key)
    account.enable(row)
    people.grant(row, of)
    return row


def test_a_deleted_person_who_was_granted_more_since_gets_no_other_address(small):
    key = small.create("keiko@noc.example")
    small.send("DELETE", f"Users/{key}")
    row = enabled_again(key, of="Administrator")
    body = {"schemas": [USER], "userName": "keiko@noc.example"}

    answer = small.send("POST", "Users", {**body, "emails": [{"value": "mine@evil.example"}]})
    row.refresh_from_db()

    assert (refused(answer), row.email) == ((403, ""), "")
    assert made(small.send("POST", "Users", body)) == key


def test_a_deleted_person_who_holds_more_than_the_service_account_is_only_disabled(small):
    """Otherwise a stolen token would leave one administrator, and nothing to give back to the others."""
    people.grant(people.person("boss", of=None), "Administrator")
    row = people.person("lead@noc.example", of=None, password="watch-the-7-gates")
    people.grant(row, "Administrator")
    body = {"schemas": [USER], "userName": "lead@noc.example"}

    assert small.send("DELETE", f"Users/{id_of(row)}").status_code == 204

    row.refresh_from_db()
    assert (row.is_active, row.has_usable_password(), row.grants.count()) == (False, True, 1)
    assert refused(small.get(f"Users/{id_of(row)}"))[0] == 404
    assert refused(small.send("POST", "Users", body)) == (403, "")


def test_a_deleted_person_who_is_the_last_administrator_since_is_not_created_inactive(directory, keiko):
    directory.send("DELETE", f"Users/{keiko}")
    enabled_again(keiko, of="Administrator")

    answer = directory.send("POST", "Users", {"schemas": [USER], "userName": "keiko@noc.example", "active": False})

    assert refused(answer) == (403, "")
    assert person(keiko).is_active


def test_a_service_account_takes_access_from_everyone_and_gives_only_what_it_holds(small):
    people.grant(people.person("boss", of=None), "Administrator")
    operator = people.person("operator@noc.example", of="Operator")
    rename = {"op": "replace", "path": "emails", "value": [{"value": "mine@evil.example"}]}

    assert refused(small.patch(f"Users/{id_of(operator)}", rename)) == (403, "")
    ok(small.patch(f"Users/{id_of(operator)}", DISABLING["Okta"]))
    assert refused(small.patch(f"Users/{id_of(operator)}", {"op": "replace", "value": {"active": True}}))[0] == 403

    operator.refresh_from_db()
    assert (operator.is_active, operator.email) == (False, "")


@pytest.mark.parametrize("scope", [GrantScope("Kansai")])
def test_managing_people_in_a_part_of_the_fleet_is_not_enough(db, scope):
    assert refused(Directory(service_account(scope=scope)).get("Users"))[0] == 403

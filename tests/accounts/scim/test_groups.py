"""Teams by SCIM."""

from typing import Any

import pytest

from tests.support import people
from tests.support.accounts.directory import GROUP, id_of, ok, person, refused
from tms.accounts.models import AuditEntry, Grant, Role, Team, User
from tms.accounts.scim.teams import MAX_CHANGES

pytestmark = pytest.mark.both


@pytest.fixture
def ids(directory) -> list[str]:
    return [directory.create(f"{name}@noc.example") for name in ("aiko", "ben", "chie", "dai")]


@pytest.fixture
def night(directory, ids) -> str:
    """Aiko and Ben."""
    return str(directory.create_group("Night shift", *ids[:2], externalId="g-1"))


def team(key: str) -> Team:
    return Team.objects.get(pk=key.removeprefix("team-"))


def test_a_group_becomes_a_team_without_grants(directory, ids, night):
    shown = ok(directory.get(f"Groups/{night}"))

    assert (shown["displayName"], shown["externalId"]) == ("Night shift", "g-1")
    assert [member["value"] for member in shown["members"]] == ids[:2]
    assert shown["members"][0]["$ref"] == f"http://testserver/scim/v2/Users/{ids[0]}"
    assert not Grant.objects.filter(team=team(night)).exists()
    assert ok(directory.get(f"Users/{ids[0]}"))["groups"] == [{"value": night, "display": "Night shift"}]


CHANGES: dict[str, tuple[list[dict[str, Any]], str]] = {
    "Entra ID adds": ([{"op": "Add", "path": "members", "value": [{"$ref": None, "value": "C"}]}], "ABC"),
    "Entra ID removes": ([{"op": "Remove", "path": "members", "value": [{"$ref": None, "value": "A"}]}], "B"),
    "one by a filter": ([{"op": "remove", "path": 'members[value eq "A"]'}], "B"),
    "by a filter in other case": ([{"op": "Remove", "path": f'{GROUP}:Members[VALUE EQ "A"]'}], "B"),
    "Okta adds, with a name": ([{"op": "add", "path": "members", "value": [{"value": "D", "display": "dai"}]}], "DAB"),
    "Okta replaces": ([{"op": "replace", "path": "members", "value": [{"value": "C"}, {"value": "D"}]}], "CD"),
    "without a path": ([{"op": "add", "value": {"Members": [{"value": "C"}]}}], "ABC"),
    "all removed": ([{"op": "remove", "path": "members"}], ""),
    "an empty list removed": ([{"op": "Remove", "path": "members", "value": []}], "AB"),
    "duplicates": ([{"op": "add", "path": "members", "value": [{"value": "C"}] * 50}], "ABC"),
    "a person who is no member": ([{"op": "remove", "path": 'members[value eq "D"]'}], "AB"),
    "an id that is none": ([{"op": "remove", "path": 'members[value eq "nobody"]'}], "AB"),
    "in this order": (
        [
            {"op": "remove", "path": "members"},
            {"op": "add", "path": "members", "value": {"value": "D"}},
            {"op": "replace", "value": {"id": "TEAM", "displayName": "Nights"}},
        ],
        "D",
    ),
}


@pytest.mark.parametrize(("operations", "members"), CHANGES.values(), ids=CHANGES)
def test_members_are_changed(directory, ids, night, operations, members):
    names = dict(zip("ABCD", ids, strict=True))

    ok(directory.patch(f"Groups/{night}", *filled(operations, {**names, "TEAM": night})))

    assert directory.members(night) == {names[letter] for letter in members}


def filled(value: Any, names: dict[str, str]) -> Any:
    """The value with the ids in place of the letters."""
    if isinstance(value, list):
        return [filled(each, names) for each in value]
    if isinstance(value, dict):
        return {name: filled(each, names) for name, each in value.items()}
    if isinstance(value, str) and '"' in value:
        head, letter, tail = value.split('"')
        return f'{head}"{names.get(letter, letter)}"{tail}'
    return names.get(value, value) if isinstance(value, str) else value


REFUSED: dict[str, tuple[dict[str, Any], tuple[int, str]]] = {
    "an unknown member": (
        {"op": "add", "path": "members", "value": [{"value": "person-999999"}]},
        (400, "invalidValue"),
    ),
    "a group in a group": ({"op": "add", "path": "members", "value": [{"value": "team-1"}]}, (400, "invalidValue")),
    "a text": ({"op": "add", "path": "members", "value": "person-1"}, (400, "invalidValue")),
    "a part of members": ({"op": "replace", "path": "members.value", "value": "person-1"}, (400, "invalidPath")),
    "a filter to add": (
        {"op": "add", "path": 'members[value eq "person-1"]', "value": {"value": "person-1"}},
        (400, "invalidPath"),
    ),
    "no name": ({"op": "replace", "path": "displayName", "value": ""}, (400, "invalidValue")),
    "a name too long": ({"op": "replace", "path": "displayName", "value": "x" * 101}, (400, "invalidValue")),
    "the name of another team": ({"op": "replace", "path": "displayName", "value": "DAY SHIFT"}, (409, "uniqueness")),
    "another id": ({"op": "replace", "value": {"id": "team-0"}}, (400, "mutability")),
}


@pytest.mark.parametrize(("operation", "error"), REFUSED.values(), ids=REFUSED)
def test_what_does_not_fit_is_refused_and_nothing_is_changed(directory, ids, night, operation, error):
    Team.objects.create(name="Day shift")
    before = ok(directory.get(f"Groups/{night}"))

    answer = directory.patch(
        f"Groups/{night}", {"op": "add", "path": "members", "value": [{"value": ids[2]}]}, operation
    )

    assert refused(answer) == error
    assert ok(directory.get(f"Groups/{night}")) == before


def test_a_team_made_in_tms_is_taken_over_by_its_name_but_not_deleted(directory, ids):
    known = Team.objects.create(name="Operators")
    people.grant_team(known, "Operator")

    [found] = ok(directory.get("Groups", filter='displayName eq "operators"', excludedAttributes="members"))[
        "Resources"
    ]
    refusal = directory.send("DELETE", f"Groups/{found['id']}")
    ok(directory.patch(f"Groups/{found['id']}", {"op": "add", "path": "members", "value": [{"value": ids[0]}]}))

    assert refused(refusal) == (403, "")
    assert "members" not in found
    assert list(known.members.values_list("username", flat=True)) == ["aiko@noc.example"]
    assert directory.send("DELETE", f"Groups/{found['id']}").status_code == 204
    assert not Team.objects.filter(pk=known.pk).exists()
    assert User.objects.filter(username="aiko@noc.example", is_active=True).exists()


def test_membership_is_found_by_a_filter(directory, ids, night):
    for number, expected in ((0, 1), (3, 0)):
        found = ok(directory.get("Groups", filter=f'id eq "{night}" and members eq "{ids[number]}"'))
        assert found["totalResults"] == expected


def test_service_accounts_in_a_team_stay(directory, ids, night):
    team(night).members.add(directory.account)

    ok(directory.send("PUT", f"Groups/{night}", {"schemas": [GROUP], "displayName": "Night shift", "members": []}))

    assert directory.members(night) == set()
    assert list(team(night).members.all()) == [directory.account]


def test_protected_accounts_join_no_team(directory, night):
    root = User.objects.create_superuser("root")

    answer = directory.patch(f"Groups/{night}", {"op": "add", "path": "members", "value": [{"value": id_of(root)}]})

    assert refused(answer) == (403, "")


@pytest.mark.parametrize("attempt", ["empty", "delete"])
def test_the_last_administrator_stays_in_their_team(directory, ids, attempt):
    key = directory.create_group("Administrators", ids[0])
    people.grant_team(team(key), "Administrator")

    answer = (
        directory.patch(f"Groups/{key}", {"op": "remove", "path": "members"})
        if attempt == "empty"
        else directory.send("DELETE", f"Groups/{key}")
    )

    assert refused(answer) == (403, "")
    assert directory.members(key) == {ids[0]}


def test_a_group_gives_only_what_the_service_account_holds(directory, ids, night):
    people.grant_team(team(night), "Administrator")
    Grant.objects.filter(person=directory.account).update(role=limited_role())
    people.grant(people.person("boss", of=None), "Administrator")

    adding = directory.patch(f"Groups/{night}", {"op": "add", "path": "members", "value": [{"value": ids[2]}]})
    ok(directory.patch(f"Groups/{night}", {"op": "remove", "path": f'members[value eq "{ids[0]}"]'}))

    assert refused(adding) == (403, "")
    assert directory.members(night) == {ids[1]}


def limited_role() -> Role:
    return Role.objects.create(name="Provisioning", permissions=["manage_people"])


def test_changes_of_members_are_in_the_audit_trail_by_name(directory, ids, night):
    entry = AuditEntry.objects.get(action="member-added")

    assert entry.changes == {"members": [None, "aiko@noc.example, ben@noc.example"]}
    assert (entry.actor_name, entry.token_name) == (directory.account.username, "sync")
    assert person(ids[0]).teams.get() == team(night)


def test_too_many_changes_are_refused_and_a_long_list_costs_no_more_queries(
    directory, night, django_assert_max_num_queries
):
    listed = [{"value": f"person-{number}"} for number in range(10**6, 10**6 + MAX_CHANGES + 1)]
    operations = [{"op": "remove", "path": f'members[value eq "person-{number}"]'} for number in range(900)]

    assert refused(directory.patch(f"Groups/{night}", {"op": "add", "path": "members", "value": listed}))[0] == 413
    with django_assert_max_num_queries(40):
        ok(directory.patch(f"Groups/{night}", *operations))

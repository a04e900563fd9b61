"""Deleting a role, a team or a group mapping, and removing a member, is undone from the toast."""

from collections.abc import Callable

import pytest
from django.core.serializers import serialize
from django.test import Client

from tests.support import people
from tests.support.factories import now
from tests.support.pages import undo_token
from tms.accounts import undo
from tms.accounts.models import Grant, GroupMapping, IdentityProvider, Role, Team, User
from tms.accounts.people import deleted

ROWS = (Role, Team, Grant, GroupMapping)


@pytest.fixture
def team(kansai) -> Team:
    made = Team.objects.create(name="Nights")
    made.members.add(people.person("keiko", of=None))
    people.grant_team(made, "Operator", region="Kansai")
    return made


@pytest.fixture
def role(team) -> Role:
    """An own role, held by a person and a team, and given by a group of a provider."""
    made = Role.objects.create(name="Staff", permissions=["handle_alerts"])
    Grant.objects.create(person=people.person("makoto", of=None), role=made, region="Kansai")
    Grant.objects.create(team=team, role=made)
    provider = IdentityProvider.objects.create(name="Company", slug="company", issuer="https://a", client_id="tms")
    provider.mappings.create(value="/noc/staff", role=made, region="Kansai")
    return made


def stored() -> list[str]:
    return [serialize("json", model.objects.order_by("pk")) for model in ROWS]


def role_page(role: Role) -> str:
    return f"/roles/{role.pk}/delete/"


def team_page(role: Role) -> str:
    return f"/people/teams/{Team.objects.get().pk}/delete/"


def member(role: Role) -> str:
    return f"/people/teams/{Team.objects.get().pk}/members/{User.objects.get(username='keiko').pk}/remove/"


def mapping(role: Role) -> str:
    found = role.mappings.get()
    return f"/people/identity-providers/{found.provider_id}/mappings/{found.pk}/remove/"


def token_of(browser: Client) -> str:
    """The token of the toast on the next page."""
    return undo_token(browser.get("/roles/"))


@pytest.mark.parametrize("address", [role_page, team_page, member, mapping])
def test_everything_comes_back_as_it_was_and_once(browser, role, address: Callable[[Role], str]):
    before = stored()
    browser.post(address(role))
    assert stored() != before
    token = token_of(browser)

    first, second = (browser.post("/undo/", {"token": token}, headers={"HX-Request": "true"}) for _ in range(2))

    assert b"Restored" in first.content
    assert b"Nothing to undo" in second.content
    assert stored() == before


def test_what_a_person_may_no_longer_give_does_not_come_back(browser, boss, role):
    token = deleted.of_role(role, by=boss)
    browser.post(role_page(role))
    boss.grants.all().delete()

    assert not undo.undo(token, by=User.objects.get(pk=boss.pk), at=now())
    assert not Role.objects.filter(name="Staff").exists()


def test_a_role_whose_grants_are_beyond_its_editor_has_no_undo(role):
    editor = people.person("editor", of=None)
    own = Role.objects.create(name="Role editor", permissions=["edit_roles", "handle_alerts"])
    Grant.objects.create(person=editor, role=own)

    assert deleted.of_role(role, by=editor) == ""

"""Roles: the matrix, and roles of one's own."""

import pytest

from tests.support import people
from tests.support.pages import HtmlPage
from tms.accounts import access
from tms.accounts.models import AuditEntry, Grant, IdentityProvider, Role, Team, User
from tms.accounts.people.roles.matrix import PARTS
from tms.accounts.permissions import Permission


@pytest.fixture
def staff(db) -> Role:
    return Role.objects.create(name="Station staff", permissions=["handle_alerts"])


def test_every_permission_is_in_the_matrix_once():
    placed = [permission for _label, permissions in PARTS for permission in permissions]

    assert sorted(placed) == sorted(Permission)


def test_the_matrix_shows_each_role_with_the_number_of_its_people(browser, staff):
    keiko, makoto = people.person("keiko", of=None), people.person("makoto", of=None)
    Grant.objects.create(person=keiko, role=staff)
    team = Team.objects.create(name="Nights")
    team.members.add(keiko, makoto)
    Grant.objects.create(team=team, role=staff)

    text = HtmlPage(browser.get("/roles/")).text("main")

    assert "Station staff 2 people, custom role" in text
    assert "Acknowledge, snooze, assign and resolve alerts and incidents handle_alerts" in text


def test_an_own_role_is_created_changed_and_deleted(browser):
    browser.post("/roles/new/", {"name": "Staff", "description": "", "permissions": ["write_notes"]})
    role = Role.objects.get(name="Staff")
    browser.post(f"/roles/{role.pk}/", {"name": "Staff", "description": "", "permissions": ["handle_alerts"]})
    role.refresh_from_db()
    changed = role.known_permissions
    Grant.objects.create(person=people.person("keiko", of=None), role=role)
    question = HtmlPage(browser.get(f"/roles/{role.pk}/delete/")).text("main")
    browser.post(f"/roles/{role.pk}/delete/")

    assert changed == {Permission.HANDLE_ALERTS}
    assert "1 grant uses it and is withdrawn: keiko (everything)" in question
    assert "1 person loses its permissions at once: keiko" in question
    assert not Role.objects.filter(name="Staff").exists()
    actions = AuditEntry.objects.exclude(action="signed-in").order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["created", "changed", "deleted", "withdrawn"]


def test_deleting_a_role_names_its_grants_people_and_groups_of_providers(browser, staff):
    provider = IdentityProvider.objects.create(name="Company", slug="company", issuer="https://a", client_id="tms")
    provider.mappings.create(value="/noc/staff", role=staff, region="Kansai")
    team = Team.objects.create(name="Nights")
    team.members.set([people.person(f"p-{number:02}", of=None) for number in range(12)])
    Grant.objects.create(team=team, role=staff, region="Kansai")
    address = f"/roles/{staff.pk}/delete/"

    question = HtmlPage(browser.get(address)).text("main")
    browser.post(address)

    assert "1 grant uses it and is withdrawn: team Nights (Kansai)" in question
    assert "12 people lose its permissions at once: p-00, p-01" in question
    assert "p-09 and 2 more" in question
    assert "1 group of an identity provider gives it no longer: /noc/staff · Company (Kansai)" in question
    entry = AuditEntry.objects.get(action="deleted", subject_type="accounts.role")
    assert entry.changes["grants"] == [["Nights: Station staff (Kansai)"], None]
    assert len(entry.changes["people"][0]) == 12
    assert entry.changes["mappings"] == [["Company: /noc/staff: Station staff (Kansai)"], None]
    assert AuditEntry.objects.filter(action="changed", subject_name="Company").exists()
    assert not provider.mappings.exists()


@pytest.mark.parametrize("path", ["", "delete/"])
def test_a_built_in_role_cannot_be_changed(browser, path):
    role = Role.objects.get(name="Viewer")

    assert browser.post(f"/roles/{role.pk}/{path}", {"name": "x"}).status_code == 403
    assert f"/roles/{role.pk}/" not in HtmlPage(browser.get("/roles/")).links()


def test_a_role_applies_everywhere_so_a_regional_manager_reads_only(region_browser, staff):
    assert region_browser.get("/roles/").status_code == 200
    for path in ("new/", f"{staff.pk}/", f"{staff.pk}/delete/"):
        assert region_browser.get(f"/roles/{path}").status_code == 403


def test_a_permission_that_the_editor_lacks_cannot_be_put_into_a_role(db, staff):
    editor = people.person("editor", of=None)
    editors = Role.objects.create(name="Editors", permissions=["edit_roles", "write_notes"])
    Grant.objects.create(person=editor, role=editors)
    browser = people.signed_in(editor)

    refused = browser.post(f"/roles/{staff.pk}/", {"name": "Station staff", "permissions": ["manage_people"]})
    browser.post(f"/roles/{staff.pk}/", {"name": "Station staff", "permissions": ["write_notes"]})

    staff.refresh_from_db()
    assert refused.status_code == 422
    assert staff.known_permissions == {Permission.HANDLE_ALERTS, Permission.WRITE_NOTES}


def test_who_lacks_a_permission_of_a_role_does_not_delete_it(db, staff):
    editor = people.person("editor", of=None)
    Grant.objects.create(person=editor, role=Role.objects.create(name="Editors", permissions=["edit_roles"]))
    browser = people.signed_in(editor)

    answers = [browser.get(f"/roles/{staff.pk}/delete/"), browser.post(f"/roles/{staff.pk}/delete/")]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert f"/roles/{staff.pk}/delete/" not in browser.get(f"/roles/{staff.pk}/").content.decode()
    assert Role.objects.filter(pk=staff.pk).exists()


def test_other_people_see_no_roles(db):
    assert people.signed_in(people.person("op", of="Operator")).get("/roles/").status_code == 403


def test_a_changed_role_applies_at_once(browser, staff):
    keiko = people.person("keiko", of=None)
    Grant.objects.create(person=keiko, role=staff)

    browser.post(f"/roles/{staff.pk}/", {"name": "Station staff", "permissions": []})

    assert not access.rights_of(User.objects.get(pk=keiko.pk)).scopes

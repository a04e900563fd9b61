"""People in the admin, added and edited by an operator."""

import pytest
from django.contrib.auth.models import Group, Permission

from tests.support import people
from tms.accounts.models import AuditEntry, User

PASSWORD = "watch-the-fleet-7"


def test_a_person_is_added_and_gets_a_language_and_a_theme(admin_client):
    admin_client.post(
        "/admin/accounts/user/add/",
        {"username": "aiko", "usable_password": "true", "password1": PASSWORD, "password2": PASSWORD},
    )
    person = User.objects.get(username="aiko")
    answer = admin_client.post(
        f"/admin/accounts/user/{person.pk}/change/",
        {
            "username": "aiko",
            "is_active": "on",
            "language": "ja",
            "theme": "dark",
            "date_joined_0": "2026-11-25",
            "date_joined_1": "09:00:00",
        },
    )

    person.refresh_from_db()
    assert answer.status_code == 302
    assert (person.language, person.theme) == ("ja", "dark")
    assert person.check_password(PASSWORD)


def test_an_unsupported_language_is_not_a_choice(admin_client, admin_user):
    answer = admin_client.post(f"/admin/accounts/user/{admin_user.pk}/change/", {"language": "tlh"})

    assert "tlh is not one of the available choices" in answer.content.decode()


def test_the_admin_is_for_staff(client, db):
    client.force_login(User.objects.create(username="watcher"))

    answer = client.get("/admin/fleet/terminal/")

    assert answer.status_code == 302
    assert answer["Location"].startswith("/admin/login/")


# Only superusers grant permissions.

CHANGED = {
    "username": "keeper",
    "is_active": "on",
    "is_staff": "on",
    "is_superuser": "on",
    "language": "ja",
    "theme": "dark",
    "date_joined_0": "2026-11-25",
    "date_joined_1": "09:00:00",
}


@pytest.fixture
def keeper(db, client) -> User:
    """May add and change people and groups, within their permissions."""
    made = people.person("keeper", is_staff=True)
    wanted = ("add_user", "change_user", "delete_user", "view_user", "change_group", "add_group", "delete_group")
    made.user_permissions.set(Permission.objects.filter(codename__in=wanted))
    client.force_login(made)
    return made


def test_a_tampered_form_grants_no_superuser(keeper, client):
    group = people.group("Manager")
    rights = {"groups": [group.pk], "user_permissions": [Permission.objects.get(codename="send_commands").pk]}

    answer = client.post(f"/admin/accounts/user/{keeper.pk}/change/", CHANGED | rights)

    keeper.refresh_from_db()
    assert (answer.status_code, keeper.theme) == (302, "dark")
    assert (keeper.is_superuser, keeper.is_staff) == (False, True)
    assert not keeper.groups.exists()
    assert not keeper.user_permissions.filter(codename="send_commands").exists()


@pytest.mark.parametrize("path", ["change/", "password/", "delete/"])
@pytest.mark.parametrize("of", ["superuser", "Manager"])
def test_an_account_with_more_permissions_cannot_be_taken_over(keeper, client, path, of):
    other = User.objects.create_superuser("boss") if of == "superuser" else people.person("boss", of=of)
    before = other.password

    answer = client.post(
        f"/admin/accounts/user/{other.pk}/{path}",
        CHANGED | {"username": "boss", "password1": PASSWORD, "password2": PASSWORD, "usable_password": "true"},
    )

    other.refresh_from_db()
    assert answer.status_code == 403
    assert (other.password, other.theme) == (before, "system")


def test_a_person_with_no_more_permissions_gets_a_new_password(keeper, client):
    mori = people.person("mori")
    sent = {"password1": PASSWORD, "password2": PASSWORD, "usable_password": "true"}

    assert client.post(f"/admin/accounts/user/{mori.pk}/password/", sent).status_code == 302
    mori.refresh_from_db()
    assert mori.check_password(PASSWORD)
    entry = AuditEntry.objects.get(subject_type="accounts.user", action="changed")
    assert (entry.action, entry.subject_name, entry.actor) == ("changed", "mori", keeper)
    assert PASSWORD not in str(entry.changes)


def test_groups_are_for_superusers_to_change(keeper, client):
    group = people.group("Viewer")
    sent = {"name": "Viewer", "permissions": [Permission.objects.get(codename="send_commands").pk]}

    answers = [
        client.post(f"/admin/auth/group/{group.pk}/change/", sent),
        client.post("/admin/auth/group/add/", {"name": "Mine"}),
        client.post(f"/admin/auth/group/{group.pk}/delete/", {"post": "yes"}),
    ]

    assert [answer.status_code for answer in answers] == [403] * 3
    assert [(one.name, one.permissions.filter(codename="send_commands").exists()) for one in Group.objects.all()] == [
        ("Viewer", False)
    ]


def test_staff_status_alone_shows_nothing_in_the_admin(client, db):
    client.force_login(people.person("staff", is_staff=True))

    assert client.get("/admin/fleet/site/").status_code == 403
    assert "/admin/" not in client.get("/").content.decode()

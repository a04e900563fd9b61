"""People for tests, with the built-in roles; staff also have the shipped groups, which only the admin uses."""

import json
import time
from functools import cache
from pathlib import Path
from typing import Any

from allauth.account.internal.userkit import user_id_to_str
from django.contrib.auth.models import Group, Permission
from django.db.models import Q
from django.test import Client

from tms.accounts.models import Grant, Team, User
from tms.accounts.roles import built_in

FIXTURE = Path(__file__).parents[2] / "fixtures/initial_data.json"
GROUPS = ("Viewer", "Operator", "Manager")
ROLES = {"": "Viewer", "Viewer": "Viewer", "Operator": "Operator", "Manager": "Lead"}
"""The built-in role of the people of each group."""


@cache
def shipped() -> dict[str, frozenset[str]]:
    """Each group of the fixture with the full names of its permissions."""
    rows = [row["fields"] for row in json.loads(FIXTURE.read_text()) if row["model"] == "auth.group"]
    return {row["name"]: frozenset(f"{app}.{code}" for code, app, _ in row["permissions"]) for row in rows}


def group(name: str) -> Group:
    made, is_new = Group.objects.get_or_create(name=name)
    if is_new:
        names = [full.split(".") for full in shipped()[name]]
        wanted = Q(*(Q(content_type__app_label=app, codename=code) for app, code in names), _connector=Q.OR)
        made.permissions.set(Permission.objects.filter(wanted))
    return made


def make_superuser(person: User) -> User:
    person.is_staff = person.is_superuser = True
    person.save()
    return person


def sign_in_recently(client: Client, person: User) -> None:
    """Sign in like `force_login`, but as by the form: changes that need a recent sign-in need no confirmation."""
    client.force_login(person)
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": time.time()}]
    session["account_authentication_methods_user"] = user_id_to_str(person)
    session.save()


def person(username: str, *, of: str | None = "", **fields: Any) -> User:
    """A person with the role of the group `of` for everything; by default a viewer. None: without any grant."""
    made = User.objects.create_user(username, **fields)
    if of and made.is_staff:
        made.groups.add(group(of))
    if of is not None:
        grant(made, ROLES[of])
    return made


def grant(person: User, role: str = "Viewer", **scope: Any) -> Grant:
    """A grant of a built-in role: `site=`, `group=` or `region=`, or for everything. Read by a new person object."""
    return Grant.objects.create(person=person, role=built_in(role), **scope)


def grant_team(team: Team, role: str = "Viewer", **scope: Any) -> Grant:
    """The same for all members of a team."""
    return Grant.objects.create(team=team, role=built_in(role), **scope)


def signed_in(person: User) -> Client:
    """A browser in which the person has just signed in."""
    client = Client()
    sign_in_recently(client, person)
    return client

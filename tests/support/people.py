"""People for tests, with the built-in roles."""

import time
from typing import Any

from allauth.account.internal.userkit import user_id_to_str
from django.test import Client

from tms.accounts.models import Grant, Team, User
from tms.accounts.roles import built_in

ROLES = {"": "Viewer", "Viewer": "Viewer", "Operator": "Operator", "Manager": "Lead"}
"""The built-in role of each kind of person."""


def make_superuser(person: User) -> User:
    person.is_superuser = True
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
    """A person with a role for everything, by default that of viewers: see `ROLES`. None: without any grant."""
    made = User.objects.create_user(username, **fields)
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

"""What a person may see and do. Every board and API reads through these functions, and nothing else decides."""

from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db import models

from tms.accounts.models import User

type Person = User | AnonymousUser


def visible[Rows: models.QuerySet[Any]](rows: Rows, *, to: Person) -> Rows:
    """The `rows` that a person may see: all of them when signed in, none otherwise."""
    return rows if may_watch(to) else rows.none()


def may_watch(person: Person) -> bool:
    return person.is_authenticated and person.is_active


def may_act(person: Person) -> bool:
    """May acknowledge alerts and send commands."""
    return may_watch(person)


def may_set_up(person: Person) -> bool:
    """May change destinations, policies and whatever else TMS goes by."""
    return may_watch(person) and person.is_staff


def may_edit_sites(person: Person) -> bool:
    """May change sites and when they are open."""
    return may_set_up(person) and person.has_perm("fleet.change_site")


def may_edit_rules(person: Person) -> bool:
    """May write, switch and delete the rules by which alerts open."""
    return may_set_up(person) and person.has_perm("alerts.change_rule")

"""Notification settings and people that a search finds."""

from functools import reduce
from operator import and_, attrgetter, or_
from typing import Any, NamedTuple

from django.db.models import Model, Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from tms.accounts.access import visible
from tms.accounts.people import directory
from tms.notifications.models.destination import Destination
from tms.notifications.models.policy import Policy
from tms.notifications.models.rotation import Rotation
from tms.search.hits import Hit, HitGroup, SourceQuery, Text, count_hits, fit_of


class NamedKind(NamedTuple):
    """Rows that are found by a name and have a page of their own."""

    name: str
    """The name of the kind, and of the URL of its page."""
    group: str
    label: Text
    icon: str
    title: str = "name"
    columns: tuple[str, ...] = ("name",)
    """The columns that are searched."""
    detail: str = ""
    order: str = "name"


DESTINATION = NamedKind(
    "destination", "destinations", _("Destinations"), "letter", columns=("name", "address"), detail="address"
)
POLICY = NamedKind("policy", "policies", _("Notification policies"), "escalate")
ROTATION = NamedKind("rotation", "rotations", _("Rotations"), "clock")
PERSON = NamedKind(
    *("person", "people", _("People"), "person", "display_name"),
    columns=("first_name", "last_name", "username", "email"),
    detail="email",
    order="username",
)
TEAM = NamedKind("team", "teams", _("Teams"), "people")


def destinations(search: SourceQuery) -> HitGroup:
    """Destinations by name and by the part of the address that pages show."""
    return _find(DESTINATION, visible(Destination.objects.not_deleted(), to=search.person), search)


def policies(search: SourceQuery) -> HitGroup:
    return _find(POLICY, visible(Policy.objects.not_deleted(), to=search.person), search)


def rotations(search: SourceQuery) -> HitGroup:
    return _find(ROTATION, visible(Rotation.objects.not_deleted(), to=search.person), search)


def people(search: SourceQuery) -> HitGroup:
    """The people whom the person manages."""
    return _find(PERSON, directory.managed(search.person), search)


def teams(search: SourceQuery) -> HitGroup:
    return _find(TEAM, directory.teams(search.person), search)


def _find(kind: NamedKind, rows: QuerySet[Model], search: SourceQuery) -> HitGroup:
    fitting = rows.filter(reduce(and_, (_contains(kind.columns, term) for term in search.terms)))
    listed = list(fitting.order_by(kind.order, "pk")[: search.limit])
    hits = [_hit(kind, row, search) for row in listed]
    return HitGroup(kind.group, kind.label, hits, count_hits(fitting, listed, search.limit))


def _contains(columns: tuple[str, ...], term: str) -> Q:
    return reduce(or_, (Q(**{f"{name}__icontains": term}) for name in columns))


def _hit(kind: NamedKind, row: Any, search: SourceQuery) -> Hit:
    title = attrgetter(kind.title)(row)
    return Hit(
        kind=kind.name,
        name=str(row.pk),
        title=title,
        href=reverse(kind.name, args=(row.pk,)),
        icon=kind.icon,
        detail=getattr(row, kind.detail) if kind.detail else "",
        fit=fit_of(search.terms, title, *(getattr(row, name) for name in kind.columns)),
    )

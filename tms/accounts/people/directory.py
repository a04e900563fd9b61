"""The people that a person manages: found, filtered and counted.

Who manages people everywhere sees all of them. Who manages them in a part of the fleet sees the people who hold a grant
there, and those without any grant whom they invited.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from operator import and_
from typing import Any, NamedTuple
from urllib.parse import urlencode

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.core.paginator import Page, Paginator
from django.db.models import OrderBy, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, Lower
from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from tms.accounts import access
from tms.accounts.access.grant_scopes import grants_within
from tms.accounts.models import Grant, Team, User
from tms.accounts.permissions import Permission
from tms.lib.sort_order import SortHeader, SortOrder, sort_headers
from tms.protocol.text import clean

IDLE = timedelta(days=30)
A_PAGE = 50
MAX_WORDS = 100
SEARCHED = ("username", "first_name", "last_name", "email")
SEARCHED_IN_GRANTS = ("role__name", "region", "site__name", "site__name_ja", "group__name", "team__name")


def managed(by: User) -> QuerySet[User]:
    """The people and service accounts that `by` manages."""
    scope = access.scope_of(by, Permission.MANAGE_PEOPLE)
    if scope.is_everything:
        return User.objects.all()
    if not scope:
        return User.objects.none()
    invited = Q(invitation__created_by=by) & ~holds(Grant.objects.all())
    return User.objects.filter(holds(Grant.objects.filter(grants_within(scope))) | invited)


def people(by: User) -> QuerySet[User]:
    return managed(by).filter(is_service=False)


def service_accounts(by: User) -> QuerySet[User]:
    return managed(by).filter(is_service=True).order_by("-is_active", "first_name", "pk")


def teams(by: User) -> QuerySet[Team]:
    """The teams that hold a grant in the scope of `by`, and those without any grant."""
    scope = access.scope_of(by, Permission.MANAGE_PEOPLE)
    if not scope:
        return Team.objects.none()
    within = Grant.objects.filter(grants_within(scope)).exclude(team=None)
    return Team.objects.filter(Q(grants=None) | Q(pk__in=within.values("team"))).distinct()


def holds(grants: QuerySet[Grant]) -> Q:
    """People who hold one of these grants, themselves or through a team."""
    members = Team.members.through.objects.filter(team__in=grants.exclude(team=None).values("team"))
    return Q(pk__in=grants.exclude(person=None).values("person")) | Q(pk__in=members.values("user"))


class PeopleFilter(NamedTuple):
    """A chip above the list."""

    value: str
    label: Any
    number: int
    is_chosen: bool


def is_idle(at: datetime) -> Q:
    seen = UserSession.objects.filter(last_seen_at__gt=at - IDLE).values("user")
    return Q(is_active=True, last_login__lte=at - IDLE) & ~Q(pk__in=seen)


def has_no_factor(_at: datetime) -> Q:
    """People with a password alone."""
    factors = Authenticator.objects.exclude(type=Authenticator.Type.RECOVERY_CODES)
    return Q(is_active=True) & ~Q(password__startswith=UNUSABLE_PASSWORD_PREFIX) & ~Q(pk__in=factors.values("user"))


def is_invited(_at: datetime) -> Q:
    return Q(is_active=True, invitation__isnull=False, invitation__accepted_at=None)


def has_no_grant(_at: datetime) -> Q:
    return Q(is_active=True, is_superuser=False) & ~holds(Grant.objects.all())


def is_disabled(_at: datetime) -> Q:
    return Q(is_active=False)


FILTERS: Mapping[str, tuple[Any, Callable[[datetime], Q]]] = {
    "no-factor": (_("No second factor"), has_no_factor),
    "idle": (_("Not seen for 30 days"), is_idle),
    "invited": (_("Invited"), is_invited),
    "no-grant": (_("No grants"), has_no_grant),
    "disabled": (_("Disabled"), is_disabled),
}


BY_NAME = SortOrder("name")
SEEN = Coalesce(
    Subquery(UserSession.objects.filter(user=OuterRef("pk")).order_by("-last_seen_at").values("last_seen_at")[:1]),
    "last_login",
)
SORT_KEYS: Mapping[str, Sequence[Any]] = {"name": (Lower("last_name"), Lower("first_name")), "seen": (SEEN,)}
"""Sort keys by column. Within each order, people whose accounts are disabled come last."""


@dataclass(frozen=True)
class PeopleSearch:
    """What a reader of the list asked for."""

    words: str
    chosen: Sequence[str]
    number: int
    by: User
    at: datetime
    order: SortOrder = BY_NAME

    @classmethod
    def of(cls, query: QueryDict, *, by: User, at: datetime) -> "PeopleSearch":
        page = query.get("page", "")
        number = int(page) if page.isascii() and page.isdigit() and len(page) < 9 else 1
        chosen = [name for name in FILTERS if name in query.getlist("f")]
        order = SortOrder.of(query, SORT_KEYS, default=BY_NAME)
        return cls(clean(query.get("q", ""))[:MAX_WORDS], chosen, number, by, at, order)

    def filters(self) -> list[PeopleFilter]:
        """Each with the number of people that it would show beside the other chosen ones."""
        rows = self._matches()
        return [
            PeopleFilter(name, label, rows.filter(self._filters(but=name), rule(self.at)).count(), name in self.chosen)
            for name, (label, rule) in FILTERS.items()
        ]

    def page(self) -> Page[User]:
        rows = self._matches().filter(self._filters()).select_related("provisioned")
        keys = [OrderBy(key, self.order.is_descending, nulls_last=True) for key in SORT_KEYS[self.order.column]]
        return Paginator(rows.order_by("-is_active", *keys, "username"), A_PAGE).get_page(self.number)

    def headers(self) -> dict[str, SortHeader]:
        return sort_headers(self.order, {"name": False, "seen": True}, address=self._address)

    def address(self, number: int = 1) -> str:
        return self._address(self.order, number)

    def _address(self, order: SortOrder, number: int = 1) -> str:
        pairs = [("q", self.words)] * bool(self.words) + [("f", name) for name in self.chosen]
        parameter = order.parameter(default=BY_NAME)
        pairs += [("order", parameter)] * bool(parameter) + [("page", str(number))] * (number > 1)
        return reverse("people") + (f"?{urlencode(pairs)}" if pairs else "")

    def _matches(self) -> QuerySet[User]:
        """People whom the words find."""
        known = Grant.objects.filter(grants_within(access.scope_of(self.by, Permission.MANAGE_PEOPLE)))
        return people(self.by).filter(reduce(and_, (_finds(word, known) for word in self.words.split()), Q()))

    def _filters(self, *, but: str = "") -> Q:
        """The chosen filters, without one of them."""
        return reduce(and_, (FILTERS[name][1](self.at) for name in self.chosen if name != but), Q())


def _finds(word: str, known: QuerySet[Grant]) -> Q:
    """The condition that the word is in names and addresses, or in the grants that the reader may know of."""
    of_person = [Q(**{f"{name}__icontains": word}) for name in SEARCHED]
    of_grant = [Q(**{f"{name}__icontains": word}) for name in SEARCHED_IN_GRANTS]
    return Q(*of_person, holds(known.filter(Q(*of_grant, _connector=Q.OR))), _connector=Q.OR)

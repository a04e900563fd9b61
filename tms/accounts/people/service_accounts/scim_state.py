"""The state of SCIM on the page of service accounts: tokens, last request, and what the directory manages."""

from datetime import datetime
from typing import NamedTuple

from django.db.models import Count, Max, Q
from django.http import HttpRequest
from django.utils import timezone

from tms.accounts import access
from tms.accounts.models import ApiToken, ProvisionedPerson, ProvisionedTeam, TokenScope, User
from tms.accounts.permissions import Permission
from tms.accounts.scope import EVERYTHING


class ScimState(NamedTuple):
    address: str
    """Where the directory sends its requests."""
    tokens: int
    """The number of valid tokens."""
    requested_at: datetime | None
    """The last request, accurate to a minute."""
    active: int
    disabled: int
    teams: int
    changed_at: datetime | None
    """The last change by the directory."""


def scim_state(request: HttpRequest, by: User) -> ScimState | None:
    """The state of SCIM, for people who manage all people; None for others."""
    if not access.may_within(by, Permission.MANAGE_PEOPLE, EVERYTHING):
        return None
    of_scim = Q(scope=TokenScope.SCIM)
    tokens = ApiToken.objects.filter(of_scim).aggregate(last=Max("used_at"))
    people = ProvisionedPerson.objects.aggregate(
        active=Count("pk", filter=Q(person__is_active=True)),
        disabled=Count("pk", filter=Q(person__is_active=False)),
        last=Max("changed_at"),
    )
    teams = ProvisionedTeam.objects.aggregate(number=Count("pk"), last=Max("changed_at"))
    return ScimState(
        request.build_absolute_uri("/scim/v2/").rstrip("/"),
        ApiToken.objects.valid(timezone.now()).filter(of_scim).count(),
        tokens["last"],
        people["active"],
        people["disabled"],
        teams["number"],
        max(filter(None, (people["last"], teams["last"])), default=None),
    )

"""Guards that a person who manages people everywhere always remains."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db.models import Q

from tms.accounts.models import Grant, Role, Team, User
from tms.accounts.permissions import Permission


class LastAdministratorError(Exception):
    """The change would leave nobody who manages people everywhere."""


@contextmanager
def keeping_one() -> Iterator[None]:
    """Raises LastAdministratorError, in the transaction of the change."""
    # One after the other: of two changes at once, each would count on the administrator of the other.
    list(Role.objects.select_for_update(no_key=True).order_by("pk"))
    had_one = has_administrator()
    yield
    if had_one and not has_administrator():
        raise LastAdministratorError


def has_administrator() -> bool:
    """Whether a person manages people everywhere, break-glass accounts aside."""
    key = Permission.MANAGE_PEOPLE.key
    roles = [role.pk for role in Role.objects.all() if key in role.permissions]
    grants = Grant.objects.filter(role__in=roles, region="", site=None, group=None)
    holders = Q(pk__in=grants.exclude(person=None).values("person"))
    members = Team.members.through.objects.filter(team__in=grants.exclude(team=None).values("team"))
    people = User.objects.filter(is_active=True, is_service=False).exclude(username__in=settings.BREAK_GLASS)
    return people.filter(Q(is_superuser=True) | holders | Q(pk__in=members.values("user"))).exists()

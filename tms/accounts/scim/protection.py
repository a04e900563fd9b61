"""What the directory must not do: change protected accounts, give what its service account does not hold, or take the
last administrator away.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from tms.accounts.access import administrators
from tms.accounts.models import Grant, Team, User
from tms.accounts.people import account
from tms.accounts.people.rows import grants_of_person
from tms.accounts.scim.errors import ScimError, forbidden
from tms.accounts.sign_in import break_glass


def check_unprotected(person: User) -> None:
    """Superusers and break-glass accounts are changed in TMS only. Service accounts are not found at all."""
    if person.is_superuser:
        raise forbidden(f"{person.username} is a superuser, whom only TMS changes")
    if break_glass.is_named(person):
        raise forbidden(f"{person.username} is a break-glass account, which only TMS changes")


def check_verified(person: User) -> None:
    """The directory adopts no account that a provider named: people who sign in there could have chosen it."""
    if not person.is_name_verified:
        text = f"an identity provider named {person.username}, which nobody verified; confirm the name in TMS first"
        raise ScimError(409, text, kind="uniqueness")


def check_may_give(by: User, holder: User | Team) -> None:
    """Who changes the address of an account, enables it, or adds people to a team, gives what it holds."""
    if (grant := _beyond(by, holder)) is not None:
        held = f"{grant.role.name} for {grant.scope_name}"
        raise forbidden(f"{holder} holds {held}, which this service account may not grant")


def may_give(by: User, holder: User) -> bool:
    return _beyond(by, holder) is None


def _beyond(by: User, holder: User | Team) -> Grant | None:
    """A grant of the holder that `by` may not give."""
    grants = grants_of_person(holder) if isinstance(holder, User) else Grant.objects.filter(team=holder)
    rows = grants.select_related("role", "site", "group")
    return next((grant for grant in rows if not account.may_change(by, grant)), None)


@contextmanager
def keeping_an_administrator() -> Iterator[None]:
    """Raises ScimError, in the transaction of the change, if nobody would be left who manages people everywhere."""
    try:
        with administrators.keeping_one():
            yield
    except administrators.LastAdministratorError:
        text = "this would leave nobody who manages people everywhere; appoint another administrator first"
        raise forbidden(text) from None

"""Who needs a second factor, and from when on.

People who need one and have none see a banner for `SECOND_FACTOR_GRACE_DAYS` from their first sign-in on. After that,
TMS asks for it at each sign-in before it shows anything else. Nobody is locked out: a factor can be set up right there,
and the only way in which a person can sign in is not removed.
"""

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Any

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django_htmx.http import HttpResponseClientRedirect

from tms.accounts.access import Granted, rights_of_people
from tms.accounts.models import Identity, User
from tms.accounts.sessions.claims import FACTOR_DUE, MUST_SET_UP
from tms.accounts.sign_in import break_glass

OPEN_PAGES = frozenset(
    {
        "security",
        "add-app",
        "make-recovery-codes",
        "add-passkey",
        "new-passkey-options",
        "confirm",
        "confirm-options",
        "sign-in-at-provider",
        "provider-callback",
        "saml-acs",
        "change-password",
        "choose-language",
        "choose-theme",
        "sign-out",
        "health",
        "metrics",
    }
)
"""The names of the pages that open before the factor is set up. At their provider people confirm that it is them."""


def is_required(person: User) -> bool:
    """Break-glass accounts are exempt: they are for the day on which phones and passkeys fail."""
    if settings.SECOND_FACTOR == "nobody" or break_glass.is_named(person):
        return False
    return settings.SECOND_FACTOR == "everyone" or any(Granted(person))


def required_of(people: Collection[User]) -> set[int]:
    """The primary keys of those who need one, with one query for all."""
    if settings.SECOND_FACTOR == "nobody":
        return set()
    rights = rights_of_people(people)
    is_needed = {pk: settings.SECOND_FACTOR == "everyone" or any(of.scopes.values()) for pk, of in rights.items()}
    return {person.pk for person in people if is_needed[person.pk] and not break_glass.is_named(person)}


def second_factors_of(person: User) -> QuerySet[Any]:
    """Recovery codes alone are none."""
    rows: QuerySet[Any] = Authenticator.objects.filter(user=person).exclude(type=Authenticator.Type.RECOVERY_CODES)
    return rows


def has_factor(person: User) -> bool:
    return second_factors_of(person).exists()


def is_only_way(way: Authenticator | Identity, *, of: User) -> bool:
    """Whether the person could not sign in any more without this passkey or identity."""
    passkeys = Authenticator.objects.filter(user=of, type=Authenticator.Type.WEBAUTHN)
    identities = Identity.objects.filter(person=of, provider__is_enabled=True)
    if isinstance(way, Identity):
        identities = identities.exclude(pk=way.pk)
    else:
        passkeys = passkeys.exclude(pk=way.pk)
    return not (of.has_usable_password() or passkeys.exists() or identities.exists())


def note(request: HttpRequest, person: User, *, at: datetime) -> None:
    """Called at each sign-in: the session remembers what is due, so that pages need no query."""
    if not is_required(person) or has_factor(person):
        return
    due_at = _due_at(person, at)
    if due_at <= at:
        request.session[MUST_SET_UP] = True
    else:
        request.session[FACTOR_DUE] = due_at.isoformat()


def settle(request: HttpRequest) -> None:
    """A factor was added."""
    for claim in (MUST_SET_UP, FACTOR_DUE):
        request.session.pop(claim, None)


def banner(request: HttpRequest) -> dict[str, object]:
    """Context of every page: until when the person has to set up a factor."""
    session = getattr(request, "session", {})
    due = session.get(FACTOR_DUE)
    return {"factor_due_at": datetime.fromisoformat(due) if due else None, "must_set_up": session.get(MUST_SET_UP)}


class SetUpMiddleware:
    """Redirects to the page of factors as long as one must be set up."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: Any, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        if not request.session.get(MUST_SET_UP) or request.resolver_match.url_name in OPEN_PAGES:
            return None
        if isinstance(request.user, User) and has_factor(request.user):
            settle(request)  # set up in another browser
            return None
        return HttpResponseClientRedirect("/me/security/") if request.htmx else redirect("security")


def _due_at(person: User, at: datetime) -> datetime:
    due_at = at + timedelta(days=settings.SECOND_FACTOR_GRACE_DAYS)
    if User.objects.filter(pk=person.pk, factor_due_at=None).update(factor_due_at=due_at):
        return due_at
    person.refresh_from_db(fields=["factor_due_at"])
    return person.factor_due_at or due_at

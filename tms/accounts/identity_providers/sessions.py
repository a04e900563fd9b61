"""The browser sessions that began at a provider, and their end."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from allauth.account.internal.flows.login import get_authentication_records
from allauth.usersessions.models import UserSession
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from tms.accounts.models import IdentityProvider, ProviderSession, User
from tms.accounts.sessions import browsers

METHOD = "identity_provider"
"""How the authentication records of a session name a sign-in at a provider."""


def has_factor(request: HttpRequest, person: User) -> bool:
    """Whether the person used, in this session, a second factor at a provider whose factors count."""
    return any(record.get("has_factor") for record in _records(request, person))


def provider_name(request: HttpRequest, person: User) -> str:
    """Where the person of this session signed in; empty if it was here."""
    for record in _records(request, person)[-1:]:
        return str(IdentityProvider.objects.get(identities=record["identity"]))
    return ""


def note(request: HttpRequest, person: User) -> None:
    """Called at each sign-in: remembers which session began at a provider."""
    for record in _records(request, person)[-1:]:
        ProviderSession.objects.update_or_create(
            session_key=request.session.session_key,
            defaults={"identity_id": record["identity"], "sid": record["sid"]},
        )


type Rows = QuerySet[ProviderSession]


def of(provider: IdentityProvider) -> Rows:
    return ProviderSession.objects.filter(identity__provider=provider)


@transaction.atomic
def end(rows: Rows) -> int:
    """Sign these browsers out; their boards close at once. Returns how many there were."""
    keys = list(rows.values_list("session_key", flat=True))
    by_person: defaultdict[User, list[UserSession]] = defaultdict(list)
    for browser in UserSession.objects.filter(session_key__in=keys).select_related("user"):
        by_person[browser.user].append(browser)
    for person, of_person in by_person.items():
        browsers.end(of_person, person=person)
    ProviderSession.objects.filter(session_key__in=keys).delete()
    return sum(map(len, by_person.values()))


def _records(request: HttpRequest, person: User) -> Sequence[dict[str, Any]]:
    return [record for record in get_authentication_records(request, person) if record.get("method") == METHOD]

"""The browser sessions that began at a provider, and their end."""

from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from allauth.account.internal.flows.login import get_authentication_records
from allauth.usersessions.models import UserSession
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from tms.accounts.models import IdentityProvider, ProviderSession, User
from tms.accounts.sessions import browsers
from tms.accounts.sessions.store import stored_key
from tms.lib import encryption

PURPOSE = b"tms.accounts.id_tokens"  # part of the key: it must not change
MAX_ID_TOKEN = 4_096
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
            session_key=stored_key(request.session.session_key),
            defaults={"identity_id": record["identity"], "sid": record["sid"]},
        )


class BeganAt(NamedTuple):
    """The provider at which a session began."""

    provider: IdentityProvider
    id_token: str
    """The ID token as the provider sent it; empty if TMS does not store it."""


def began_at(request: HttpRequest) -> BeganAt | None:
    """The provider at which the session began; None if it began with a sign-in to TMS itself."""
    rows = ProviderSession.objects.filter(session_key=stored_key(request.session.session_key))
    row = rows.select_related("identity__provider").first()
    if row is None or not isinstance(request.user, User):
        return None
    records = _records(request, request.user)
    stored = next((record.get("id_token", "") for record in reversed(records)), "")
    return BeganAt(row.identity.provider, _plain(stored))


def stored_id_token(provider: IdentityProvider, id_token: str) -> str:
    """The ID token, encrypted for the session, which shows the provider later who signs out; empty if it is not needed.

    Long ones are left out: the provider asks the person then.
    """
    is_needed = provider.signs_out and 0 < len(id_token) <= MAX_ID_TOKEN
    return encryption.encrypt({"id_token": id_token}, purpose=PURPOSE) if is_needed else ""


def _plain(stored: str) -> str:
    with suppress(encryption.DecryptionError):
        return encryption.decrypt(stored, purpose=PURPOSE).get("id_token", "")
    return ""


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

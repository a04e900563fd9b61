"""A test sign-in: what the provider sent, and what would follow. Nobody is signed in, and nothing is stored."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from tms.accounts import access
from tms.accounts.identity_providers import groups, provisioning
from tms.accounts.models import Identity, IdentityProvider
from tms.accounts.people.rows import Chip
from tms.accounts.permissions import Permission
from tms.accounts.scope import EVERYTHING
from tms.accounts.sign_in.assertion import Assertion, SignInRefused
from tms.protocol.text import clean, storable

MAX_CLAIMS = 100
MAX_VALUE = 500


class ReceivedClaim(NamedTuple):
    name: str
    value: str


class Trial(NamedTuple):
    """What a sign-in would do."""

    refusal: str = ""
    person: str = ""
    is_new: bool = False
    chips: tuple[Chip, ...] = ()
    unmapped: tuple[str, ...] = ()
    """Groups without a mapping."""
    has_factor: bool = False


def show(
    request: HttpRequest, provider: IdentityProvider, claims: Mapping[str, Any], assertion: Callable[[], Assertion]
) -> HttpResponse:
    """`assertion` reads it from the `claims`, and may raise SignInRefused."""
    access.demand_within(request.user, Permission.EDIT_PROVIDERS, EVERYTHING)
    values = {
        "nav_item": "people",
        "provider": provider,
        "claims": list(_claims_to_show(claims)),
        "trial": try_out(provider, assertion),
    }
    return render(request, "accounts/providers/trial.html", values)


def try_out(provider: IdentityProvider, assertion: Callable[[], Assertion]) -> Trial:
    """Signs in as far as the database, and takes everything back."""
    try:
        asserted = assertion()
    except SignInRefused as error:
        return Trial(refusal=str(error))
    mappings = groups.matching(provider, asserted.groups)
    chips = tuple(Chip(str(mapping.role), groups.scope_of(mapping).label) for mapping in mappings)
    unmapped = tuple(sorted(asserted.groups - {mapping.value for mapping in mappings}))
    known = Identity.objects.filter(provider=provider, issuer=asserted.issuer, subject=asserted.subject)
    found = Trial(chips=chips, unmapped=unmapped, has_factor=asserted.has_factor, is_new=not known.exists())
    return _identify(provider, asserted, found)


def _identify(provider: IdentityProvider, asserted: Assertion, found: Trial) -> Trial:
    with transaction.atomic():
        try:
            person = provisioning.identify(provider, asserted, at=timezone.now()).person
            return found._replace(person=person.display_name)
        except SignInRefused as error:
            return found._replace(refusal=str(error))
        finally:
            transaction.set_rollback(True)


def _claims_to_show(claims: Mapping[str, Any]) -> Iterator[ReceivedClaim]:
    for name in sorted(claims)[:MAX_CLAIMS]:
        text = json.dumps(claims[name], ensure_ascii=False)
        yield ReceivedClaim(clean(storable(name))[:100], clean(storable(text))[:MAX_VALUE])

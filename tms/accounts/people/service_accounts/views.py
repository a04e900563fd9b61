"""Service accounts, and the API tokens of all accounts."""

from collections import Counter
from datetime import timedelta
from typing import NamedTuple

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from tms.accounts import api_tokens
from tms.accounts.decorators import AuthenticatedRequest, needs
from tms.accounts.factors.confirmation import recently_signed_in
from tms.accounts.models import ApiToken, User
from tms.accounts.people import context, directory, rows
from tms.accounts.people.context import ShownSecret
from tms.accounts.people.forms import ServiceAccountForm, ServiceTokenForm
from tms.accounts.people.service_accounts import services
from tms.accounts.people.service_accounts.panel import may_issue, tokens_managed, tokens_of
from tms.accounts.people.service_accounts.scim_state import scim_state
from tms.accounts.people.views import find_person, person_page
from tms.accounts.permissions import Permission


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(Permission.MANAGE_PEOPLE)
def service_accounts(request: AuthenticatedRequest) -> HttpResponse:
    """The list of service accounts; a POST creates one."""
    form = ServiceAccountForm(request.POST if request.method == "POST" else None, by=request.user)
    if request.method == "POST" and form.is_valid():
        name, role = form.cleaned_data["name"], form.cleaned_data["role"]
        made = services.create(name, role=role, scope=form.found, by=request.user)
        return redirect("person", made.pk)
    by = request.user
    values = {"accounts": _lines(by), "form": form, "tokens": tokens_managed(by), "scim": scim_state(request, by)}
    return context.page(request, "service-accounts", values, tab="service-accounts", is_refused=bool(form.errors))


class AccountLine(NamedTuple):
    person: User
    chips: list[rows.Chip]
    tokens: int
    """The number of valid tokens."""


def _lines(by: User) -> list[AccountLine]:
    found = list(directory.service_accounts(by))
    valid = Counter(tokens_managed(by).values_list("person", flat=True))
    grants = rows.grants_by_person(found, by=by)
    return [AccountLine(one, rows.chips_of(grants.get(one.pk, ())), valid[one.pk]) for one in found]


@require_POST
@never_cache
@needs(Permission.MANAGE_TOKENS)
@recently_signed_in
def issue_token(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """The secret is shown once, in the response itself."""
    person = _issuable(request.user, find_person(request.user, pk))
    form = ServiceTokenForm(request.POST, address=reverse("issue-token", args=(pk,)))
    if not form.is_valid():
        return person_page(request, person, is_refused=True, **tokens_of(request.user, person, form=form))
    at, name, days = timezone.now(), form.cleaned_data["name"], form.cleaned_data["days"]
    expires_at, scope = at + timedelta(days=days), form.cleaned_data["scope"]
    _token, secret = api_tokens.issue(person, name=name, at=at, expires_at=expires_at, scope=scope)
    return person_page(request, person, secret=_shown_secret(name, secret))


@require_POST
@never_cache
@needs(Permission.MANAGE_TOKENS)
@recently_signed_in
def rotate_token(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Rotate a token of a service account: people rotate their own tokens themselves."""
    token = get_object_or_404(tokens_managed(request.user).filter(person__is_service=True), pk=pk)
    person = _issuable(request.user, token.person)
    secret = services.rotate(token, at=timezone.now())
    if secret is None:
        return redirect("person", person.pk)
    return person_page(request, person, secret=_shown_secret(token.name, secret))


@require_POST
@never_cache
@needs(Permission.MANAGE_TOKENS)
def revoke_token(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Revoke a token of any account that the reader may change, or their own."""
    token = get_object_or_404(tokens_managed(request.user), pk=pk)
    if not may_revoke(request.user, token):
        raise PermissionDenied
    api_tokens.revoke(ApiToken.objects.filter(pk=token.pk), at=timezone.now())
    return redirect("person", token.person_id) if token.person.is_service else redirect("service-accounts")


def may_revoke(by: User, token: ApiToken) -> bool:
    return token.person_id == by.pk or may_issue(by, token.person)


def _issuable(by: User, person: User) -> User:
    if not person.is_service or not may_issue(by, person):
        raise PermissionDenied
    return person


def _shown_secret(name: str, secret: str) -> ShownSecret:
    title = gettext("Token %(name)s") % {"name": name}
    hint = gettext("Copy it now. It is shown only once; TMS stores only a hash of it.")
    return ShownSecret(title, secret, hint)

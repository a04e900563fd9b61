"""Signing in again before a dangerous change: a session that was left open, or stolen, is not enough for it."""

import time
from collections.abc import Callable
from functools import wraps
from typing import Concatenate

from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.base.internal.flows import post_authentication
from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render, resolve_url
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods
from django_htmx.http import HttpResponseClientRedirect

from tms.accounts.decorators import AuthenticatedRequest, PageRequest, View, sign_in_required
from tms.accounts.factors.forms import CodeForm, ConfirmPasswordForm, PasskeyForm
from tms.accounts.factors.second_factor import kinds_of, status_of
from tms.accounts.models import FactorPolicy, IdentityProvider, User
from tms.accounts.sign_in.next_page import first_own, page_of

type FactorForm = CodeForm | PasskeyForm


def is_recent(request: PageRequest) -> bool:
    """Whether the person signed in, or confirmed that it is them, within `CONFIRM_MINUTES` in this session."""
    last = max((record["at"] for record in get_authentication_records(request, request.user)), default=0.0)
    return bool(time.time() - last < settings.CONFIRM_MINUTES * 60)


def recently_signed_in[**P](view: View[P]) -> Callable[Concatenate[PageRequest, P], HttpResponseBase]:
    """Redirects to the page that asks for the factor or password again, and from there back to the page of the form."""

    @wraps(view)
    def guarded(request: AuthenticatedRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if is_recent(request):
            return view(request, *args, **kwargs)
        address = f"{resolve_url('confirm')}?{urlencode({'next': page_of(request, otherwise=resolve_url('security'))})}"
        return HttpResponseClientRedirect(address) if request.htmx else redirect(address)

    return sign_in_required(guarded)


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@sign_in_required
def confirm(request: AuthenticatedRequest) -> HttpResponse:
    """Asks for the second factor, or for the password of people who have none."""
    kinds, form = kinds_of(request.user), form_of(request)
    if form.is_bound and form.is_valid():
        _record(request, form)
        return redirect(_own(request, request.POST.get("next", "")))
    context = {"form": form, "next": _own(request, request.GET.get("next", ""), request.POST.get("next", "")), **kinds}
    context["providers"] = _providers(request.user, has_factor=kinds["has_app"] or kinds["has_passkey"])
    return render(request, "accounts/security/confirm.html", context, status=status_of(form.is_bound))


def form_of(request: AuthenticatedRequest) -> FactorForm | ConfirmPasswordForm:
    kinds = kinds_of(request.user)
    if not kinds["has_app"] and not kinds["has_passkey"]:
        return ConfirmPasswordForm(request, request.user)
    if "credential" in request.POST:
        return PasskeyForm(request, request.user)
    return CodeForm(request, request.user, at=timezone.now())


def _providers(person: User, *, has_factor: bool) -> QuerySet[IdentityProvider]:
    """Where the person can confirm: with a second factor, only if signing in there may be one, too."""
    own = IdentityProvider.objects.enabled().filter(identities__person=person)
    return own.exclude(factor_policy=FactorPolicy.NEVER) if has_factor else own


def _record(request: AuthenticatedRequest, form: FactorForm | ConfirmPasswordForm) -> None:
    if isinstance(form, ConfirmPasswordForm):
        record_authentication(request, request.user, "password", reauthenticated=True)
    else:
        post_authentication(request, form.factor, reauthenticated=True)


def _own(request: AuthenticatedRequest, *addresses: str) -> str:
    return first_own(request, *addresses, otherwise=resolve_url("security"))

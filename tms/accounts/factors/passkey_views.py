"""Making a passkey, and signing in with one."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from tms.accounts.decorators import AuthenticatedRequest, sign_in_required
from tms.accounts.factors import passkeys, services
from tms.accounts.factors.confirmation import recently_signed_in
from tms.accounts.factors.forms import NewPasskeyForm
from tms.accounts.factors.second_factor import status_of
from tms.accounts.factors.views import METHODS, after_adding
from tms.accounts.sign_in import steps
from tms.accounts.sign_in.next_page import first_own
from tms.metrics.instruments import SIGN_IN_PASSKEYS

CHALLENGE_S = 300


@require_POST
@never_cache
def sign_in_options(request: HttpRequest) -> JsonResponse:
    """A challenge, in a session that is kept no longer than a sign-in takes."""
    if not request.user.is_authenticated:
        request.session.set_expiry(CHALLENGE_S)
    return JsonResponse(passkeys.request_options())


@sensitive_post_parameters()
@require_POST
@never_cache
def sign_in(request: HttpRequest) -> HttpResponse:
    """The passkey names the person and is both factors: no step follows."""
    page = first_own(request, request.POST.get("next", ""), otherwise=resolve_url(settings.LOGIN_REDIRECT_URL))
    try:
        passkey = passkeys.verify(request.POST.get("credential", ""), person=None)
    except ValidationError:
        SIGN_IN_PASSKEYS.labels("rejected").inc()
        return redirect(f"{resolve_url('sign-in')}?{urlencode({'passkey': 'rejected', 'next': page})}")
    SIGN_IN_PASSKEYS.labels("accepted").inc()
    return steps.after_passkey(request, passkey, next_page=page)


@require_POST
@never_cache
@sign_in_required
def confirm_options(request: AuthenticatedRequest) -> JsonResponse:
    return JsonResponse(passkeys.request_options(request.user))


@require_POST
@never_cache
@recently_signed_in
def new_options(request: AuthenticatedRequest) -> JsonResponse:
    return JsonResponse(passkeys.creation_options(request.user))


@sensitive_post_parameters()
@require_http_methods(METHODS)
@never_cache
@recently_signed_in
def add_passkey(request: AuthenticatedRequest) -> HttpResponse:
    is_sent = request.method == "POST"
    form = NewPasskeyForm(request.POST if is_sent else None, request.user)
    if is_sent and form.is_valid():
        return after_adding(request, services.add_passkey(request.user, form.cleaned_data["name"], form.made))
    return render(request, "accounts/security/passkey.html", {"form": form}, status=status_of(is_sent))

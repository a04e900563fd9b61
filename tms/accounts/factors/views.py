"""A person's own factors: `/me/security/`."""

from http import HTTPStatus

from allauth.mfa.models import Authenticator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from tms.accounts.decorators import AuthenticatedRequest, sign_in_required
from tms.accounts.factors import policy, services, totp
from tms.accounts.factors.confirmation import recently_signed_in
from tms.accounts.factors.forms import AppForm
from tms.accounts.factors.second_factor import status_of
from tms.accounts.sessions.browser_rows import browser_rows
from tms.lib.qr_code import qr_path

SECRET = "new_app_secret"  # noqa: S105  (the key in the session)
METHODS = ["GET", "HEAD", "POST"]
Type = Authenticator.Type


@require_safe
@never_cache
@sign_in_required
def security(request: AuthenticatedRequest) -> HttpResponse:
    """People come back to it after each change of a factor, and may end their other sessions here."""
    return render(
        request, "accounts/security/page.html", {"browsers": browser_rows(request.user, current=request.session)}
    )


@sensitive_post_parameters()
@require_http_methods(METHODS)
@never_cache
@recently_signed_in
def add_app(request: AuthenticatedRequest) -> HttpResponse:
    """GET: a new secret, as QR code and text. POST: the first code of the app."""
    is_sent = request.method == "POST"
    secret = _secret(request, is_new=not is_sent)
    form = AppForm(request.POST if is_sent else None, secret=secret, at=timezone.now())
    if is_sent and form.is_valid():
        del request.session[SECRET]
        return after_adding(request, services.add(request.user, Type.TOTP, totp.data_of(secret, form.step)))
    context = {"form": form, "secret": _in_groups(secret), **_qr_code(request, secret)}
    return render(request, "accounts/security/app.html", context, status=status_of(is_sent))


@require_POST
@never_cache
@recently_signed_in
def make_recovery_codes(request: AuthenticatedRequest) -> HttpResponse:
    has_factor = policy.has_factor(request.user)
    return show_codes(request, services.make_recovery_codes(request.user) if has_factor else [])


@require_http_methods(METHODS)
@never_cache
@recently_signed_in
def remove_factor(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    own = policy.second_factors_of(request.user)
    factor = get_object_or_404(own, pk=pk)
    if request.method == "POST" and services.remove(factor):
        return redirect("security")
    is_needed = services.is_needed(factor, of=request.user)
    context = {"factor": factor, "is_last": own.count() == 1, "is_needed": is_needed}
    status = HTTPStatus.CONFLICT if request.method == "POST" else HTTPStatus.OK
    return render(request, "accounts/security/remove.html", context, status=status)


def after_adding(request: AuthenticatedRequest, codes: list[str]) -> HttpResponse:
    policy.settle(request)
    return show_codes(request, codes)


def show_codes(request: AuthenticatedRequest, codes: list[str]) -> HttpResponse:
    """The response itself contains the codes, so that no session stores them. Without any: back to the list."""
    if not codes:
        return redirect("security")
    return render(
        request, "accounts/security/codes.html", {"codes": "\n".join(map(_in_groups, codes)), "number": len(codes)}
    )


def _secret(request: AuthenticatedRequest, *, is_new: bool) -> str:
    """The secret of the app that is being added. Encrypted, because sessions are rows."""
    if is_new or SECRET not in request.session:
        request.session[SECRET] = totp.encrypt(totp.new_secret())
    return str(totp.decrypt(request.session[SECRET]))


def _qr_code(request: AuthenticatedRequest, secret: str) -> dict[str, object]:
    address = totp.address(request.user, secret)
    size, path = qr_path(address)
    return {"address": address, "size": size, "path": path}


def _in_groups(text: str) -> str:
    """The text in groups of four characters, which people read and type more easily."""
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))

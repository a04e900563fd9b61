"""The step of a sign-in that asks for the second factor, and its page: `/sign-in/code/`."""

from http import HTTPStatus
from typing import Any

from allauth.account.internal.decorators import login_stage_required
from allauth.mfa.base.internal.flows import post_authentication
from allauth.mfa.models import Authenticator
from allauth.mfa.stages import AuthenticateStage
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from tms.accounts.factors.adapter import factors_of
from tms.accounts.factors.forms import CodeForm
from tms.accounts.models import User
from tms.accounts.sessions import provider as provider_sessions

Type = Authenticator.Type


class SecondFactorStage(AuthenticateStage):  # type: ignore[misc]  # django-allauth has no types
    """The step after the password, for people with an authenticator app or a passkey.

    A factor that they used at an identity provider takes its place, if the provider's settings say so.
    """

    urlname = "second-factor"

    def handle(self) -> tuple[HttpResponse | None, bool]:
        is_asked = self._should_handle(self.request) and not provider_sessions.has_factor(self.request, self.login.user)
        return (redirect(self.urlname) if is_asked else None), True


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@login_stage_required(stage=SecondFactorStage.key, redirect_urlname="sign-in")  # type: ignore[untyped-decorator]
def second_factor(request: HttpRequest) -> HttpResponse:
    """Ask for the second factor: only in the browser in which the password was right, and only for some minutes."""
    stage = request._login_stage  # type: ignore[attr-defined]  # set by the decorator
    person: User = stage.login.user
    if not person.is_active:
        return redirect("sign-in")
    form = CodeForm(request, person, at=timezone.now())
    if form.is_bound and form.is_valid():
        post_authentication(request, form.factor)
        response: HttpResponse = stage.exit()
        return response
    context = {"form": form, "person": person, "next_page": stage.login.redirect_url, **kinds_of(person)}
    return render(request, "accounts/second-factor.html", context, status=status_of(form.is_bound))


def kinds_of(person: User) -> dict[str, Any]:
    kinds = {factor.type for factor in factors_of(person)}
    return {
        "has_app": Type.TOTP in kinds,
        "has_passkey": Type.WEBAUTHN in kinds,
        "has_codes": bool(kinds & {Type.TOTP, Type.RECOVERY_CODES}),
    }


def status_of(is_rejected: bool) -> HTTPStatus:
    return HTTPStatus.UNPROCESSABLE_ENTITY if is_rejected else HTTPStatus.OK

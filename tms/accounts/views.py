"""The pages to sign in and out, change one's password, and choose a theme or a language."""

from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.password_validation import password_validators_help_texts
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render, resolve_url
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST
from django_htmx.http import reswap, retarget

from tms.accounts import access
from tms.accounts.audit import recorder
from tms.accounts.decorators import AuthenticatedRequest, PageRequest, sign_in_required
from tms.accounts.factors import passkeys
from tms.accounts.forms import PasswordForm
from tms.accounts.identity_providers.oidc import sign_out as sign_out_there
from tms.accounts.language import is_spoken
from tms.accounts.mail import notices
from tms.accounts.mail.notices import Notice
from tms.accounts.me import preferences
from tms.accounts.models import Density, IdentityProvider, Theme, User
from tms.accounts.password_reset import mail as password_reset
from tms.accounts.sessions import keys
from tms.accounts.sign_in import steps
from tms.accounts.sign_in.next_page import first_own

SIGN_IN = "accounts/sign-in.html"
COOKIE_AGE_S = 365 * 24 * 3600


class SignIn(LoginView):
    template_name = SIGN_IN
    redirect_authenticated_user = True
    extra_context = {"tries": settings.SIGN_IN_FAILURES, "minutes": settings.SIGN_IN_WINDOW_S / 60}

    def get_context_data(self, **kwargs: Any) -> dict[str, object]:
        offered = {
            "can_reset": password_reset.is_possible(),
            "providers": IdentityProvider.objects.enabled(),
            "has_passkeys": passkeys.is_used(),
        }
        return super().get_context_data(**kwargs) | offered

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        return steps.after_password(self.request, form.get_user(), next_page=self.get_success_url())


sign_in = SignIn.as_view()


class SignOut(LogoutView):
    """The browser also forgets pages that it may go back to. Some providers sign the person out, too."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        onward = sign_out_there.onward(request)
        response = super().post(request, *args, **kwargs)
        if onward:  # a page that leads there: the policy of forms allows no redirect to another site
            response = render(request, "accounts/providers/sign-out.html", {"address": onward})
        response["Clear-Site-Data"] = '"cache"'
        return response


sign_out = SignOut.as_view()


def forbidden(request: PageRequest, exception: Exception) -> HttpResponse:
    """Explains the missing permission: as a dialog for htmx, regardless of the target, else as a page."""
    context = {"reason": str(exception) if isinstance(exception, access.Forbidden) else ""}
    if not request.htmx:
        return render(request, "403.html", context, status=HTTPStatus.FORBIDDEN)
    answer = render(request, "403.html#dialog", context, status=HTTPStatus.FORBIDDEN)
    return reswap(retarget(answer, "#dialog"), "innerHTML")


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@sign_in_required
def change_password(request: AuthenticatedRequest) -> HttpResponse:
    """Every other session of the person ends, because sessions contain a hash of the password."""
    is_sent = request.method == "POST"
    form = PasswordForm(request.user, request.POST if is_sent else None, request=request)
    if is_sent and form.is_valid():
        with keys.follow(request.session):
            form.save()
            recorder.record("password-changed", request.user)
            notices.send(request.user, Notice.PASSWORD_CHANGED)
            update_session_auth_hash(request, request.user)
        return redirect(f"{resolve_url('change-password')}?changed=1")
    context = {"form": form, "rules": password_validators_help_texts(), "is_changed": "changed" in request.GET}
    return render(
        request, "accounts/password.html", context, status=HTTPStatus.UNPROCESSABLE_ENTITY if is_sent else HTTPStatus.OK
    )


@require_POST
def choose_theme(request: HttpRequest) -> HttpResponse:
    theme = request.POST.get("theme", "")
    if theme not in Theme.values:
        return HttpResponseBadRequest(gettext("Unknown theme. Choose one of: %s.") % ", ".join(Theme.values))
    if isinstance(request.user, User):
        preferences.store(request.user, theme=theme)
    return redirect(_back(request))


@require_POST
@sign_in_required
def choose_density(request: AuthenticatedRequest) -> HttpResponse:
    density = request.POST.get("density", "")
    if density not in Density.values:
        return HttpResponseBadRequest(gettext("Unknown density. Choose one of: %s.") % ", ".join(Density.values))
    preferences.store(request.user, density=density)
    return redirect(_back(request))


@require_POST
def choose_language(request: HttpRequest) -> HttpResponse:
    language = request.POST.get("language", "")
    if not is_spoken(language):
        known = ", ".join(dict(settings.LANGUAGES))
        return HttpResponseBadRequest(gettext("Unknown language. Choose one of: %s.") % known)
    if isinstance(request.user, User):
        preferences.store(request.user, language=language)
    response = redirect(_back(request))
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME, language, COOKIE_AGE_S, secure=settings.HTTPS_ONLY, httponly=True, samesite="Lax"
    )
    return response


def _back(request: HttpRequest) -> str:
    """The page that contained the form, if it is one of ours."""
    addresses = (request.POST.get("next", ""), request.META.get("HTTP_REFERER", ""))
    return first_own(request, *addresses, otherwise=resolve_url(settings.LOGIN_REDIRECT_URL))

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from tms.accounts.language import is_spoken
from tms.accounts.models import Theme, User

SIGN_IN = "accounts/sign-in.html"
COOL_OFF = timedelta(hours=settings.AXES_COOLOFF_TIME)
COOKIE_AGE_S = 365 * 24 * 3600

sign_in = LoginView.as_view(
    template_name=SIGN_IN,
    redirect_authenticated_user=True,
    extra_context={"tries": settings.AXES_FAILURE_LIMIT, "minutes": COOL_OFF.total_seconds() // 60},
)
sign_out = LogoutView.as_view()


def locked_out(
    request: HttpRequest, response: HttpResponse | None = None, credentials: dict[str, Any] | None = None
) -> HttpResponse:
    """After too many wrong tries: the same page whether or not such a person exists (R16)."""
    context = {"is_locked": True, "minutes": COOL_OFF.total_seconds() // 60}
    answer = render(request, SIGN_IN, context, status=429)
    answer["Retry-After"] = f"{COOL_OFF.total_seconds():.0f}"
    return answer


@require_POST
def choose_theme(request: HttpRequest) -> HttpResponse:
    theme = request.POST.get("theme", "")
    if theme not in Theme.values:
        return HttpResponseBadRequest(gettext("Choose one of these themes: %s.") % ", ".join(Theme.values))
    if isinstance(request.user, User):
        User.objects.filter(pk=request.user.pk).update(theme=theme)
    return redirect(_back(request))


@require_POST
def choose_language(request: HttpRequest) -> HttpResponse:
    language = request.POST.get("language", "")
    if not is_spoken(language):
        known = ", ".join(dict(settings.LANGUAGES))
        return HttpResponseBadRequest(gettext("Choose one of these languages: %s.") % known)
    if isinstance(request.user, User):
        User.objects.filter(pk=request.user.pk).update(language=language)
    response = redirect(_back(request))
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME, language, COOKIE_AGE_S, secure=settings.HTTPS_ONLY, httponly=True, samesite="Lax"
    )
    return response


def _back(request: HttpRequest) -> str:
    """The page that the form stood on, if it is one of ours."""
    for address in (request.POST.get("next", ""), request.META.get("HTTP_REFERER", "")):
        if url_has_allowed_host_and_scheme(address, {request.get_host()}, require_https=request.is_secure()):
            return address
    return resolve_url(settings.LOGIN_REDIRECT_URL)

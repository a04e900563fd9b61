"""API tokens of one's own. A secret is shown in the response itself, so that no session or message stores it."""

from datetime import datetime
from http import HTTPStatus

from django.db.models import F, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render, resolve_url
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from tms.accounts import api_tokens
from tms.accounts.decorators import AuthenticatedRequest, sign_in_required
from tms.accounts.factors.confirmation import recently_signed_in
from tms.accounts.me.token_forms import TokenForm, TokenRotationForm
from tms.accounts.models import ApiToken, User


def tokens_of(person: User, *, at: datetime) -> QuerySet[ApiToken]:
    """The valid tokens, newest first, and then old secrets after a rotation."""
    mine = ApiToken.objects.valid(at).filter(person=person)
    return mine.order_by(F("replaced_by").desc(nulls_first=True), "-pk")


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@recently_signed_in
def new_token(request: AuthenticatedRequest) -> HttpResponse:
    form = TokenForm(request.user, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        return _shown_once(request, *form.issue())
    return _form(request, "accounts/me/token-new.html", form)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@recently_signed_in
def rotate_token(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    token = get_object_or_404(tokens_of(request.user, at=timezone.now()), pk=pk, replaced_by=None)
    form = TokenRotationForm(request.POST if request.method == "POST" else None)
    if not form.is_bound or not form.is_valid():
        return _form(request, "accounts/me/token-rotate.html", form, token)
    try:
        new, secret = api_tokens.rotate(token, at=timezone.now(), overlap=form.cleaned_data["overlap"])
    except api_tokens.NotRotatableError:
        raise Http404 from None
    return _shown_once(request, new, secret, old=token)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@sign_in_required
def revoke_token(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    token = get_object_or_404(tokens_of(request.user, at=timezone.now()), pk=pk)
    if request.method != "POST":
        return render(request, "accounts/me/token-revoke.html", {"nav_item": "me", "token": token})
    api_tokens.revoke(ApiToken.objects.filter(pk=token.pk), at=timezone.now())
    return redirect(f"{resolve_url('me')}#tokens")


def _form(
    request: AuthenticatedRequest, template: str, form: TokenForm | TokenRotationForm, token: ApiToken | None = None
) -> HttpResponse:
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.is_bound else HTTPStatus.OK
    return render(request, template, {"nav_item": "me", "form": form, "token": token}, status=status)


def _shown_once(
    request: AuthenticatedRequest, token: ApiToken, secret: str, *, old: ApiToken | None = None
) -> HttpResponse:
    if old is not None:
        old.refresh_from_db()
    context = {"nav_item": "me", "token": token, "secret": secret, "old": old}
    return render(request, "accounts/me/token-secret.html", context)

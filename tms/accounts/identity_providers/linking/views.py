"""`/me/providers/`: link one's own account to a provider, and unlink it."""

from http import HTTPStatus

from django.contrib.auth import logout
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render, resolve_url
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from tms.accounts.access import administrators
from tms.accounts.decorators import AuthenticatedRequest
from tms.accounts.factors import policy
from tms.accounts.factors.confirmation import recently_signed_in
from tms.accounts.identity_providers.linking import services
from tms.accounts.identity_providers.oidc import views as oidc
from tms.accounts.identity_providers.oidc.pending import Purpose
from tms.accounts.models import Identity, IdentityProvider, ProviderSession
from tms.accounts.people.context import refused_without_administrator
from tms.accounts.sessions.store import stored_key


@require_POST
@never_cache
@recently_signed_in
def link(request: AuthenticatedRequest, slug: str) -> HttpResponse:
    """Leads to the provider, which asks the person to sign in there again."""
    provider = get_object_or_404(IdentityProvider.objects.enabled(), slug=slug)
    if not services.may_link(request.user):
        raise Http404
    return oidc.leave(request, provider, Purpose.LINK, resolve_url("security"))


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@recently_signed_in
def unlink(request: AuthenticatedRequest, slug: str) -> HttpResponse:
    own = Identity.objects.filter(person=request.user).select_related("provider", "person")
    identity = get_object_or_404(own, provider__slug=slug)
    key = stored_key(request.session.session_key)
    began_there = ProviderSession.objects.filter(identity=identity, session_key=key).exists()
    try:
        is_unlinked = request.method == "POST" and services.unlink(identity)
    except administrators.LastAdministratorError:
        return refused_without_administrator(request)
    if is_unlinked:
        if began_there:
            logout(request)  # its row is gone already
        return redirect("security")
    context = {
        "identity": identity,
        "is_only_way": policy.is_only_way(identity, of=request.user),
        "grants": request.user.grants.filter(provider=identity.provider).count(),
        "began_there": began_there,
    }
    status = HTTPStatus.CONFLICT if request.method == "POST" else HTTPStatus.OK
    return render(request, "accounts/providers/unlink.html", context, status=status)

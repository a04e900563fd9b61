"""Back-channel logout (OpenID Connect Back-Channel Logout 1.0): the provider ends sessions that began there."""

from datetime import datetime, timedelta
from http import HTTPStatus

from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from tms.accounts.audit import recorder
from tms.accounts.identity_providers.oidc import tokens
from tms.accounts.identity_providers.oidc.metadata import ProviderAwayError, ProviderError
from tms.accounts.identity_providers.oidc.tokens import Claims, TokenError
from tms.accounts.identity_providers.oidc.views import find_provider
from tms.accounts.models import IdentityProvider, SpentToken
from tms.accounts.sessions import provider as provider_sessions
from tms.metrics.instruments import PROVIDER_LOGOUTS

MAX_TOKEN_AGE = timedelta(seconds=600)
"""How old a logout token may be. An accepted one is remembered for twice as long."""


@csrf_exempt
@require_POST
@never_cache
def backchannel_logout(request: HttpRequest, slug: str) -> HttpResponse:
    """200 when the sessions have ended, or if there were none; 400 for a token that is not accepted."""
    provider = find_provider(slug)
    try:
        end(provider, tokens.logout_token(request.POST.get("logout_token", ""), provider), at=timezone.now())
    except (TokenError, ProviderError) as error:
        PROVIDER_LOGOUTS.labels("refused").inc()
        refusal = {"error": "invalid_request", "error_description": str(error)}
        is_away = isinstance(error, ProviderAwayError)  # the provider sends the token again
        status = HTTPStatus.SERVICE_UNAVAILABLE if is_away else HTTPStatus.BAD_REQUEST
        return JsonResponse(refusal, status=status)
    PROVIDER_LOGOUTS.labels("accepted").inc()
    return HttpResponse()


@transaction.atomic
def end(provider: IdentityProvider, claims: Claims, *, at: datetime) -> int:
    """End the sessions that a logout token names, and return how many there were. Raises TokenError for a used one."""
    if not (at - MAX_TOKEN_AGE).timestamp() <= claims["iat"] <= (at + MAX_TOKEN_AGE).timestamp():
        raise TokenError("iat is too long ago")
    if not SpentToken.objects.spend(claims["jti"], until=at + 2 * MAX_TOKEN_AGE, provider=provider):
        raise TokenError("jti was used before")
    number = provider_sessions.end(_sessions_named(provider, claims))
    recorder.record("logged-out", provider, {"sessions": (number, 0)})
    return number


def _sessions_named(provider: IdentityProvider, claims: Claims) -> provider_sessions.Rows:
    """The session `sid`; without one, or if it is unknown, all sessions of the subject."""
    rows = provider_sessions.of(provider).filter(identity__issuer=claims["iss"])
    if "sub" in claims:
        rows = rows.filter(identity__subject=claims["sub"])
    of_sid = rows.filter(sid=claims["sid"]) if claims.get("sid") else rows
    is_unknown = "sub" in claims and not of_sid.exists()
    return rows.filter(sid="") if is_unknown else of_sid

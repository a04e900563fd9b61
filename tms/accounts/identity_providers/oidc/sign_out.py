"""Sign out at the provider, too (OpenID Connect RP-Initiated Logout 1.0)."""

from urllib.parse import urlencode

import structlog
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import get_language

from tms.accounts.identity_providers.oidc.metadata import ProviderError, directory
from tms.accounts.sessions import provider as provider_sessions

log = structlog.get_logger(__name__)


def return_uri(request: HttpRequest) -> str:
    """Where the provider sends the browser back to."""
    return request.build_absolute_uri(reverse("sign-in"))


def onward(request: HttpRequest) -> str:
    """Where the browser must go to be signed out at the provider, too; empty if it need not.

    Call it before the session ends. If the provider does not answer, the person is signed out of TMS alone.
    """
    began = provider_sessions.began_at(request)
    if began is None or not began.provider.signs_out or not began.provider.is_enabled:
        return ""
    try:
        endpoint = directory().document(began.provider).end_session_endpoint
    except ProviderError as error:
        log.warning("provider_sign_out_failed", provider=began.provider.slug, error=str(error))
        return ""
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{_query(request, began)}" if endpoint else ""


def _query(request: HttpRequest, began: provider_sessions.BeganAt) -> str:
    fields = {
        "id_token_hint": began.id_token,
        "client_id": began.provider.client_id,
        "post_logout_redirect_uri": return_uri(request),
        "ui_locales": get_language() or "en",
    }
    return urlencode({name: value for name, value in fields.items() if value})

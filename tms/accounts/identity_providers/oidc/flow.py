"""The authorization code flow with PKCE (OpenID Connect Core 1.0, 3.1; RFC 7636; RFC 9700)."""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote_plus, urlencode

import msgspec
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import get_language, gettext

from tms.accounts.identity_providers.oidc import metadata, tokens
from tms.accounts.identity_providers.oidc.metadata import DiscoveryDocument, ProviderError, directory
from tms.accounts.identity_providers.oidc.pending import Pending, Purpose
from tms.accounts.identity_providers.oidc.tokens import Claims
from tms.accounts.models import IdentityProvider

MAX_CODE = 4_096
MAX_ERROR = 200


class TokenAnswer(msgspec.Struct, frozen=True):
    """What the token endpoint returns, as far as TMS uses it."""

    id_token: str = ""
    access_token: str = ""
    error: str = ""
    error_description: str = ""


def redirect_uri(request: HttpRequest, provider: IdentityProvider) -> str:
    return request.build_absolute_uri(reverse("provider-callback", args=(provider.slug,)))


def address(request: HttpRequest, provider: IdentityProvider, state: str, pending: Pending) -> str:
    """Where the browser is sent to. Raises ProviderError."""
    endpoint = directory().document(provider).authorization_endpoint
    parameters = {
        "response_type": "code",
        "response_mode": "query",
        "client_id": provider.client_id,
        "redirect_uri": redirect_uri(request, provider),
        "scope": provider.scopes,
        "state": state,
        "nonce": pending.nonce,
        "code_challenge": pending.challenge,
        "code_challenge_method": "S256",
        "ui_locales": get_language() or "en",
    }
    if provider.acr_values:
        parameters["acr_values"] = provider.acr_values
    if pending.purpose != Purpose.SIGN_IN:
        parameters["prompt"] = "login"
        parameters["max_age"] = "0"
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(parameters)}"


def claims_of(
    request: HttpRequest, provider: IdentityProvider, pending: Pending, answer: Mapping[str, str]
) -> dict[str, Any]:
    """The verified claims of the person who returned with `answer`. Raises ProviderError and TokenError."""
    document = directory().document(provider)
    issuer = answer.get("iss")
    if issuer != provider.issuer and (issuer is not None or document.authorization_response_iss_parameter_supported):
        raise ProviderError(gettext("The response comes from another provider (iss)."))  # mix-up (RFC 9207)
    if "error" in answer:
        raise ProviderError(_error(answer["error"], answer.get("error_description", "")))
    tokens_of = _exchange(request, provider, document, pending, answer.get("code", "")[:MAX_CODE])
    claims = dict(tokens.id_token(tokens_of.id_token, provider, nonce=pending.nonce))
    return {**_userinfo(provider, document, tokens_of, claims), **claims}


def _exchange(
    request: HttpRequest, provider: IdentityProvider, document: DiscoveryDocument, pending: Pending, code: str
) -> TokenAnswer:
    fields = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri(request, provider),
        "code_verifier": pending.verifier,
    }
    headers, secret = {}, provider.client_secret
    if not secret:
        fields["client_id"] = provider.client_id
    elif "client_secret_basic" in document.token_endpoint_auth_methods_supported:
        name = f"{quote_plus(provider.client_id)}:{quote_plus(secret)}"  # RFC 6749, 2.3.1
        headers["Authorization"] = f"Basic {b64encode(name.encode()).decode()}"
    else:
        fields |= {"client_id": provider.client_id, "client_secret": secret}
    answer = metadata.ask(document.token_endpoint, headers=headers, fields=fields)
    try:
        found = metadata.decoded(answer.body, TokenAnswer)
    except ValueError:
        found = TokenAnswer(error=str(answer.status))
    if answer.status != 200 or found.error or not found.id_token:
        raise ProviderError(_error(found.error or "no id_token", found.error_description))
    return found


def _userinfo(
    provider: IdentityProvider, document: DiscoveryDocument, answer: TokenAnswer, claims: Claims
) -> Mapping[str, Any]:
    """Claims that many providers send only here. Those of the ID token, which is signed, take precedence."""
    if not (document.userinfo_endpoint and answer.access_token):
        return {}
    headers = {"Authorization": f"Bearer {answer.access_token}"}
    got = metadata.ask(document.userinfo_endpoint, headers=headers)
    try:
        found = metadata.decoded(got.body, dict[str, Any])
    except ValueError:
        return {}
    is_theirs = got.status == 200 and found.get("sub") == claims["sub"]  # Core 1.0, 5.3.2
    return found if is_theirs else {}


def _error(code: str, description: str) -> str:
    shown = " ".join(part for part in (code, description) if part)[:MAX_ERROR]
    return gettext("The provider refused: %(error)s") % {"error": shown}

"""The authorization code flow with PKCE (OpenID Connect Core 1.0, 3.1; RFC 7636; RFC 9700)."""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote_plus, urlencode

import msgspec
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext

from tms.accounts.identity_providers.oidc import client_key, metadata, tokens
from tms.accounts.identity_providers.oidc.claims import merged
from tms.accounts.identity_providers.oidc.metadata import DiscoveryDocument, ProviderError, directory
from tms.accounts.identity_providers.oidc.pending import Pending, Purpose
from tms.accounts.identity_providers.oidc.tokens import Claims
from tms.accounts.models import ClientAuth, IdentityProvider

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
    is_asked_again = pending.purpose != Purpose.SIGN_IN
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
        "max_age": 0 if is_asked_again else settings.SESSION_COOKIE_AGE,  # else many providers send no auth_time
    }
    if provider.acr_values:
        parameters["acr_values"] = provider.acr_values
    if is_asked_again:
        parameters["prompt"] = "login"
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(parameters)}"


class Returned(NamedTuple):
    """A person who returned from the provider."""

    claims: dict[str, Any]
    """Verified."""
    id_token: str


def person_of(
    request: HttpRequest, provider: IdentityProvider, pending: Pending, answer: Mapping[str, str]
) -> Returned:
    """The person who returned with `answer`. Raises ProviderError, TokenError and DecryptionError."""
    document = directory().document(provider)
    issuer = answer.get("iss")
    if issuer != provider.issuer and (issuer is not None or document.authorization_response_iss_parameter_supported):
        raise ProviderError(gettext("The response comes from another provider (iss)."))  # mix-up (RFC 9207)
    if "error" in answer:
        raise ProviderError(_error(answer["error"], answer.get("error_description", "")))
    tokens_of = _exchange(request, provider, document, pending, answer.get("code", "")[:MAX_CODE])
    claims = dict(tokens.id_token(tokens_of.id_token, provider, nonce=pending.nonce))
    return Returned(merged(claims, _userinfo(provider, document, tokens_of, claims)), tokens_of.id_token)


def _exchange(
    request: HttpRequest, provider: IdentityProvider, document: DiscoveryDocument, pending: Pending, code: str
) -> TokenAnswer:
    fields = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri(request, provider),
        "code_verifier": pending.verifier,
    }
    headers, proof = _client_proof(provider, document)
    fields |= proof
    answer = directory().ask(provider, document.token_endpoint, headers=headers, fields=fields)
    try:
        found = metadata.decode(answer.body, TokenAnswer)
    except ValueError:
        found = TokenAnswer(error=str(answer.status))
    if answer.status != 200 or found.error or not found.id_token:
        raise ProviderError(_error(found.error or "no id_token", found.error_description))
    return found


def _client_proof(provider: IdentityProvider, document: DiscoveryDocument) -> tuple[dict[str, str], dict[str, str]]:
    """Headers and fields by which the token endpoint knows TMS. Raises DecryptionError."""
    named = {"client_id": provider.client_id}
    if provider.client_auth == ClientAuth.PRIVATE_KEY:
        assertion = client_key.assertion(provider, at=timezone.now())
        return {}, {**named, "client_assertion_type": client_key.ASSERTION_TYPE, "client_assertion": assertion}
    secret = provider.client_secret
    if not secret:
        return {}, named
    if "client_secret_basic" not in document.token_endpoint_auth_methods_supported:
        return {}, {**named, "client_secret": secret}
    name = f"{quote_plus(provider.client_id)}:{quote_plus(secret)}"  # RFC 6749, 2.3.1
    return {"Authorization": f"Basic {b64encode(name.encode()).decode()}"}, {}


def _userinfo(
    provider: IdentityProvider, document: DiscoveryDocument, answer: TokenAnswer, claims: Claims
) -> Mapping[str, Any]:
    """Claims that many providers send only here."""
    if not (document.userinfo_endpoint and answer.access_token):
        return {}
    headers = {"Authorization": f"Bearer {answer.access_token}"}
    got = directory().ask(provider, document.userinfo_endpoint, headers=headers)
    try:
        found = metadata.decode(got.body, dict[str, Any])
    except ValueError:
        return {}
    is_theirs = got.status == 200 and found.get("sub") == claims["sub"]  # Core 1.0, 5.3.2
    return found if is_theirs else {}


def _error(code: str, description: str) -> str:
    shown = " ".join(part for part in (code, description) if part)[:MAX_ERROR]
    return gettext("The provider refused: %(error)s") % {"error": shown}

"""Tokens that a provider signs: the ID token of a sign-in, and the logout token that ends sessions."""

from collections.abc import Mapping
from typing import Any

import jwt
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext

from tms.accounts.identity_providers.oidc.metadata import ALGORITHMS, directory
from tms.accounts.models import IdentityProvider

LEEWAY_S = 60
OLDEST_LOGOUT_S = 600
MAX_TOKEN = 64 * 1024
MAX_ID = 255
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"

type Claims = Mapping[str, Any]


class TokenError(Exception):
    """The token is not accepted. The text says why, and names no secret."""


def id_token(text: str, provider: IdentityProvider, *, nonce: str) -> Claims:
    """The claims of an ID token (OpenID Connect Core 1.0, 3.1.3.7). Raises TokenError and ProviderError."""
    claims = _verify(text, provider, require=("exp", "iat", "sub"))
    if not constant_time_compare(str(claims.get("nonce", "")), nonce):
        raise TokenError(gettext("The token belongs to another sign-in (nonce)."))
    audiences = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    if (len(audiences) > 1 or "azp" in claims) and claims.get("azp") != provider.client_id:
        raise TokenError(gettext("The token was issued to another client (azp)."))
    return claims


def logout_token(text: str, provider: IdentityProvider) -> Claims:
    """The claims of a logout token (OpenID Connect Back-Channel Logout 1.0, 2.6): with `sub`, `sid` or both."""
    claims = _verify(text, provider, require=("iat", "jti"))
    events = claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(LOGOUT_EVENT), dict):
        raise TokenError("no event of a back-channel logout")
    if "nonce" in claims:
        raise TokenError("a logout token has no nonce")
    if not (claims.get("sid") or claims.get("sub")):
        raise TokenError("neither sid nor sub")
    if isinstance(claims["iat"], bool) or not isinstance(claims["iat"], int | float):
        raise TokenError("iat is no number")
    for name in ("jti", "sid", "sub"):
        _require_id(claims, name, is_needed=False)
    return claims


def _verify(text: str, provider: IdentityProvider, *, require: tuple[str, ...]) -> Claims:
    """Signature, issuer, audience and times."""
    if len(text) > MAX_TOKEN:
        raise TokenError(gettext("The token is too long."))
    try:
        header = jwt.get_unverified_header(text)
    except (jwt.PyJWTError, RecursionError) as error:
        raise TokenError(str(error)) from None
    algorithm, key_id = header.get("alg"), str(header.get("kid", ""))
    if algorithm not in ALGORITHMS:
        raise TokenError(gettext("The signature is of a kind that is not accepted: %(alg)s") % {"alg": algorithm})
    claims = _with_any_key(text, provider, algorithm, key_id, require)
    if "sub" in require:
        _require_id(claims, "sub", is_needed=True)
    return claims


def _with_any_key(
    text: str, provider: IdentityProvider, algorithm: str, key_id: str, require: tuple[str, ...]
) -> Claims:
    """A token without a key ID is tried with each key."""
    problem = gettext("The provider has no key with this ID.")
    for key in directory().keys(provider, key_id):
        try:
            claims: Claims = jwt.decode(
                text,
                key.public,
                algorithms=[algorithm],
                audience=provider.client_id,
                issuer=provider.issuer,
                leeway=LEEWAY_S,
                options={"require": ["iss", "aud", *require]},
            )
            return claims
        except (jwt.InvalidSignatureError, jwt.InvalidKeyError, TypeError) as error:
            problem = str(error)
        except (jwt.PyJWTError, RecursionError) as error:
            raise TokenError(str(error)) from None
    raise TokenError(problem)


def _require_id(claims: Claims, name: str, *, is_needed: bool) -> None:
    """Identifiers are ASCII of bounded length (Core 1.0, 2), so they are compared and stored as they are."""
    value = claims.get(name)
    if value is None and not is_needed:
        return
    if not isinstance(value, str) or not 0 < len(value) <= MAX_ID or not value.isascii() or not value.isprintable():
        raise TokenError(gettext("Not a valid identifier: %(name)s") % {"name": name})

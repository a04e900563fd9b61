"""Reads an assertion from the claims of an ID token. Every value is from outside: cleaned, and of a bounded length."""

from collections.abc import Mapping
from typing import Any, TypeGuard

from django.conf import settings
from django.utils.translation import gettext

from tms.accounts.identity_providers.oidc.tokens import LEEWAY_S
from tms.accounts.models import FactorPolicy, IdentityProvider
from tms.accounts.sign_in.assertion import Assertion, SignInRefused
from tms.protocol.text import clean, is_storable

MAX_GROUPS = 1_000
MAX_TEXT = 150
MAX_EMAIL = 254
MAX_GROUP = 255
OF_ID_TOKENS = frozenset({"iss", "aud", "exp", "iat", "nonce", "azp", "amr", "acr", "auth_time", "sid"})
OF_ADDRESSES = frozenset({"email", "email_verified", "xms_edov"})
MICROSOFT = "https://login.microsoftonline.com/"
FACTORS = frozenset({"mfa", "otp", "hwk", "sc"})
"""Values of `amr` for more than a password: several factors, a one-time code, hardware, a smart card (RFC 8176)."""


def assertion_of(claims: Mapping[str, Any], provider: IdentityProvider) -> Assertion:
    """Raises SignInRefused."""
    first_name, last_name = _names(claims)
    return Assertion(
        issuer=provider.issuer,
        subject=claims["sub"],
        email=_text(claims, "email", MAX_EMAIL),
        is_email_verified=_is_verified(claims),
        username=_text(claims, "preferred_username", MAX_TEXT),
        first_name=first_name,
        last_name=last_name,
        language=_language(claims),
        groups=groups_of(claims, provider.groups_claim),
        has_factor=has_factor(claims, provider),
        sid=_text(claims, "sid", MAX_GROUP),
    )


def merged(id_token: Mapping[str, Any], userinfo: Mapping[str, Any]) -> dict[str, Any]:
    """The claims of the ID token, which is signed, and those that many providers send only in userinfo.

    How and when the person signed in is a claim of ID tokens only. An address and whether it is verified belong
    together: a verified address of one document must not verify another one.
    """
    own, other = dict(id_token), {name: value for name, value in userinfo.items() if name not in OF_ID_TOKENS}
    without_address = other if "email" in id_token else own
    for name in OF_ADDRESSES:
        without_address.pop(name, None)
    return {**other, **own}


def authenticated_at(claims: Mapping[str, Any], *, now: float) -> float | None:
    """When the person proved who they are, in seconds since 1970; None if the provider does not say it usably."""
    at = claims.get("auth_time")
    if isinstance(at, bool) or not isinstance(at, int | float):
        return None
    return at if 0 < at <= now + LEEWAY_S else None


def groups_of(claims: Mapping[str, Any], path: str) -> frozenset[str]:
    """The values of the claim `path`: a list or one text. Raises SignInRefused if the provider left them out."""
    elsewhere = claims.get("_claim_names")
    if isinstance(elsewhere, Mapping) and path in elsewhere:
        text = gettext("The provider left out the groups because there are too many. Limit them there to those of TMS.")
        raise SignInRefused("too-many-groups", text)
    found = _at(claims, path)
    values = [found] if isinstance(found, str) else found if isinstance(found, list) else []
    if len(values) > MAX_GROUPS:
        text = gettext("The provider sent more than %(most)s groups. Limit them there to those of TMS.")
        raise SignInRefused("too-many-groups", text % {"most": MAX_GROUPS})
    return frozenset(clean(value) for value in values if value and _is_usable(value, MAX_GROUP))


def has_factor(claims: Mapping[str, Any], provider: IdentityProvider) -> bool:
    """Whether the sign-in counts as one with a second factor."""
    if provider.factor_policy != FactorPolicy.CLAIMED:
        return provider.factor_policy == FactorPolicy.ALWAYS
    methods = claims.get("amr")
    is_named = isinstance(methods, list) and any(isinstance(each, str) and each in FACTORS for each in methods)
    return is_named or str(claims.get("acr", "")) in provider.acr_values.split()


def _is_verified(claims: Mapping[str, Any]) -> bool:
    """Entra ID says it by a claim of its own, which administrators add: the domain of the address is verified."""
    if claims.get("email_verified") is None and str(claims.get("iss", "")).startswith(MICROSOFT):
        return claims.get("xms_edov") in (True, "1", "true")
    return claims.get("email_verified") is True


def _at(claims: Mapping[str, Any], path: str) -> Any:
    """The claim of this name; otherwise the one that the parts between its dots lead to."""
    if path in claims:
        return claims[path]
    found: Any = claims
    for part in path.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _text(claims: Mapping[str, Any], name: str, most: int) -> str:
    value = claims.get(name)
    return clean(value) if _is_usable(value, most) else ""


def _is_usable(value: Any, most: int) -> TypeGuard[str]:
    return isinstance(value, str) and len(value) <= most and is_storable(value)


def _names(claims: Mapping[str, Any]) -> tuple[str, str]:
    """Given and family name; from the whole name if the provider does not part them."""
    first, last = _text(claims, "given_name", MAX_TEXT), _text(claims, "family_name", MAX_TEXT)
    if first or last:
        return first, last
    return _text(claims, "name", MAX_TEXT), ""


def _language(claims: Mapping[str, Any]) -> str:
    language = _text(claims, "locale", MAX_TEXT).lower()[:2]
    return language if language in dict(settings.LANGUAGES) else ""

"""From the claims of an ID token to an assertion. Every value is from outside: cleaned, and of a bounded length."""

from collections.abc import Mapping
from typing import Any, TypeGuard

from django.conf import settings
from django.utils.translation import gettext

from tms.accounts.identity_providers.assertion import Assertion, SignInRefused
from tms.accounts.models import FactorPolicy, IdentityProvider
from tms.protocol.text import clean, is_storable

MOST_GROUPS = 1_000
MAX_TEXT = 150
MAX_EMAIL = 254
MAX_GROUP = 255
LATEST = 2**40
"""Seconds since 1970, far in the future: larger numbers are no time."""
FACTORS = frozenset({"mfa", "otp", "hwk", "sc"})
"""Values of `amr` for more than a password: several factors, a one-time code, hardware, a smart card (RFC 8176)."""


def assertion_of(claims: Mapping[str, Any], provider: IdentityProvider) -> Assertion:
    """Raises SignInRefused."""
    first_name, last_name = _names(claims)
    return Assertion(
        issuer=provider.issuer,
        subject=claims["sub"],
        email=_text(claims, "email", MAX_EMAIL),
        is_email_verified=claims.get("email_verified") in (True, "true"),
        username=_text(claims, "preferred_username", MAX_TEXT),
        first_name=first_name,
        last_name=last_name,
        language=_language(claims),
        groups=groups_of(claims, provider.groups_claim),
        has_factor=has_factor(claims, provider),
        sid=_text(claims, "sid", MAX_GROUP),
    )


def authenticated_at(claims: Mapping[str, Any]) -> float | None:
    """When the person proved who they are, in seconds since 1970; None if the provider does not say it."""
    at = claims.get("auth_time")
    return at if isinstance(at, int | float) and 0 < at < LATEST else None


def groups_of(claims: Mapping[str, Any], path: str) -> frozenset[str]:
    """The values of the claim `path`: a list or one text. Raises SignInRefused if the provider left them out."""
    elsewhere = claims.get("_claim_names")
    if isinstance(elsewhere, Mapping) and path in elsewhere:
        text = gettext("The provider left out the groups because there are too many. Limit them there to those of TMS.")
        raise SignInRefused("too-many-groups", text)
    found = _at(claims, path)
    values = [found] if isinstance(found, str) else found if isinstance(found, list) else []
    if len(values) > MOST_GROUPS:
        text = gettext("The provider sent more than %(most)s groups. Limit them there to those of TMS.")
        raise SignInRefused("too-many-groups", text % {"most": MOST_GROUPS})
    return frozenset(clean(value) for value in values if value and _is_usable(value, MAX_GROUP))


def has_factor(claims: Mapping[str, Any], provider: IdentityProvider) -> bool:
    """Whether the sign-in counts as one with a second factor."""
    if provider.factor_policy != FactorPolicy.CLAIMED:
        return provider.factor_policy == FactorPolicy.ALWAYS
    methods = claims.get("amr")
    is_named = isinstance(methods, list) and any(isinstance(each, str) and each in FACTORS for each in methods)
    return is_named or str(claims.get("acr", "")) in provider.acr_values.split()


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

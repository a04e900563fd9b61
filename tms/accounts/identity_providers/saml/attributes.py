"""Reads an assertion from a verified statement, with the names of attributes that providers use."""

from collections.abc import Collection, Mapping
from typing import Any

from django.utils.translation import gettext

from tms.accounts.identity_providers.oidc.claims import MAX_EMAIL, MAX_GROUP, MAX_TEXT, groups_of
from tms.accounts.identity_providers.saml.response import SamlStatement
from tms.accounts.models import FactorPolicy, IdentityProvider
from tms.accounts.sign_in.assertion import Assertion, SignInRefused
from tms.protocol.text import clean

CLAIMS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
MICROSOFT = "http://schemas.microsoft.com/claims/"
TRANSIENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
EMAIL_FORMAT = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
EMAIL = (f"{CLAIMS}emailaddress", "urn:oid:0.9.2342.19200300.100.1.3", "email", "mail", "emailAddress")
FIRST_NAME = (f"{CLAIMS}givenname", "urn:oid:2.5.4.42", "givenName", "firstName", "given_name")
LAST_NAME = (f"{CLAIMS}surname", "urn:oid:2.5.4.4", "surname", "sn", "lastName", "family_name")
WITH_FACTOR = frozenset({"https://refeds.org/profile/mfa"})
"""Classes of authentication that mean a second factor."""


def assertion_of(statement: SamlStatement, provider: IdentityProvider) -> Assertion:
    """An address counts as verified: it is the company's own, and `email_domains` says of which ones. Raises
    SignInRefused."""
    if statement.subject_format == TRANSIENT or not 0 < len(statement.subject) <= MAX_GROUP:
        text = gettext("The provider sends another name at each sign-in (NameID). Set it to a persistent one.")
        raise SignInRefused("transient-name", text)
    email = _first(statement.attributes, EMAIL, MAX_EMAIL)
    if not email and statement.subject_format == EMAIL_FORMAT:
        email = statement.subject[:MAX_EMAIL]
    return Assertion(
        issuer=provider.issuer,
        subject=statement.subject,
        email=email,
        is_email_verified=bool(email),
        username=clean(statement.subject)[:MAX_TEXT],
        first_name=_first(statement.attributes, FIRST_NAME, MAX_TEXT),
        last_name=_first(statement.attributes, LAST_NAME, MAX_TEXT),
        groups=groups_of({"groups": statement.attributes.get(provider.groups_claim, [])}, "groups"),
        has_factor=has_factor(statement, provider),
        sid=statement.session_index[:MAX_GROUP],
    )


def claims_of(statement: SamlStatement) -> dict[str, Any]:
    """The claims that the page of a test sign-in shows."""
    facts = {"NameID": statement.subject, "Format": statement.subject_format, "AuthnContext": statement.context}
    return {**facts, **statement.attributes}


def has_factor(statement: SamlStatement, provider: IdentityProvider) -> bool:
    if provider.factor_policy != FactorPolicy.CLAIMED:
        return provider.factor_policy == FactorPolicy.ALWAYS
    named = {statement.context, *statement.attributes.get(f"{MICROSOFT}authnmethodsreferences", [])}
    return bool(named & {*WITH_FACTOR, f"{MICROSOFT}multipleauthn", *provider.acr_values.split()})


def _first(attributes: Mapping[str, list[str]], names: Collection[str], most: int) -> str:
    values = (value for name in names for value in attributes.get(name, []))
    return next((clean(value) for value in values if 0 < len(value) <= most), "")

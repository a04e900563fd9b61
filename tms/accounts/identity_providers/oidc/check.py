"""Checks a provider step by step, as far as that is possible without signing in there."""

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from django.utils.translation import gettext

from tms.accounts.identity_providers.oidc import metadata
from tms.accounts.identity_providers.oidc.metadata import ALGORITHMS, WELL_KNOWN, DiscoveryDocument, ProviderError
from tms.accounts.models import ClientAuth, IdentityProvider
from tms.lib.encryption import DecryptionError


class Outcome(StrEnum):
    DONE = "done"
    FAILED = "failed"
    HINT = "hint"
    """Works, but something is missing."""


class CheckStep(NamedTuple):
    label: str
    outcome: Outcome
    detail: str


def check(provider: IdentityProvider) -> list[CheckStep]:
    """Up to the first step without which the others make no sense."""
    metadata.directory().discard(provider)
    return list(_steps(provider))


def _steps(provider: IdentityProvider) -> Iterator[CheckStep]:
    yield _secret(provider)
    try:
        document = metadata.read_document(provider.issuer)
    except ProviderError as error:
        yield CheckStep(gettext("Discovery document"), Outcome.FAILED, str(error))
        return
    yield CheckStep(gettext("Discovery document"), Outcome.DONE, provider.issuer.rstrip("/") + WELL_KNOWN)
    yield CheckStep(gettext("Issuer"), Outcome.DONE, document.issuer)
    yield CheckStep(gettext("Endpoints"), Outcome.DONE, gettext(", ").join(document.endpoints))
    yield _keys(document)
    yield _signatures(document)
    yield _pkce(document)
    yield _logout(document)
    if provider.signs_out:
        yield _sign_out(document)


def _secret(provider: IdentityProvider) -> CheckStep:
    is_key = provider.client_auth == ClientAuth.PRIVATE_KEY
    label = gettext("Client key") if is_key else gettext("Client secret")
    try:
        is_set = bool(provider.private_keys if is_key else provider.client_secret)
    except DecryptionError:
        text = gettext("It was encrypted with another TMS_SECRET_KEY. Enter it again.")
        return CheckStep(label, Outcome.FAILED, text)
    if is_set:
        return CheckStep(label, Outcome.DONE, gettext("stored, encrypted"))
    return CheckStep(label, Outcome.HINT, gettext("None: right for a public client only."))


def _keys(document: DiscoveryDocument) -> CheckStep:
    label = gettext("Keys")
    try:
        keys = metadata.read_keys(document)
    except ProviderError as error:
        return CheckStep(label, Outcome.FAILED, str(error))
    if not keys:
        return CheckStep(label, Outcome.FAILED, gettext("The provider publishes no key for signatures."))
    return CheckStep(label, Outcome.DONE, gettext(", ").join(key.id or "–" for key in keys))


def _signatures(document: DiscoveryDocument) -> CheckStep:
    label, offered = gettext("Signatures"), document.id_token_signing_alg_values_supported
    usable = [name for name in offered if name in ALGORITHMS]
    if offered and not usable:
        text = gettext("None of %(offered)s is accepted. TMS accepts %(accepted)s.")
        names = {"offered": ", ".join(offered[:20]), "accepted": ", ".join(ALGORITHMS)}
        return CheckStep(label, Outcome.FAILED, text % names)
    return CheckStep(label, Outcome.DONE, ", ".join(usable) or "RS256")


def _pkce(document: DiscoveryDocument) -> CheckStep:
    if "S256" in document.code_challenge_methods_supported:
        return CheckStep("PKCE", Outcome.DONE, "S256")
    text = gettext("The provider does not say that it checks it. TMS sends it anyway.")
    return CheckStep("PKCE", Outcome.HINT, text)


def _logout(document: DiscoveryDocument) -> CheckStep:
    label = gettext("Back-channel logout")
    if document.backchannel_logout_supported:
        return CheckStep(label, Outcome.DONE, gettext("Register the address of logouts below at the provider."))
    text = gettext("Not supported: a person who is removed there stays signed in until the session ends.")
    return CheckStep(label, Outcome.HINT, text)


def _sign_out(document: DiscoveryDocument) -> CheckStep:
    label = gettext("Sign-out")
    if document.end_session_endpoint:
        return CheckStep(label, Outcome.DONE, document.end_session_endpoint)
    text = gettext("The provider has no address for it: people stay signed in there.")
    return CheckStep(label, Outcome.HINT, text)

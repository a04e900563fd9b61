"""What a provider publishes about itself: its endpoints and its keys. Both are kept for some minutes."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jwt
import msgspec
from django.conf import settings
from django.utils.translation import gettext

from tms.accounts.models import IdentityProvider
from tms.lib.outgoing.bounded_http import Fetched, FetchError, fetch, require_web
from tms.lib.per_process import per_process

WELL_KNOWN = "/.well-known/openid-configuration"
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures with a key pair only: a token is never signed with the client secret, and never unsigned."""
FRESH_S = 300.0
RETRY_S = 10.0
"""Keys are read again at most this often when a token names an unknown one."""
FAILED_S = 5.0
"""A provider that did not answer is asked again after this time: everyone can cause a request to it."""
MAX_KEYS = 50


class ProviderError(Exception):
    """The provider does not answer, or not as OpenID Connect says. The text is for people."""


class DiscoveryDocument(msgspec.Struct, frozen=True):
    """The fields of the discovery document that TMS uses (OpenID Connect Discovery 1.0, 3)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str = ""
    end_session_endpoint: str = ""
    id_token_signing_alg_values_supported: tuple[str, ...] = ()
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    code_challenge_methods_supported: tuple[str, ...] = ()
    authorization_response_iss_parameter_supported: bool = False
    backchannel_logout_supported: bool = False

    @property
    def endpoints(self) -> tuple[str, ...]:
        needed = (self.authorization_endpoint, self.token_endpoint, self.jwks_uri)
        return tuple(address for address in (*needed, self.userinfo_endpoint, self.end_session_endpoint) if address)


class KeySet(msgspec.Struct, frozen=True):
    keys: list[dict[str, Any]]


class Key(NamedTuple):
    id: str
    public: Any


@dataclass(slots=True)
class Published:
    """The metadata of one provider, and when its parts were read (monotonic)."""

    issuer: str
    document: DiscoveryDocument
    read_at: float
    keys: tuple[Key, ...] = ()
    keys_read_at: float | None = None


class FailedRequest(NamedTuple):
    """A request to a provider that failed, why, and when (monotonic)."""

    issuer: str
    text: str
    at: float


class Directory:
    """The metadata of all providers of this process."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._known: dict[int, Published] = {}
        self._failed: dict[int, FailedRequest] = {}

    def document(self, provider: IdentityProvider) -> DiscoveryDocument:
        """Raises ProviderError."""
        return self._published(provider).document

    def keys(self, provider: IdentityProvider, key_id: str) -> tuple[Key, ...]:
        """The keys with this ID; all of them for a token without one. Raises ProviderError."""
        published, at = self._published(provider), self._now()
        age = None if published.keys_read_at is None else at - published.keys_read_at
        is_known = not key_id or any(key.id == key_id for key in published.keys)
        if age is None or age > (FRESH_S if is_known else RETRY_S):
            read = self._once_in_a_while(provider, lambda: read_keys(published.document))
            published.keys, published.keys_read_at = read, at
        return tuple(key for key in published.keys if not key_id or key.id in ("", key_id))

    def discard(self, provider: IdentityProvider) -> None:
        self._known.pop(provider.pk, None)
        self._failed.pop(provider.pk, None)

    def _published(self, provider: IdentityProvider) -> Published:
        known = self._known.get(provider.pk)
        if known is None or known.issuer != provider.issuer or self._now() - known.read_at > FRESH_S:
            document = self._once_in_a_while(provider, lambda: read_document(provider.issuer))
            self._known[provider.pk] = known = Published(provider.issuer, document, self._now())
        return known

    def _once_in_a_while[T](self, provider: IdentityProvider, read: Callable[[], T]) -> T:
        """Raises ProviderError, also without reading, for a while after it failed."""
        failed = self._failed.get(provider.pk)
        if failed and failed.issuer == provider.issuer and self._now() - failed.at <= FAILED_S:
            raise ProviderError(failed.text)
        try:
            return read()
        except ProviderError as error:
            self._failed[provider.pk] = FailedRequest(provider.issuer, str(error), self._now())
            raise


@per_process
def directory() -> Directory:
    return Directory()


def read_document(issuer: str) -> DiscoveryDocument:
    """The discovery document of `issuer`, checked. Raises ProviderError."""
    try:
        document = decoded(get(issuer.rstrip("/") + WELL_KNOWN), DiscoveryDocument)
    except ValueError as error:
        raise ProviderError(gettext("Not a discovery document: %(reason)s") % {"reason": error}) from None
    if document.issuer != issuer:
        text = gettext("The document names another issuer: %(issuer)s")
        raise ProviderError(text % {"issuer": document.issuer[:200]})
    for address in document.endpoints:
        try:
            require_web(address, may_be_plain=not settings.PRODUCTION)
        except FetchError as error:
            raise ProviderError(str(error)) from None
    return document


def read_keys(document: DiscoveryDocument) -> tuple[Key, ...]:
    """The public keys for signatures. Keys of unknown kinds are skipped. Raises ProviderError."""
    try:
        found = decoded(get(document.jwks_uri), KeySet)
    except ValueError as error:
        raise ProviderError(gettext("Not a set of keys: %(reason)s") % {"reason": error}) from None
    return tuple(key for entry in found.keys[:MAX_KEYS] if (key := _key(entry)) is not None)


def _key(entry: dict[str, Any]) -> Key | None:
    if entry.get("use", "sig") != "sig" or entry.get("kty") not in ("RSA", "EC", "OKP"):
        return None
    try:
        return Key(str(entry.get("kid", "")), jwt.PyJWK(entry).key)
    except (jwt.PyJWTError, ValueError, TypeError):
        return None


def decoded[T](body: bytes, kind: type[T]) -> T:
    """JSON from outside. Raises ValueError."""
    try:
        return msgspec.json.decode(body, type=kind)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def get(url: str) -> bytes:
    """Raises ProviderError unless the answer is 200."""
    answer = ask(url)
    if answer.status != 200:
        raise ProviderError(gettext("%(url)s answered with status %(status)s.") % {"url": url, "status": answer.status})
    return answer.body


def ask(url: str, **options: Any) -> Fetched:
    """A request with the limits and guards for addresses that people entered. Raises ProviderError."""
    try:
        return fetch(url, permitted=settings.INSIDE_DESTINATIONS, may_be_plain=not settings.PRODUCTION, **options)
    except FetchError as error:
        raise ProviderError(str(error)) from None

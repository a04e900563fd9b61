"""What a provider publishes about itself: its endpoints and its keys. Both are kept for some minutes."""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from django.conf import settings
from django.utils.translation import gettext

from tms.accounts.models import IdentityProvider
from tms.lib.db.thread import release_connection
from tms.lib.outgoing.bounded_http import Fetched, FetchError, NoResponseError, fetch, require_web
from tms.lib.per_process import per_process

WELL_KNOWN = "/.well-known/openid-configuration"
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures with a key pair only: a token is never signed with the client secret, and never unsigned."""
FRESH_S = 300.0
RETRY_S = 10.0
"""Keys are read again at most this often when a token names an unknown one."""
FAILED_S = 5.0
"""A provider that did not answer is asked again after this time: everyone can cause a request to it."""
MIN_RSA_BITS = 2_048
WITHIN_S = 5.0
"""The deadline of each request to a provider."""
AT_ONCE = 4
"""Requests of sign-ins at one provider; others wait, and are refused after `WAIT_S`."""
WAIT_S = 1.0
MAX_KEYS = 50


class ProviderError(Exception):
    """The provider does not answer, or not as OpenID Connect says. The text is for people."""


class ProviderAwayError(ProviderError):
    """It does not answer now; a later attempt may succeed."""


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

    def has_fresh_keys(self, key_id: str, at: float) -> bool:
        """Whether the keys are fresh enough for a token that names this key; empty if it names none."""
        is_known = not key_id or any(key.id == key_id for key in self.keys)
        return self.keys_read_at is not None and at - self.keys_read_at <= (FRESH_S if is_known else RETRY_S)


class FailedRequest(NamedTuple):
    """A request to a provider that failed, why, and when (monotonic)."""

    issuer: str
    error: ProviderError
    at: float


@dataclass(slots=True)
class ProviderQueue:
    """How many threads wait for one provider at a time: it may not answer, and everyone can cause a request to it."""

    reading: threading.Lock = field(default_factory=threading.Lock)
    """Held by the one that reads its metadata."""
    asking: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(AT_ONCE))


class Directory:
    """The metadata of all providers of this process."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._known: dict[int, Published] = {}
        self._failed: dict[int, FailedRequest] = {}
        self._queues: defaultdict[int, ProviderQueue] = defaultdict(ProviderQueue)

    def document(self, provider: IdentityProvider) -> DiscoveryDocument:
        """Raises ProviderError."""
        return self._published(provider).document

    def keys(self, provider: IdentityProvider, key_id: str) -> tuple[Key, ...]:
        """The keys with this ID; all of them for a token without one. Raises ProviderError."""
        published = self._published(provider)

        def known() -> tuple[Key, ...] | None:
            return published.keys if published.has_fresh_keys(key_id, self._now()) else None

        def read() -> tuple[Key, ...]:
            at = self._now()
            published.keys, published.keys_read_at = read_keys(published.document), at
            return published.keys

        return tuple(key for key in self._once(provider, known, read) if not key_id or key.id in ("", key_id))

    def ask(self, provider: IdentityProvider, url: str, **options: Any) -> Fetched:
        """A request for one sign-in. Raises ProviderError, also if too many wait for this provider already."""
        with _hold(self._queues[provider.pk].asking):
            return ask(url, **options)

    def discard(self, provider: IdentityProvider) -> None:
        self._known.pop(provider.pk, None)
        self._failed.pop(provider.pk, None)

    def _published(self, provider: IdentityProvider) -> Published:
        def known() -> Published | None:
            found = self._known.get(provider.pk)
            is_fresh = found and found.issuer == provider.issuer and self._now() - found.read_at <= FRESH_S
            return found if is_fresh else None

        def read() -> Published:
            document = read_document(provider.issuer)
            self._known[provider.pk] = found = Published(provider.issuer, document, self._now())
            return found

        return self._once(provider, known, read)

    def _once[T](self, provider: IdentityProvider, known: Callable[[], T | None], read: Callable[[], T]) -> T:
        """What is `known`, or what one thread reads for all. Raises ProviderError, for a while without reading."""
        if (found := known()) is not None:
            return found
        self._require_unfailed(provider)
        with _hold(self._queues[provider.pk].reading):
            if (found := known()) is not None:
                return found
            self._require_unfailed(provider)
            try:
                return read()
            except ProviderError as error:
                self._failed[provider.pk] = FailedRequest(provider.issuer, error, self._now())
                raise

    def _require_unfailed(self, provider: IdentityProvider) -> None:
        failed = self._failed.get(provider.pk)
        if failed and failed.issuer == provider.issuer and self._now() - failed.at <= FAILED_S:
            raise type(failed.error)(str(failed.error))


@contextmanager
def _hold(lock: threading.Lock | threading.Semaphore) -> Iterator[None]:
    """Raises ProviderAwayError after a short wait: others wait for the provider already."""
    release_connection()
    if not lock.acquire(timeout=WAIT_S):
        raise ProviderAwayError(gettext("The provider has not answered others yet."))
    try:
        yield
    finally:
        lock.release()


@per_process
def directory() -> Directory:
    return Directory()


def read_document(issuer: str) -> DiscoveryDocument:
    """The discovery document of `issuer`, checked. Raises ProviderError."""
    try:
        document = decode(get(issuer.rstrip("/") + WELL_KNOWN), DiscoveryDocument)
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
    """The public keys for signatures. Keys of unknown kinds and weak ones are skipped. Raises ProviderError."""
    try:
        found = decode(get(document.jwks_uri), KeySet)
    except ValueError as error:
        raise ProviderError(gettext("Not a set of keys: %(reason)s") % {"reason": error}) from None
    return tuple(key for entry in found.keys[:MAX_KEYS] if (key := _key(entry)) is not None)


def _key(entry: dict[str, Any]) -> Key | None:
    if entry.get("use", "sig") != "sig" or entry.get("kty") not in ("RSA", "EC", "OKP"):
        return None
    try:
        public = jwt.PyJWK(entry).key
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
    return Key(str(entry.get("kid", "")), public) if is_strong(public) else None


def is_strong(public: object) -> bool:
    """Whether a signature with this key counts."""
    return not isinstance(public, RSAPublicKey) or public.key_size >= MIN_RSA_BITS


def decode[T](body: bytes, kind: type[T]) -> T:
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
    """A request with the limits and guards for addresses that people entered, without a database connection.

    Raises ProviderError.
    """
    release_connection()
    limits: dict[str, Any] = {
        "permitted": settings.INSIDE_DESTINATIONS,
        "may_be_plain": not settings.PRODUCTION,
        "within_s": WITHIN_S,
    }
    try:
        return fetch(url, **limits, **options)
    except NoResponseError as error:
        raise ProviderAwayError(str(error)) from None
    except FetchError as error:
        raise ProviderError(str(error)) from None

"""Limits password attempts before anything is hashed.

The limits count names as typed, existing or not, so a response never reveals which accounts exist.
"""

import contextlib
import secrets
from collections.abc import Iterator, Sequence
from enum import StrEnum
from ipaddress import IPv6Address, ip_address

import structlog
from django.conf import settings
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from tms.accounts.normal_form import normal
from tms.accounts.sign_in import counters, device
from tms.accounts.sign_in.counters import Limit
from tms.metrics.instruments import PASSWORD_RESETS, SIGN_IN_CODES, SIGN_INS

log = structlog.get_logger(__name__)

SALT = "tms.accounts.sign_in"
NETWORK_BITS = 64
"""An IPv6 customer can choose addresses within this prefix."""
TOTAL_WINDOW_S = 60


class Guessed(StrEnum):
    """What an attempt submits. Each is counted separately, so that a right password allows no more wrong codes."""

    PASSWORD = "sign-in"  # noqa: S105  (the prefix of keys in Redis)
    CODE = "sign-in-code"
    RESET = "password-reset"
    """The kind of attempt that asks for a mail instead of guessing. Each one counts."""


FAILED = {Guessed.RESET: "asked"}
OUTCOMES = {Guessed.PASSWORD: SIGN_INS, Guessed.CODE: SIGN_IN_CODES, Guessed.RESET: PASSWORD_RESETS}


class SignInThrottledError(Exception):
    """Too many failed attempts; nothing was hashed."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(f"try again in {wait_s:.0f} s")
        self.wait_s = wait_s


class Attempt:
    """One attempt, counted as a failure unless it is accepted."""

    def __init__(self, request: HttpRequest | None, username: str, of: Guessed) -> None:
        self.id = secrets.token_hex(8)
        self.of = of
        self.username = username
        self.network = network(request.META.get("REMOTE_ADDR", "") if request else "")
        known = device.of(request.COOKIES) if request else None
        self.limits = limits(known, self.network, name_hash(username), of=of)
        self.is_accepted = False


@contextlib.contextmanager
def attempt(request: HttpRequest | None, username: str, *, of: Guessed = Guessed.PASSWORD) -> Iterator[Attempt]:
    """Raises SignInThrottledError instead of entering when a limit is reached."""
    made, outcomes = Attempt(request, username, of), OUTCOMES[of]
    block = counters.apply(lambda each: each.begin(made.limits, made.id))
    if block is not None:
        outcomes.labels("throttled").inc()
        raise SignInThrottledError(block.wait_s)
    try:
        yield made
    except BaseException:
        counters.apply(lambda each: each.abandon(made.limits, made.id))
        raise
    if made.is_accepted:
        outcomes.labels("accepted").inc()
        counters.apply(lambda each: each.succeed(made.limits, made.id))
        return
    outcomes.labels(FAILED.get(of, "rejected")).inc()
    for limit in counters.apply(lambda each: each.fail(made.limits, made.id)):
        name = made.username if limit.name in ("name and address", "name", "device") else None
        log.warning(
            "sign_in_throttled",
            of=made.of.name.lower(),
            by=limit.name,
            address=made.network,
            username=name,
            wait_s=limit.window_s,
        )


def limits(known: device.KnownDevice | None, network: str, name: str, *, of: Guessed) -> Sequence[Limit]:
    """A device known for this person has its own limit; otherwise all others apply."""
    window_s = settings.SIGN_IN_WINDOW_S
    if known is not None and name in known.names:
        return [Limit("device", _key(of, "device", known.id, name), settings.SIGN_IN_FAILURES, window_s)]
    return [
        Limit("name and address", _key(of, "pair", network, name), settings.SIGN_IN_FAILURES, window_s),
        Limit("address", _key(of, "address", network), settings.SIGN_IN_FAILURES_PER_ADDRESS, window_s),
        Limit("name", _key(of, "name", name), settings.SIGN_IN_FAILURES_PER_NAME, window_s),
        Limit("total", _key(of, "total"), settings.SIGN_IN_FAILURES_PER_MINUTE, TOTAL_WINDOW_S),
    ]


def name_hash(username: str) -> str:
    """Names of one normal form share their limits. Neither Redis nor a cookie contains the name."""
    return salted_hmac(SALT, normal(username), algorithm="sha256").hexdigest()[:16]


def network(address: str) -> str:
    """IPv4 by address, IPv6 by /64; everything that is not an address counts as one key."""
    try:
        known = ip_address(address.partition("%")[0])
    except ValueError:
        return "unknown"
    if not isinstance(known, IPv6Address):
        return str(known)
    if known.ipv4_mapped:
        return str(known.ipv4_mapped)
    host_bits = 128 - NETWORK_BITS
    return f"{IPv6Address(int(known) >> host_bits << host_bits)}/{NETWORK_BITS}"


def _key(*parts: str) -> str:
    return ":".join(parts)

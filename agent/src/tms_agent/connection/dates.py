"""The time by which dates of certificates are checked: many terminals start in 1970, or have an empty battery.

OpenSSL checks dates by the system clock. Where that clock is wrong, it checks the chain and the name only, and what is
here checks the dates of the server's certificate during the handshake: nothing is sent to a server that fails.
"""

import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from tms_agent.device.clock import utc_now
from tms_agent.release import RELEASED_AT

NO_CHECK_TIME = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME, for which the standard library has no name."""
NOT_YET_VALID, EXPIRED = 9, 10
"""OpenSSL's codes X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED."""
TOLERANCE = timedelta(minutes=5)
"""A clock with a smaller error is right."""
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class DateFault(ssl.SSLCertVerificationError):
    """The certificate is not valid at any of the instants; `at` is the first of them."""

    def __init__(self, code: int, at: datetime) -> None:
        super().__init__(1, "the certificate is outside of its dates")
        self.verify_code = code
        self.at = at


@dataclass(frozen=True, slots=True)
class Dates:
    now: Callable[[], datetime] = utc_now
    """The system clock."""
    clock_error: Callable[[], "timedelta | None"] = lambda: None
    """How far it is ahead of TMS's, None while unknown."""

    def instants(self) -> "Sequence[datetime] | None":
        """The current time as far as it is known: a certificate has to be valid at one of them.

        None: the system clock is right, as far as is known, and OpenSSL checks all dates. Empty: nothing is known.
        """
        now, error = self.now(), self.clock_error()
        is_possible = now >= RELEASED_AT
        if is_possible and (error is None or abs(error) <= TOLERANCE):
            return None
        # TMS's own clock may be wrong: what the system clock allows was always allowed.
        return [*([] if error is None else [now - error]), *([now] if is_possible else [])]


def check_by(context: ssl.SSLContext, instants: Sequence[datetime]) -> None:
    """Make `context` check dates by `instants` instead of the system clock."""
    context.verify_flags |= NO_CHECK_TIME
    context.sslobject_class = _checked(ssl.SSLObject, instants)
    context.sslsocket_class = _checked(ssl.SSLSocket, instants)


def _checked(kind: Any, instants: Sequence[datetime]) -> Any:
    class Checked(kind):  # type: ignore[misc]
        def do_handshake(self, *args: Any) -> None:
            super().do_handshake(*args)
            check(self.getpeercert(), instants)

    return Checked


def check(certificate: Mapping[str, Any], instants: Sequence[datetime]) -> None:
    """Raises DateFault. Without an instant it is only known that this software exists."""
    begins, ends = (_instant(certificate[name]) for name in ("notBefore", "notAfter"))
    possible = instants or [max(begins, RELEASED_AT)]
    if not any(begins <= at <= ends for at in possible):
        raise DateFault(EXPIRED if possible[0] > ends else NOT_YET_VALID, possible[0])


def _instant(text: str) -> datetime:
    """`datetime.fromtimestamp` ends in 2038 where time has 32 bits."""
    return EPOCH + timedelta(seconds=ssl.cert_time_to_seconds(text))

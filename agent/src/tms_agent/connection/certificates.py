"""Explains why a TLS certificate was rejected, and what to do. The terminal's clock is a frequent cause."""

import ssl
from datetime import datetime, timedelta

from tms_agent.connection.link import CertificateRejected

DATES = {9: ("certificate_not_yet_valid", "is not valid yet"), 10: ("certificate_expired", "has expired")}
"""The names and texts by OpenSSL's code: X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED."""
TOLERANCE = timedelta(minutes=5)
"""A smaller clock error does not explain that a certificate is outside its validity."""

SET_THE_CLOCK = "set the clock, or let NTP set it"
RENEW = "renew the certificate on the server"


def rejection(
    error: ssl.SSLCertVerificationError, host: str, *, at: datetime, clock_error: timedelta | None
) -> CertificateRejected:
    """`at` is the terminal's time, which is ahead of TMS's by `clock_error`, as far as known."""
    if error.verify_code not in DATES:
        return CertificateRejected(f"certificate_not_trusted: {host}: {error.verify_message}")
    event, what = DATES[error.verify_code]
    clock, remedy = _diagnose(event, clock_error)
    clock = f"by this terminal's clock, {at:%Y-%m-%d %H:%M:%S} UTC{clock}"
    return CertificateRejected(f"{event}: {clock}, the certificate of {host} {what}; {remedy}")


def _diagnose(event: str, clock_error: timedelta | None) -> tuple[str, str]:
    """What is known of the clock, and what to do."""
    if clock_error is None:
        # No server uses a certificate before its validity, so the clock must be wrong.
        either = f"{SET_THE_CLOCK}; if it is right, {RENEW}"
        return "", SET_THE_CLOCK if event == "certificate_not_yet_valid" else either
    if abs(clock_error) <= TOLERANCE:
        return " (which is right)", RENEW
    side = "ahead of" if clock_error > timedelta() else "behind"
    return f" ({abs(clock_error)} {side} TMS's)", SET_THE_CLOCK

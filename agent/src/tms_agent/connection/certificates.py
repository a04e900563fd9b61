"""Explains why a TLS certificate was rejected, and what to do. The terminal's clock is a frequent cause."""

import ssl
from datetime import datetime, timedelta

from tms_agent.connection.dates import EXPIRED, NOT_YET_VALID, DateFault
from tms_agent.connection.link import CertificateRejected
from tms_agent.release import RELEASED_AT

DATES = {
    NOT_YET_VALID: ("certificate_not_yet_valid", "is not valid yet"),
    EXPIRED: ("certificate_expired", "has expired"),
}
SET_THE_CLOCK = "set the clock, or let NTP set it"
OF_YOUR_OWN = "check url, and set tls.ca_file (TMS_AGENT_TLS_CA_FILE) for an authority of your own"
RENEW = "renew the certificate on the server"


def rejection(
    error: ssl.SSLCertVerificationError, host: str, *, at: datetime, clock_error: timedelta | None
) -> CertificateRejected:
    """`at` is the terminal's time, which is ahead of TMS's by `clock_error`, as far as known."""
    if error.verify_code not in DATES:
        return CertificateRejected(f"certificate_not_trusted: {host}: {error.verify_message}; {OF_YOUR_OWN}")
    event, what = DATES[error.verify_code]
    time, remedy = _judgement(error, event, at, clock_error)
    return CertificateRejected(f"{event}: {time}, the certificate of {host} {what}; {remedy}")


def _judgement(
    error: ssl.SSLCertVerificationError, event: str, at: datetime, clock_error: timedelta | None
) -> tuple[str, str]:
    """The time by which it was rejected, and what to do."""
    if isinstance(error, DateFault):
        whose = "the date of this software" if error.at == RELEASED_AT else "TMS's time"
        return f"by {whose}, {error.at:%Y-%m-%d %H:%M:%S} UTC", RENEW
    clock = f"by this terminal's clock, {at:%Y-%m-%d %H:%M:%S} UTC"
    if clock_error is not None:
        return f"{clock} (which is right)", RENEW
    # No server uses a certificate before its validity, so the clock must be wrong.
    either = f"{SET_THE_CLOCK}; if it is right, {RENEW}"
    return clock, SET_THE_CLOCK if event == "certificate_not_yet_valid" else either

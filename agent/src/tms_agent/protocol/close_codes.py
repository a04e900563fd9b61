"""The codes with which TMS closes links."""

from enum import IntEnum


class CloseCode(IntEnum):
    """Why the server closed a terminal's link. Applications may send only 1000 and 3000 to 4999 (RFC 6455, 7.4.2)."""

    NORMAL = 1000
    BAD_FRAMES = 4400
    CREDENTIAL_REVOKED = 4401
    NO_BOOT = 4408
    REPLACED = 4409
    TOO_LARGE = 4413
    TOO_FAST = 4429
    DRAINING = 4503

"""Codes of authenticator apps (RFC 6238): six digits, a new one every 30 seconds."""

from datetime import datetime

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, generate_totp_secret, hotp_value
from allauth.mfa.utils import decrypt, encrypt
from django.utils.crypto import constant_time_compare

from tms.accounts.models import User

STEP_S = 30
STEPS_AROUND = 1
"""The number of codes before and after the current one that are accepted, too: the clock of a phone is seconds off,
and people type slowly.
"""

__all__ = ["accept", "address", "data_of", "decrypt", "encrypt", "new_secret", "step_of"]
new_secret = generate_totp_secret


def step_of(secret: str, code: str, *, at: datetime) -> int | None:
    """The step whose code this is; None if it is none of those around `at`."""
    now = int(at.timestamp()) // STEP_S
    for step in range(now - STEPS_AROUND, now + STEPS_AROUND + 1):
        if constant_time_compare(format_hotp_value(hotp_value(secret, step)), code):
            return step
    return None


def accept(factor: Authenticator, code: str, *, at: datetime) -> bool:
    """Whether the code is right and newer than the last one: no code is accepted twice. `factor` must be locked."""
    step = step_of(decrypt(factor.data["secret"]), code, at=at)
    if step is None or step <= factor.data.get("last_step", 0):
        return False
    factor.data["last_step"] = step
    return True


def data_of(secret: str, step: int) -> dict[str, str | int]:
    """What is stored of an app that has shown the code of `step`."""
    return {"secret": encrypt(secret), "last_step": step}


def address(person: User, secret: str) -> str:
    """`otpauth://totp/…`, which authenticator apps read from the QR code."""
    link: str = get_adapter().build_totp_url(person, secret)
    return link

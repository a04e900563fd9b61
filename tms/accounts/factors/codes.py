"""Codes that people type as their second factor: of an authenticator app, or a recovery code."""

from collections.abc import Callable
from datetime import datetime

import structlog
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.db import transaction
from django.http import HttpRequest

from tms.accounts.audit import recorder
from tms.accounts.factors import totp
from tms.accounts.models import User
from tms.accounts.sign_in.throttle import Guessed, attempt
from tms.lib.encryption import DecryptionError

log = structlog.get_logger(__name__)

MAX_CHARACTERS = 32
"""Characters of a submitted code, with spaces."""


def accept_from(request: HttpRequest, person: User, typed: str, *, at: datetime) -> Authenticator | None:
    """The factor whose code was typed, which is used up by that. Raises SignInThrottledError after too many others."""
    with attempt(request, person.get_username(), of=Guessed.CODE) as tried:
        factor = accept(person, typed, at=at)
        tried.is_accepted = factor is not None
    return factor


@transaction.atomic
def accept(person: User, typed: str, *, at: datetime) -> Authenticator | None:
    code = "".join(typed[:MAX_CHARACTERS].split())
    for factor in Authenticator.objects.select_for_update().filter(user=person, type__in=KINDS).order_by("pk"):
        if _is_accepted(factor, code, at):
            factor.last_used_at = at
            factor.save(update_fields=["data", "last_used_at"])
            return factor
    recorder.record("sign-in-failed", person, {"factor": (None, "wrong code")})
    return None


def _is_accepted(factor: Authenticator, code: str, at: datetime) -> bool:
    try:
        return KINDS[factor.type](factor, code, at)
    except DecryptionError:
        log.error("factor_not_decrypted", factor=factor.type, person=factor.user_id)
        return False


def _accept_app(factor: Authenticator, code: str, at: datetime) -> bool:
    return totp.accept(factor, code, at=at)


def _accept_recovery_code(factor: Authenticator, code: str, at: datetime) -> bool:
    codes = RecoveryCodes(factor)
    if not codes.validate_code(code):
        return False
    factor.data = codes.instance.data
    recorder.record("recovery-code-used", factor.user, {"left": (None, len(codes.get_unused_codes()))})
    return True


KINDS: dict[str, Callable[[Authenticator, str, datetime], bool]] = {
    Authenticator.Type.TOTP: _accept_app,
    Authenticator.Type.RECOVERY_CODES: _accept_recovery_code,
}
